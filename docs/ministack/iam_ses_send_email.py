"""IAM: ses:SendEmail is checked against every resource. (Start MiniStack with AUTH=true.)

AWS: the permission names the identities that may be sent from, and the configuration sets that may be used.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsimpleemailservicev2.html
MiniStack 1.5.33: only a permission for "*" counts: not authorized to perform ses:SendEmail on resource: *.
"""

import json
import sys
import uuid

import boto3
from botocore.exceptions import ClientError

name = f"send-email-{uuid.uuid4()}"
identity = f"{name}.example"
ses, iam, sts = boto3.client("sesv2"), boto3.client("iam"), boto3.client("sts")
account = sts.get_caller_identity()["Account"]
trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
send = {
    "Effect": "Allow",
    "Action": "ses:SendEmail",
    "Resource": f"arn:aws:ses:{ses.meta.region_name}:{account}:identity/{identity}",
}


def policy(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


ses.create_email_identity(EmailIdentity=identity)
role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
try:
    iam.put_role_policy(RoleName=name, PolicyName="send", PolicyDocument=policy(send))
    keys = sts.assume_role(RoleArn=role, RoleSessionName="sender")["Credentials"]
    sender = boto3.client(
        "sesv2",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    try:
        sender.send_email(
            FromEmailAddress=f"sender@{identity}",
            Destination={"ToAddresses": ["someone@example.com"]},
            Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}},
        )
        refused = False
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        print("sending with a permission for the identity:", error)
        refused = True
finally:
    iam.delete_role_policy(RoleName=name, PolicyName="send")
    iam.delete_role(RoleName=name)
    ses.delete_email_identity(EmailIdentity=identity)

if not refused:
    sys.exit("IAM checks ses:SendEmail against the identity that sends")
