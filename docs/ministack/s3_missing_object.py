"""S3: who may not list a bucket learns that an object is missing. (Start MiniStack with AUTH=true.)

AWS: GetObject for a missing object answers 404 with the permission s3:ListBucket, and 403 without it.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
MiniStack 1.5.33: 404 without it too.
"""

import json
import sys
import uuid

import boto3
from botocore.exceptions import ClientError

name = f"missing-object-{uuid.uuid4()}"
s3, iam, sts = boto3.client("s3"), boto3.client("iam"), boto3.client("sts")
account = sts.get_caller_identity()["Account"]
trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}


def policy(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


s3.create_bucket(Bucket=name)
role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
try:
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=policy(read))
    keys = sts.assume_role(RoleArn=role, RoleSessionName="reader")["Credentials"]
    reader = boto3.client(
        "s3",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    try:
        reader.get_object(Bucket=name, Key="missing")
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        print("GetObject of a missing object, without s3:ListBucket:", error)
finally:
    iam.delete_role_policy(RoleName=name, PolicyName="read")
    iam.delete_role(RoleName=name)
    s3.delete_bucket(Bucket=name)

if status != 404:
    sys.exit(f"S3 answers {status} for a missing object to who may not list the bucket")
