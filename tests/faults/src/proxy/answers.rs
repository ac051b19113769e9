//! Answers that the proxy makes itself, and answers that it spoils.

use std::io;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::Response;
use hyper::body::{Bytes, Frame};

use super::operation::Service;

/// What is sent to a function. It ends with an error if the answer is cut off.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Between the last byte of a cut answer and the end of the connection, so that the byte is sent.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// The answer unchanged.
pub fn whole(answer: Response<Bytes>) -> Response<Body> {
    answer.map(full)
}

/// The answer without its second half. `None` if it has no body to cut.
pub fn truncated(answer: Response<Bytes>) -> Option<Response<Body>> {
    if answer.body().len() < 2 {
        return None;
    }
    Some(answer.map(|body| {
        let first_half = Ok(Frame::data(body.slice(..body.len() / 2)));
        let cut = async {
            tokio::time::sleep(BEFORE_CUT).await;
            Err(io::Error::other("cut off on purpose"))
        };
        StreamBody::new(stream::once(async { first_half }).chain(stream::once(cut))).boxed_unsync()
    }))
}

/// The answer with the bit at this place changed. The place is taken modulo the size.
pub fn with_flipped_bit(answer: Response<Bytes>, bit: usize) -> Response<Body> {
    answer.map(|body| {
        let mut bytes = body.to_vec();
        if let Some(size) = (bytes.len() * 8).checked_sub(1) {
            let bit = bit % (size + 1);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        full(Bytes::from(bytes))
    })
}

/// The service refuses the call because there are too many.
pub fn throttled(service: Service) -> Response<Body> {
    match service {
        // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
        Service::DynamoDb => json(400, "ProvisionedThroughputExceededException"),
        // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
        Service::S3 => xml(503, "SlowDown"),
        // https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
        Service::Ses => json(429, "TooManyRequestsException"),
        // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
        Service::Sqs => json(400, "RequestThrottled"),
    }
}

/// The service refuses the call as one that can never succeed.
pub fn refused(service: Service) -> Response<Body> {
    match service {
        Service::DynamoDb => json(400, "ValidationException"),
        Service::S3 => xml(400, "InvalidArgument"),
        Service::Ses => json(400, "BadRequestException"),
        Service::Sqs => json(400, "InvalidParameterValue"),
    }
}

/// The service has failed. That of SES has no code, as when a load balancer answers in its place.
pub fn server_error(service: Service) -> Response<Body> {
    match service {
        Service::DynamoDb => json(500, "InternalServerError"),
        Service::S3 => xml(500, "InternalError"),
        Service::Ses => answer(500, "text/html", "<html><body>Internal Server Error</body></html>"),
        Service::Sqs => json(500, "InternalFailure"),
    }
}

fn json(status: u16, code: &str) -> Response<Body> {
    let text = format!(r#"{{"__type":"com.amazonaws#{code}","message":"a fault on purpose"}}"#);
    let mut answer = answer(status, "application/x-amz-json-1.0", &text);
    // SES puts the code here.
    answer.headers_mut().insert("x-amzn-errortype", code.parse().expect("a code is plain text"));
    answer
}

fn xml(status: u16, code: &str) -> Response<Body> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>a fault on purpose</Message></Error>"
    );
    answer(status, "application/xml", &text)
}

fn answer(status: u16, content_type: &str, text: &str) -> Response<Body> {
    let answer = Response::builder().status(status).header("content-type", content_type);
    answer.body(full(Bytes::from(text.to_owned()))).expect("a status and a header that are valid")
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}
