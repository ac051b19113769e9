"""DynamoDB: BatchGetItem answers with more than 16 MB.

AWS: an answer has at most 16 MB; the keys of what is left are in UnprocessedKeys.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MiniStack 1.5.33: it answers with everything.
"""

import sys
import uuid

import boto3

ITEMS, ITEM_BYTES = 45, 390_000

dynamodb = boto3.client("dynamodb")
table = f"batch-get-{uuid.uuid4()}"
dynamodb.create_table(
    TableName=table,
    BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "N"}],
    KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
)
try:
    dynamodb.get_waiter("table_exists").wait(TableName=table)
    for number in range(ITEMS):
        item = {"PK": {"N": str(number)}, "text": {"S": "x" * ITEM_BYTES}}
        dynamodb.put_item(TableName=table, Item=item)
    keys = [{"PK": {"N": str(number)}} for number in range(ITEMS)]
    answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys}})
    items, left = len(answer["Responses"][table]), len(answer["UnprocessedKeys"].get(table, {}).get("Keys", []))
finally:
    dynamodb.delete_table(TableName=table)

print(f"{items} items of {ITEM_BYTES} bytes in one answer, {left} unprocessed keys")
if left:
    sys.exit("DynamoDB leaves keys unprocessed after 16 MB")
