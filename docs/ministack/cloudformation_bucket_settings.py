"""CloudFormation: the lifecycle and the encryption of a bucket are dropped without a word.

AWS: LifecycleConfiguration and BucketEncryption are applied.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
MiniStack 1.5.33: the stack is CREATE_COMPLETE, the bucket has no lifecycle, and is encrypted as by default.
PutBucketLifecycleConfiguration would set it.
"""

import json
import sys
import uuid

import boto3
from botocore.exceptions import ClientError

BUCKET = {
    "Type": "AWS::S3::Bucket",
    "Properties": {
        "LifecycleConfiguration": {"Rules": [{"Id": "expire", "Status": "Enabled", "ExpirationInDays": 7}]},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
            ]
        },
    },
}

cloudformation, s3 = boto3.client("cloudformation"), boto3.client("s3")
stack = f"bucket-settings-{uuid.uuid4()}"
cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": {"Bucket": BUCKET}}))
applied = []
try:
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    bucket = resources[0]["PhysicalResourceId"]
    try:
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)
        applied.append("lifecycle")
    except ClientError as error:
        print(error)
    configuration = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    algorithm = configuration["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
    print("asked for aws:kms, got", algorithm)
    if algorithm == "aws:kms":
        applied.append("encryption")
finally:
    cloudformation.delete_stack(StackName=stack)

if applied:
    sys.exit(f"CloudFormation applies to a bucket: {', '.join(applied)}")
