//! Alarms, the dashboard and logs: they look at metrics that somebody writes.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use usage_export::export::FailureReason;
use usage_export::metrics::{Metric, NAMESPACE, REASON, STACK};

use crate::{FUNCTIONS, attribute, list, properties, resources, template};

/// Metrics of AWS's own that are looked at.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html>
const OF_AWS: [(&str, &str, &[&str]); 3] = [
    (
        "AWS/SQS",
        "QueueName",
        &[
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
        ],
    ),
    ("AWS/Lambda", "FunctionName", &["ConcurrentExecutions", "Duration", "Errors"]),
    ("AWS/ApiGateway", "ApiId", &["4xx", "5xx", "Count", "Latency"]),
];

/// Asserts that somebody writes a metric with just these dimensions.
fn assert_is_written(namespace: &str, name: &str, dimensions: &[(&str, &str)]) {
    let names: Vec<_> = dimensions.iter().map(|(name, _)| *name).collect();
    if namespace != NAMESPACE {
        let known = OF_AWS.iter().any(|(of, dimension, metrics)| {
            *of == namespace && names == [*dimension] && metrics.contains(&name)
        });
        return assert!(known, "AWS has no metric {namespace} {name} with {names:?}");
    }
    assert!(Metric::ALL.iter().any(|metric| metric.name() == name), "no function writes {name}");
    assert_eq!(names[0], STACK, "{name}");
    if let [_, (other, reason)] = dimensions {
        assert_eq!((*other, name), (REASON, Metric::ExportsFailed.name().as_str()));
        let is_counted =
            |known: &FailureReason| *known != FailureReason::Cancelled && known.name() == *reason;
        assert!(FailureReason::ALL.iter().any(is_counted), "no export fails for {reason}");
    }
}

#[test]
fn each_alarm_looks_at_a_metric_that_is_written_and_tells_the_topic() {
    let alarms = resources("AWS::CloudWatch::Alarm");
    assert_eq!(alarms.len(), 10);
    for (name, alarm) in alarms {
        let alarm = &alarm["Properties"];
        let text = |name: &str| alarm[name].as_str().unwrap_or_default();
        let dimensions = list(&alarm["Dimensions"]);
        let dimensions: Vec<_> =
            dimensions.iter().map(|dimension| (dimension["Name"].as_str().unwrap_or_default(), "")).collect();
        assert_is_written(text("Namespace"), text("MetricName"), &dimensions);
        assert_eq!(alarm["AlarmActions"], json!([{"Ref": "AlarmTopic"}]), "{name}");
        assert_eq!(alarm["OKActions"], alarm["AlarmActions"], "{name}");
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}: a quiet hour is no alarm");
        assert!(text("AlarmDescription").ends_with('.'), "{name}");
    }
}

#[test]
fn each_alarm_is_explained() {
    let guide = include_str!("../../../../docs/operations.md");
    for name in resources("AWS::CloudWatch::Alarm").keys() {
        assert!(guide.contains(&format!("`{name}`")), "docs/operations.md does not say what {name} means");
    }
}

