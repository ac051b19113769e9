"""S3: an upload with small parts is completed.

AWS: every part but the last has at least 5 MiB; completing an upload with a smaller one is refused: EntityTooSmall.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
MiniStack 1.5.33: it is completed.
"""

import sys
import uuid

import boto3
from botocore.exceptions import ClientError

s3 = boto3.client("s3")
bucket = f"small-parts-{uuid.uuid4()}"
s3.create_bucket(Bucket=bucket)
try:
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="file")["UploadId"]
    file = {"Bucket": bucket, "Key": "file", "UploadId": upload_id}
    parts = []
    for number in (1, 2):
        part = s3.upload_part(**file, PartNumber=number, Body=b"far less than 5 MiB")
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    try:
        s3.complete_multipart_upload(**file, MultipartUpload={"Parts": parts})
        refusal = None
    except ClientError as error:
        refusal = error.response["Error"]["Code"]
        s3.abort_multipart_upload(**file)
finally:
    s3.delete_object(Bucket=bucket, Key="file")
    s3.delete_bucket(Bucket=bucket)

if refusal:
    sys.exit(f"S3 refuses an upload with small parts: {refusal}")
print("an upload of two parts of 19 bytes is completed")
