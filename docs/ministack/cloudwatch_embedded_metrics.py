"""CloudWatch: a line of the log in the embedded metric format becomes no metric.

AWS: its figures are metrics.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
MiniStack 1.5.33: it is a line of the log and nothing else.
"""

import json
import sys
import time
import uuid

import boto3

logs, cloudwatch = boto3.client("logs"), boto3.client("cloudwatch")
name = f"embedded-{uuid.uuid4()}"
now = int(time.time() * 1000)
directive = {"Namespace": name, "Dimensions": [["Stack"]], "Metrics": [{"Name": "Rows", "Unit": "Count"}]}
line = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]}, "Stack": "one", "Rows": 3}
logs.create_log_group(logGroupName=name)
try:
    logs.create_log_stream(logGroupName=name, logStreamName="one")
    event = {"timestamp": now, "message": json.dumps(line)}
    logs.put_log_events(logGroupName=name, logStreamName="one", logEvents=[event])
    time.sleep(1)
    metrics = cloudwatch.list_metrics(Namespace=name)["Metrics"]
finally:
    logs.delete_log_group(logGroupName=name)

print(f"metrics: {metrics}")
if metrics:
    sys.exit("the line became a metric")
