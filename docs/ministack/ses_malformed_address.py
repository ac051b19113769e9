"""SES: an email to a malformed address is taken.

AWS: BadRequestException.
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
MiniStack 1.5.33: it is sent. An address with a line break is answered 500.
"""

import sys
import uuid

import boto3
from botocore.exceptions import ClientError

ADDRESSES = ["no address", "@", "two@of@them", "with space@example.com"]

ses = boto3.client("sesv2")
identity = f"malformed-address-{uuid.uuid4()}.example"
ses.create_email_identity(EmailIdentity=identity)
refused = []
try:
    for address in ADDRESSES:
        try:
            ses.send_email(
                FromEmailAddress=f"sender@{identity}",
                Destination={"ToAddresses": [address]},
                Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}},
            )
            print(f"sent to {address!r}")
        except ClientError as error:
            print(f"not sent to {address!r}: {error}")
            refused.append(address)
finally:
    ses.delete_email_identity(EmailIdentity=identity)

if refused:
    sys.exit(f"SES refuses an address: {refused}")
