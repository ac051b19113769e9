"""DynamoDB: the consumed capacity of reads does not depend on what was read.

AWS: a consistent read takes one unit for each 4 KB, any other half of that: here 3 and 1.5 for an item of 10 KB. A Query
rounds up the sum of its items: 12.5 for ten of them. BatchGetItem tells it as well.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
MiniStack 1.5.33: 1 for a consistent read and 0.5 for any other; nothing for BatchGetItem.
"""

import sys
import uuid

import boto3

# GetItem that is consistent, GetItem, Query of ten items, BatchGetItem of one.
EXPECTED = [3.0, 1.5, 12.5, 1.5]

dynamodb = boto3.client("dynamodb")
table = f"consumed-capacity-{uuid.uuid4()}"
dynamodb.create_table(
    TableName=table,
    BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[
        {"AttributeName": "PK", "AttributeType": "S"},
        {"AttributeName": "SK", "AttributeType": "S"},
    ],
    KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
)
try:
    dynamodb.get_waiter("table_exists").wait(TableName=table)
    keys = [{"PK": {"S": "one"}, "SK": {"S": str(number)}} for number in range(10)]
    for key in keys:
        dynamodb.put_item(TableName=table, Item={**key, "text": {"S": "x" * 10_000}})
    total = {"ReturnConsumedCapacity": "TOTAL"}
    get = {"TableName": table, "Key": keys[0], **total}
    batch = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys[:1]}}, **total)
    query = dynamodb.query(
        TableName=table,
        KeyConditionExpression="PK = :one",
        ExpressionAttributeValues={":one": {"S": "one"}},
        **total,
    )
    consumed = [
        dynamodb.get_item(**get, ConsistentRead=True)["ConsumedCapacity"]["CapacityUnits"],
        dynamodb.get_item(**get)["ConsumedCapacity"]["CapacityUnits"],
        query["ConsumedCapacity"]["CapacityUnits"],
        sum(of["CapacityUnits"] for of in batch.get("ConsumedCapacity", [])),
    ]
finally:
    dynamodb.delete_table(TableName=table)

print("consumed:", consumed, "instead of", EXPECTED)
if consumed == EXPECTED:
    sys.exit("DynamoDB tells the capacity that reads consume")
