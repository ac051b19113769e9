"""SQS: messages of a dead-letter queue cannot be moved back.

AWS: StartMessageMoveTask moves them to the queues that they came from.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
MiniStack 1.5.33: InvalidAction. ListMessageMoveTasks and CancelMessageMoveTask are missing as well.
"""

import json
import sys
import uuid

import boto3
from botocore.exceptions import ClientError

sqs = boto3.client("sqs")
name = f"move-task-{uuid.uuid4()}"
dead_letters = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
attributes = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]
redrive = {"deadLetterTargetArn": attributes["QueueArn"], "maxReceiveCount": 1}
queue = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(redrive)})["QueueUrl"]
try:
    sqs.start_message_move_task(SourceArn=attributes["QueueArn"])
    is_missing = False
except ClientError as error:
    if error.response["Error"]["Code"] != "InvalidAction":
        raise
    print(error)
    is_missing = True
finally:
    sqs.delete_queue(QueueUrl=queue)
    sqs.delete_queue(QueueUrl=dead_letters)

if not is_missing:
    sys.exit("SQS has StartMessageMoveTask")
