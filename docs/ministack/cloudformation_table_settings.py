"""CloudFormation: settings of a table are dropped without a word.

AWS: TimeToLiveSpecification, SSESpecification and PointInTimeRecoverySpecification are applied.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
MiniStack 1.5.33: the stack is CREATE_COMPLETE and the table has none of them. UpdateTimeToLive would set the first.
"""

import json
import sys
import uuid

import boto3

TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
        "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
        "SSESpecification": {"SSEEnabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    },
}

cloudformation, dynamodb = boto3.client("cloudformation"), boto3.client("dynamodb")
stack = f"table-settings-{uuid.uuid4()}"
cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": {"Table": TABLE}}))
try:
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    table = resources[0]["PhysicalResourceId"]
    ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]
    encryption = dynamodb.describe_table(TableName=table)["Table"].get("SSEDescription")
finally:
    cloudformation.delete_stack(StackName=stack)

settings = {
    "time to live": ttl["TimeToLiveStatus"] in ("ENABLING", "ENABLED"),
    "point-in-time recovery": recovery["PointInTimeRecoveryStatus"] == "ENABLED",
    "encryption": encryption is not None,
}
print("applied:", settings)
applied = [name for name, is_applied in settings.items() if is_applied]
if applied:
    sys.exit(f"CloudFormation applies to a table: {', '.join(applied)}")
