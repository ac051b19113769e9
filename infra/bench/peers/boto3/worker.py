"""A peer of the product's worker: the export with boto3, its paginator, the csv module and a multipart upload.

It gets the ids of the fields from its event, and lists the cells of a row in that order, on purpose by hand.
The client gives values with their types (`item["SK"]["S"]`). The resource layer would convert them, but uses more CPU.
"""

import csv
import io
import json
import os
from http.client import HTTPConnection

import boto3

PART_BYTES = 8 * 1024 * 1024

dynamodb = boto3.client("dynamodb")
s3 = boto3.client("s3")
RECORDS_TABLE = os.environ["USAGE_RECORDS_TABLE"]
DIRECTORY_TABLE = os.environ["DIRECTORY_TABLE"]
BUCKET = os.environ["BUCKET"]


def escape_formula(text):
    """Escapes a cell that a spreadsheet would run as a formula."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def load(names, keys):
    """Looks up the items of the directory with these keys. Gives an empty name to those it does not have."""
    keys = sorted(keys)
    for start in range(0, len(keys), 100):
        wanted = [{"PK": {"S": pk}, "SK": {"S": sk}} for pk, sk in keys[start : start + 100]]
        request = {DIRECTORY_TABLE: {"Keys": wanted}}
        while request:
            answer = dynamodb.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(DIRECTORY_TABLE, []):
                name = item.get("name") or item.get("email") or {"S": ""}
                created = item.get("created_ts") or {"S": ""}
                names[item["PK"]["S"], item["SK"]["S"]] = escape_formula(name["S"]), created["S"]
            request = answer.get("UnprocessedKeys")
    for key in keys:
        names.setdefault(key, ("", ""))


class Upload:
    """A multipart upload."""

    def __init__(self, key):
        self.target = {"Bucket": BUCKET, "Key": key}
        begun = s3.create_multipart_upload(**self.target, ContentType="text/csv; charset=utf-8")
        self.target["UploadId"] = begun["UploadId"]
        self.parts = []

    def send(self, part):
        number = len(self.parts) + 1
        answer = s3.upload_part(**self.target, PartNumber=number, Body=part)
        self.parts.append({"ETag": answer["ETag"], "PartNumber": number})

    def complete(self):
        s3.complete_multipart_upload(**self.target, MultipartUpload={"Parts": self.parts})


def export(job):
    """Makes the export that the event asks for."""
    organization = f"ORG#{job['organization_id']}"
    names = {}
    load(names, {(organization, f"WORKSPACE#{id}") for id in job["workspaces"]})
    upload = Upload(job["key"])
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(job["fields"])
    pages = dynamodb.get_paginator("query")
    for workspace in job["workspaces"]:
        workspace_name, _ = names[organization, f"WORKSPACE#{workspace}"]
        for month in job["months"]:
            for page in pages.paginate(
                TableName=RECORDS_TABLE,
                KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": {"S": f"{workspace}#{month}"},
                    ":first": {"S": job["first"]},
                    ":last": {"S": job["last"]},
                },
                ConsistentRead=True,
            ):
                items = page["Items"]
                keys = {(f"WORKBOOK#{item['workbook_id']['S']}", "WORKBOOK") for item in items}
                keys |= {(organization, f"MEMBER#{item['user_id']['S']}") for item in items}
                load(names, keys - names.keys())
                for item in items:
                    start, run_id = item["SK"]["S"].split("#", 1)
                    workbook_id, user_id = item["workbook_id"]["S"], item["user_id"]["S"]
                    workbook_name, created = names[f"WORKBOOK#{workbook_id}", "WORKBOOK"]
                    email, _ = names[organization, f"MEMBER#{user_id}"]
                    cost, finished = item.get("credit_cost"), item.get("finished_ts")
                    rows.writerow(
                        (
                            workspace,
                            workspace_name,
                            workbook_id,
                            workbook_name,
                            created,
                            user_id,
                            email,
                            run_id,
                            cost["N"] if cost else "",
                            start,
                            finished["S"] if finished else "",
                        )
                    )
                if text.tell() >= PART_BYTES:
                    upload.send(text.getvalue().encode())
                    text.seek(0)
                    text.truncate()
    upload.send(text.getvalue().encode())
    upload.complete()


def main():
    """Takes events from the Runtime API of Lambda."""
    runtime = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        runtime.request("GET", "/2018-06-01/runtime/invocation/next")
        answer = runtime.getresponse()
        request_id, event = answer.getheader("Lambda-Runtime-Aws-Request-Id"), json.load(answer)
        answer.read()
        outcome, result = "response", {}
        try:
            export(event)
        except Exception as error:
            outcome, result = "error", {"errorType": type(error).__name__, "errorMessage": str(error)}
        runtime.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/{outcome}", json.dumps(result))
        runtime.getresponse().read()


main()
