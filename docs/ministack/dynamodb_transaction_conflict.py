"""DynamoDB: transactions on the same item never conflict.

AWS: of two transactions that write an item at the same time, one is cancelled: TransactionConflict.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
MiniStack 1.5.33: each waits for its turn.
"""

import sys
import threading
import uuid

import boto3

THREADS, TRANSACTIONS = 6, 25

dynamodb = boto3.client("dynamodb")
table = f"transaction-conflict-{uuid.uuid4()}"
conflicts = []


def count_up():
    update = {
        "TableName": table,
        "Key": {"PK": {"S": "the only one"}},
        "UpdateExpression": "ADD writes :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    for _ in range(TRANSACTIONS):
        try:
            dynamodb.transact_write_items(TransactItems=[{"Update": update}])
        except dynamodb.exceptions.TransactionCanceledException as error:
            conflicts.append(error)


dynamodb.create_table(
    TableName=table,
    BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
)
try:
    dynamodb.get_waiter("table_exists").wait(TableName=table)
    threads = [threading.Thread(target=count_up) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    item = dynamodb.get_item(TableName=table, Key={"PK": {"S": "the only one"}}, ConsistentRead=True)["Item"]
finally:
    dynamodb.delete_table(TableName=table)

print(f"{item['writes']['N']} of {THREADS * TRANSACTIONS} transactions have written, {len(conflicts)} conflicts")
if conflicts:
    sys.exit(f"DynamoDB cancels a transaction that meets another: {conflicts[0]}")
