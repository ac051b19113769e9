//! The proxy in front of a small server.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::*;

const ANSWER: &[u8] = b"{\"Items\":[{\"credit_cost\":{\"N\":\"0.0125\"}}]}";

/// Keeps what it got, as method, path, a header and body.
#[derive(Clone, Default)]
struct Emulator(Arc<Mutex<Vec<String>>>);

impl Emulator {
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let got = self.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let got = got.clone();
                let service = service_fn(move |request| got.clone().answer(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        url
    }

    async fn answer(self, request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let host = head.headers["host"].to_str().unwrap().split(':').next().unwrap();
        let line = format!("{} {} {host} {}", head.method, head.uri, String::from_utf8_lossy(&body));
        self.0.lock().unwrap().push(line);
        let mut answer = Response::new(Full::from(ANSWER));
        answer.headers_mut().insert("x-amz-crc32", "123".parse().unwrap());
        Ok(answer)
    }

    fn got(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct Setting {
    emulator: Emulator,
    faults: Faults,
    proxy: Proxy,
}

impl Setting {
    async fn with(rules: Vec<Rule>) -> Self {
        let emulator = Emulator::default();
        let faults = Faults::new(1);
        faults.set(rules);
        let killer = Killer::new(std::process::id().try_into().unwrap());
        let proxy = Proxy::start(0, &emulator.start().await, faults.clone(), killer).await.unwrap();
        Self { emulator, faults, proxy }
    }

    /// Makes a call of an operation of `DynamoDB`. `None` if there is no answer, or not all of it.
    async fn call(&self, operation: &str) -> Option<(Response<()>, Bytes)> {
        let request = Request::post(format!("http://{}/a%2Fb?c=d", self.proxy.address))
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .body(Full::new(Bytes::from("question")))
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let (head, body) = client.request(request).await.ok()?.into_parts();
        Some((Response::from_parts(head, ()), body.collect().await.ok()?.to_bytes()))
    }
}

#[tokio::test]
async fn calls_without_a_fault_are_forwarded_unchanged() {
    let setting = Setting::with(Vec::new()).await;
    let (head, body) = setting.call("Query").await.unwrap();
    assert_eq!((head.status(), &head.headers()["x-amz-crc32"]), (StatusCode::OK, &HeaderValue::from(123)));
    assert_eq!(body, ANSWER);
    assert_eq!(setting.emulator.got(), ["POST /a%2Fb?c=d 127.0.0.1 question"]);
    assert_eq!(setting.faults.counts()["Query"], Counts { calls: 1, faults: [].into() });
}

#[tokio::test]
async fn a_refused_call_does_not_reach_the_emulator() {
    let throttle = Rule::new(Fault::Throttle).on(&["Query"]);
    let refuse = Rule::new(Fault::Refuse).on(&["PutItem"]);
    let setting = Setting::with(vec![throttle, refuse, Rule::new(Fault::ServerError)]).await;
    let (head, body) = setting.call("Query").await.unwrap();
    assert_eq!(head.status(), StatusCode::BAD_REQUEST);
    assert!(String::from_utf8_lossy(&body).contains("ProvisionedThroughputExceededException"));
    let (head, body) = setting.call("PutItem").await.unwrap();
    assert_eq!(head.status(), StatusCode::BAD_REQUEST);
    assert!(String::from_utf8_lossy(&body).contains("ValidationException"));
    let (head, _) = setting.call("GetItem").await.unwrap();
    assert_eq!(head.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(setting.emulator.got().is_empty());
}

#[tokio::test]
async fn a_lost_request_does_not_reach_the_emulator_and_a_lost_answer_does() {
    let setting =
        Setting::with(vec![Rule::new(Fault::LoseRequest).nth(1), Rule::new(Fault::LoseAnswer).nth(1)]).await;
    assert!(setting.call("UpdateItem").await.is_none());
    assert_eq!(setting.emulator.got().len(), 0);
    assert!(setting.call("UpdateItem").await.is_none());
    assert_eq!(setting.emulator.got().len(), 1);
    assert!(setting.call("UpdateItem").await.is_some());
}

#[tokio::test]
async fn a_truncated_answer_is_an_error_of_its_body() {
    let setting = Setting::with(vec![Rule::new(Fault::Truncate)]).await;
    assert!(setting.call("Query").await.is_none());
    assert_eq!(setting.emulator.got().len(), 1);
}

#[tokio::test]
async fn one_bit_is_flipped() {
    let setting = Setting::with(vec![Rule::new(Fault::FlipBit)]).await;
    let (head, body) = setting.call("Query").await.unwrap();
    assert_eq!(head.headers()["x-amz-crc32"], "123");
    assert_eq!(body.len(), ANSWER.len());
    let changed: u32 = body.iter().zip(ANSWER).map(|(a, b)| (a ^ b).count_ones()).sum();
    assert_eq!(changed, 1);
}

#[tokio::test]
async fn a_duplicate_reaches_the_emulator_twice() {
    let setting = Setting::with(vec![Rule::new(Fault::Duplicate).on(&["SendMessage"])]).await;
    assert_eq!(setting.call("SendMessage").await.unwrap().1, ANSWER);
    assert_eq!(setting.emulator.got().len(), 2);
}

#[tokio::test]
async fn a_delayed_call_takes_longer() {
    let delay = Duration::from_millis(200);
    let setting = Setting::with(vec![Rule::new(Fault::Delay(delay))]).await;
    let began = Instant::now();
    assert_eq!(setting.call("Query").await.unwrap().1, ANSWER);
    assert!(began.elapsed() >= delay);
    assert_eq!((setting.faults.total(), setting.faults.count("Query", &[Fault::Delay(delay)])), (0, 1));
}

/// A worker: a shell that makes one call and prints the first line of the answer.
fn start_worker(proxy: &Proxy) -> Child {
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{}; \
         printf 'GET /worker HTTP/1.1\\r\\nhost: h\\r\\n\\r\\n' >&3; read -r line <&3; echo \"$line\"",
        proxy.address.port()
    );
    let mut command = Command::new("bash");
    command.args(["-c", &script]).env("AWS_LAMBDA_FUNCTION_NAME", "a-ExportWorkerFunction-1");
    command.stdout(Stdio::piped()).spawn().unwrap()
}

async fn output_of_worker(proxy: &Proxy) -> Output {
    let worker = start_worker(proxy);
    tokio::task::spawn_blocking(|| worker.wait_with_output().unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_worker_is_killed_before_or_after_its_call_took_place() {
    let late = Duration::from_millis(300);
    let faults = [Fault::KillBefore, Fault::KillAfter, Fault::KillAndSendLate(late)];
    let setting = Setting::with(faults.map(|fault| Rule::new(fault).nth(1)).to_vec()).await;
    for (calls, calls_later) in [(0, 0), (1, 1), (1, 2)] {
        let output = output_of_worker(&setting.proxy).await;
        assert_eq!(output.status.signal(), Some(9));
        assert_eq!(setting.emulator.got().len(), calls);
        tokio::time::sleep(2 * late).await;
        assert_eq!(setting.emulator.got().len(), calls_later);
    }
    assert_eq!(setting.faults.kills(), 3);
}

#[tokio::test]
async fn a_frozen_worker_gets_its_answer_when_it_wakes() {
    let time = Duration::from_millis(500);
    let setting = Setting::with(vec![Rule::new(Fault::Freeze(time))]).await;
    let began = Instant::now();
    let output = output_of_worker(&setting.proxy).await;
    assert!(began.elapsed() >= time);
    assert_eq!(output.stdout, b"HTTP/1.1 200 OK\r\n");
}
