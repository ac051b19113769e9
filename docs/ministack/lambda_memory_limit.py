"""Lambda: a function may use more memory than it has.

AWS: the function is ended: Runtime.OutOfMemory, or "signal: killed".
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MiniStack 1.5.33: it goes on. (AWS_LAMBDA_FUNCTION_MEMORY_SIZE is right.)
"""

import io
import json
import sys
import uuid
import zipfile

import boto3

MEMORY_MB = 128
CODE = "def handler(event, context):\n    return len(bytearray(b'x' * (300 << 20)))\n"

name = f"memory-limit-{uuid.uuid4()}"
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
        MemorySize=MEMORY_MB,
        Timeout=30,
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
    sys.exit(f"Lambda ends a function that uses too much memory: {text}")
print(f"a function with {MEMORY_MB} MB has used {int(text) >> 20} MB")
