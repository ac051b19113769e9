"""Lambda: an answer may be larger than 6 MB.

AWS: a synchronous invocation fails: Function.ResponseSizeTooLarge.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MiniStack 1.5.33: the answer arrives. A request above 6 MB does as well.
"""

import io
import json
import sys
import uuid
import zipfile

import boto3

CODE = "def handler(event, context):\n    return 'x' * (7 << 20)\n"

name = f"answer-{uuid.uuid4()}"
functions, iam = boto3.client("lambda"), boto3.client("iam")
trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as file:
    file.writestr("index.py", CODE)
role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
try:
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": archive.getvalue()},
    )
    try:
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        answer = functions.invoke(FunctionName=name)
        error, text = answer.get("FunctionError"), answer["Payload"].read().decode()
    finally:
        functions.delete_function(FunctionName=name)
finally:
    iam.delete_role(RoleName=name)

if error:
    sys.exit(f"Lambda refuses an answer above 6 MB: {text}")
print(f"an answer of {len(text)} bytes has arrived")