#[test]
fn the_dashboard_shows_every_metric_of_the_product_and_every_alarm() {
    let body = properties("Dashboard")["DashboardBody"]["Fn::Sub"].take();
    let body: Value = serde_json::from_str(body.as_str().expect("a text")).expect("JSON");
    let mut shown = BTreeSet::new();
    let mut reasons = BTreeSet::new();
    for widget in list(&body["widgets"]) {
        for metric in list(&widget["properties"]["metrics"]) {
            let parts: Vec<_> =
                list(&metric).iter().filter_map(|part| part.as_str().map(str::to_owned)).collect();
            let (head, dimensions) = parts.split_at(2);
            let dimensions: Vec<_> =
                dimensions.chunks(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
            assert_is_written(&head[0], &head[1], &dimensions);
            if head[0] == NAMESPACE {
                shown.insert(head[1].clone());
                reasons.extend(dimensions.get(1).map(|(_, reason)| (*reason).to_owned()));
            }
        }
    }
    assert_eq!(shown, Metric::ALL.map(Metric::name).into());
    let counted = FailureReason::ALL.into_iter().filter(|reason| *reason != FailureReason::Cancelled);
    assert_eq!(reasons, counted.map(|reason| reason.name().to_owned()).collect());
    let alarms = resources("AWS::CloudWatch::Alarm");
    let alarms: BTreeSet<_> =
        alarms.keys().map(|name| json!(format!("${{{name}.Arn}}")).to_string()).collect();
    let widgets = list(&body["widgets"]);
    let widget = widgets.iter().find(|widget| widget["type"] == "alarm").expect("the alarms");
    assert_eq!(
        list(&widget["properties"]["alarms"]).iter().map(Value::to_string).collect::<BTreeSet<_>>(),
        alarms
    );
}

/// Those that make a conditional write, or send an email.
#[test]
fn who_writes_metrics_knows_the_stack() {
    for name in FUNCTIONS {
        let stack = &properties(name)["Environment"]["Variables"]["STACK_NAME"];
        let expected =
            if name == "ExportStatusFunction" { Value::Null } else { json!({"Ref": "AWS::StackName"}) };
        assert_eq!(*stack, expected, "{name}");
    }
}

/// A worker that hands over in time never sets the alarm off; one that is stopped always does.
#[test]
fn the_worker_is_near_its_end_when_it_is_late_with_handing_over() {
    let number = |value: &Value| value.as_i64().expect("a number");
    let timeout = number(&properties("ExportWorkerFunction")["Timeout"]) * 1000;
    let alarm = properties("WorkerTimeoutAlarm");
    assert_eq!(alarm["Dimensions"][0]["Value"], json!({"Ref": "ExportWorkerFunction"}));
    // HANDOVER_MARGIN and GIVE_UP_MARGIN of the worker are 60 and 30 seconds.
    let threshold = number(&alarm["Threshold"]);
    assert!(timeout - 30_000 < threshold && threshold < timeout, "{threshold}");
    let age = number(&properties("QueueAgeAlarm")["Threshold"]) * 1000;
    assert!(age > timeout, "a message is not late while its worker runs");
}

#[test]
fn alarms_are_sent_by_email_to_whoever_wants_it() {
    let subscription = template()["Resources"]["AlarmSubscription"].take();
    assert_eq!(subscription["Condition"], "HasAlarmEmail");
    assert_eq!(
        subscription["Properties"],
        json!({"TopicArn": {"Ref": "AlarmTopic"}, "Protocol": "email", "Endpoint": {"Ref": "AlarmEmail"}})
    );
    assert_eq!(template()["Parameters"]["AlarmEmail"]["Default"], "");
    assert_eq!(template()["Outputs"]["AlarmTopicArn"]["Value"], json!({"Ref": "AlarmTopic"}));
}

/// Nothing that a caller writes is in the log: no path, no query, no header, no body.
#[test]
fn the_gateway_logs_what_was_answered_and_nothing_that_was_sent() {
    let settings = properties("HttpStage")["AccessLogSettings"].take();
    assert_eq!(settings["DestinationArn"], attribute("HttpAccessLogs"));
    let format = settings["Format"].as_str().expect("a format");
    assert!(!format.contains('\n'), "one line: {format}");
    let format: Value = serde_json::from_str(format).expect("JSON");
    let variables: BTreeSet<_> =
        format.as_object().expect("members").values().map(Value::to_string).collect();
    let logged = [
        "error.responseType",
        "httpMethod",
        "integration.requestId",
        "integrationLatency",
        "requestId",
        "responseLatency",
        "responseLength",
        "routeKey",
        "status",
    ];
    assert_eq!(variables, logged.map(|name| format!("\"$context.{name}\"")).into());
    assert_eq!(properties("HttpAccessLogs")["RetentionInDays"], json!({"Ref": "LogDays"}));
}

#[test]
fn requests_are_traced_only_where_that_is_asked_for() {
    let tracing = template()["Globals"]["Function"]["Tracing"].take();
    assert_eq!(tracing, json!({"Fn::If": ["RequestsTraced", "Active", "PassThrough"]}));
    assert_eq!(template()["Parameters"]["TraceRequests"]["Default"], "false");
    let policy = template()["Resources"]["TracingPolicy"].take();
    assert_eq!(policy["Condition"], "RequestsTraced");
    let [statement] = list(&policy["Properties"]["PolicyDocument"]["Statement"]).try_into().expect("one");
    assert_eq!(statement["Action"], json!(["xray:PutTraceSegments", "xray:PutTelemetryRecords"]));
    assert_eq!(list(&policy["Properties"]["Roles"]).len(), FUNCTIONS.len());
}
