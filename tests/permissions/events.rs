//! The events that functions get from AWS, and what they answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use integration_tests::api::{Answer, Call};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

/// The event that API Gateway makes of a request.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
pub fn http_event(call: &Call) -> Value {
    let mut event: Value = serde_json::from_str(include_str!("../../events/export_data.json")).unwrap();
    let (method, path) = (call.method.as_str(), call.url.path());
    event["rawPath"] = path.into();
    event["rawQueryString"] = call.url.query().unwrap_or_default().into();
    let parameters = call.url.query_pairs().map(|(name, value)| (name.into_owned(), value.into()));
    event["queryStringParameters"] = Value::Object(parameters.collect());
    let (cookies, headers): (Vec<_>, Vec<_>) =
        call.headers.iter().partition(|(name, _)| name.eq_ignore_ascii_case("cookie"));
    event["cookies"] = cookies.into_iter().map(|(_, value)| value.clone()).collect();
    event["headers"] =
        headers.into_iter().map(|(name, value)| (name.to_lowercase(), value.as_str())).collect();
    event["requestContext"]["http"]["method"] = method.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["body"] = String::from_utf8(call.body.clone()).unwrap().into();
    event
}

/// The answer that API Gateway makes of a function's response.
pub fn answer(response: &Value) -> Answer {
    let mut headers = HeaderMap::new();
    for (name, value) in response["headers"].as_object().into_iter().flatten() {
        let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
        headers.insert(name.parse::<HeaderName>().unwrap(), value);
    }
    let body = response["body"].as_str().unwrap_or_default();
    let is_base64 = response["isBase64Encoded"] == true;
    Answer {
        status: u16::try_from(response["statusCode"].as_u64().unwrap()).unwrap(),
        headers,
        body: if is_base64 { STANDARD.decode(body).unwrap() } else { body.as_bytes().to_vec() },
    }
}

/// The event of a queue with one message.
pub fn message_event(body: &str, receipt_handle: Option<&str>) -> Value {
    let mut event: Value = serde_json::from_str(include_str!("../../events/sqs_export.json")).unwrap();
    event["Records"][0]["body"] = body.into();
    event["Records"][0]["receiptHandle"] = receipt_handle.into();
    event
}

/// The event of the reconciler's schedule.
pub fn scheduled_event() -> Value {
    json!({"source": "aws.events", "detail-type": "Scheduled Event"})
}
