"""CloudFormation: the Body of an HTTP API makes no routes.

AWS: the OpenAPI document in Body becomes routes and integrations. AWS::Serverless::HttpApi expands to such a Body.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-api.html
MiniStack 1.5.33: the stack is CREATE_COMPLETE, the API has no routes, and each request is answered 404.
"""

import json
import sys
import uuid

import boto3

BODY = {
    "openapi": "3.0.1",
    "info": {"title": "hello", "version": "1"},
    "paths": {
        "/hello": {
            "get": {
                "responses": {},
                "x-amazon-apigateway-integration": {
                    "type": "HTTP_PROXY",
                    "httpMethod": "GET",
                    "uri": "https://example.com",
                    "payloadFormatVersion": "1.0",
                },
            }
        }
    },
}
API = {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": BODY}}

cloudformation, gateway = boto3.client("cloudformation"), boto3.client("apigatewayv2")
stack = f"http-api-body-{uuid.uuid4()}"
cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": {"Api": API}}))
try:
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    routes = gateway.get_routes(ApiId=resources[0]["PhysicalResourceId"])["Items"]
finally:
    cloudformation.delete_stack(StackName=stack)

print("routes:", [route["RouteKey"] for route in routes], "instead of ['GET /hello']")
if routes:
    sys.exit("CloudFormation makes the routes that the Body of an HTTP API has")
