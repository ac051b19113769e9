"""SES: an email with a configuration set that does not exist is taken.

AWS: NotFoundException.
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
MiniStack 1.5.33: it is sent.
"""

import sys
import uuid

import boto3
from botocore.exceptions import ClientError

ses = boto3.client("sesv2")
name = f"configuration-set-{uuid.uuid4()}"
identity = f"{name}.example"
ses.create_email_identity(EmailIdentity=identity)
try:
    ses.send_email(
        FromEmailAddress=f"sender@{identity}",
        ConfigurationSetName=name,
        Destination={"ToAddresses": ["someone@example.com"]},
        Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}},
    )
    refusal = None
except ClientError as error:
    refusal = error
finally:
    ses.delete_email_identity(EmailIdentity=identity)

if refusal:
    sys.exit(f"SES refuses a configuration set that does not exist: {refusal}")
print("sent with a configuration set that does not exist")
