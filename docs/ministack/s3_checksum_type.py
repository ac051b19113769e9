"""S3: the checksum of an upload in parts is always COMPOSITE.

AWS: an upload that asks for ChecksumType FULL_OBJECT gets it, and may be completed with the CRC-32 of the whole object.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
MiniStack 1.5.33: CreateMultipartUpload answers COMPOSITE, and CompleteMultipartUpload refuses the right CRC-32: BadDigest.
"""

import base64
import sys
import uuid
import zlib

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CONTENT = b"of one part"

# By default, a request is sent again after BadDigest.
s3 = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))
bucket = f"checksum-type-{uuid.uuid4()}"
s3.create_bucket(Bucket=bucket)
try:
    upload = s3.create_multipart_upload(
        Bucket=bucket, Key="file", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT"
    )
    print("asked for FULL_OBJECT, got", upload["ChecksumType"])
    file = {"Bucket": bucket, "Key": "file", "UploadId": upload["UploadId"]}
    part = s3.upload_part(**file, PartNumber=1, Body=CONTENT, ChecksumAlgorithm="CRC32")
    parts = [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}]
    crc32 = base64.b64encode(zlib.crc32(CONTENT).to_bytes(4, "big")).decode()
    try:
        s3.complete_multipart_upload(
            **file, MultipartUpload={"Parts": parts}, ChecksumCRC32=crc32, ChecksumType="FULL_OBJECT"
        )
        refused = False
    except ClientError as error:
        print("completing with the CRC-32 of the whole object:", error)
        refused = True
        s3.abort_multipart_upload(**file)
finally:
    s3.delete_object(Bucket=bucket, Key="file")
    s3.delete_bucket(Bucket=bucket)

if upload["ChecksumType"] == "FULL_OBJECT" and not refused:
    sys.exit("S3 takes the checksum of a whole object")
