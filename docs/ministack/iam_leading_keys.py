"""IAM: the condition key dynamodb:LeadingKeys is ignored. (Start MiniStack with AUTH=true.)

AWS: a role whose policy names the partition keys it may write is refused others: AccessDeniedException.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
MiniStack 1.5.33: it may write every key. The condition key seems to be missing in the request, because with
ForAnyValue:StringLike the role may write none.
"""

import json
import sys
import uuid

import boto3
from botocore.exceptions import ClientError

name = f"leading-keys-{uuid.uuid4()}"
dynamodb, iam, sts = boto3.client("dynamodb"), boto3.client("iam"), boto3.client("sts")
account = sts.get_caller_identity()["Account"]
trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}


def policy(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


table = dynamodb.create_table(
    TableName=name,
    BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
)
role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
write = {
    "Effect": "Allow",
    "Action": "dynamodb:PutItem",
    "Resource": table["TableDescription"]["TableArn"],
    "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["MINE#*"]}},
}
try:
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    iam.put_role_policy(RoleName=name, PolicyName="write", PolicyDocument=policy(write))
    keys = sts.assume_role(RoleArn=role, RoleSessionName="writer")["Credentials"]
    writer = boto3.client(
        "dynamodb",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    writer.put_item(TableName=name, Item={"PK": {"S": "MINE#1"}})
    try:
        writer.put_item(TableName=name, Item={"PK": {"S": "OTHER#1"}})
        refusal = None
    except ClientError as error:
        refusal = error
finally:
    iam.delete_role_policy(RoleName=name, PolicyName="write")
    iam.delete_role(RoleName=name)
    dynamodb.delete_table(TableName=name)

if refusal:
    sys.exit(f"IAM evaluates dynamodb:LeadingKeys: {refusal}")
print("a role that may write MINE#* has written OTHER#1")
