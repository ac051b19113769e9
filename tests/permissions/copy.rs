//! A copy of a deployed function with a role of its own, in a stack of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_cloudformation::types::Capability;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use integration_tests::api::{Answer, Call};
use integration_tests::system::system;
use integration_tests::{random_id, wait_for};
use serde_json::{Value, json};

use crate::deployed::{Deployed, Permission, arn};
use crate::events::{answer, http_event};

/// The reconciler sends to the queue of the deployed worker, because it finds the exports of other tests too.
const USES_DEPLOYED_QUEUE: &str = "ExportReconcilerFunction";

/// What a function logs of a call that AWS refuses for want of a permission. An answer to `HEAD` has no code.
const REFUSALS: [&str; 2] = ["AccessDenied", "HTTP 403"];

/// A function that is called by the test. It has an `ExportQueue` and an `ExportDeadLetterQueue` of its own, from which nothing
/// but an event source of its own takes messages.
pub struct FunctionCopy {
    stack: String,
    name: String,
    was_refused: AtomicBool,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
}

impl FunctionCopy {
    /// Deploys a copy with these permissions, and with the function's event source if it is `polling`.
    pub async fn deploy(
        deployed: &Deployed,
        function: &str,
        permissions: &[Permission],
        is_polling: bool,
    ) -> Self {
        let template = template(deployed, function, permissions, is_polling).await;
        let stack = random_id("copy").replace('_', "-");
        let client = CloudFormation::new(&system().sdk);
        let create = client.create_stack().stack_name(&stack).template_body(template.to_string());
        create.capabilities(Capability::CapabilityIam).send().await.unwrap();
        let outputs = wait_for("a copy of a function", async || {
            let stacks = client.describe_stacks().stack_name(&stack).send().await.unwrap().stacks.unwrap();
            let status = stacks[0].stack_status().unwrap().as_str();
            assert!(["CREATE_IN_PROGRESS", "CREATE_COMPLETE"].contains(&status), "{:?}", stacks[0]);
            (status == "CREATE_COMPLETE").then(|| stacks[0].outputs().to_vec())
        })
        .await;
        let output = |key: &str| {
            let output = outputs.iter().find(|output| output.output_key() == Some(key)).unwrap();
            output.output_value().unwrap().to_owned()
        };
        Self {
            name: output("Function"),
            was_refused: AtomicBool::default(),
            queue_url: output("Queue"),
            dead_letter_queue_url: output("DeadLetterQueue"),
            stack,
        }
    }

    /// Takes the copy away, and with it its process, which the emulator leaves behind if only the stack is deleted.
    pub async fn delete(self) {
        let lambda = aws_sdk_lambda::Client::new(&system().sdk);
        lambda.delete_function().function_name(self.name).send().await.unwrap();
        let client = CloudFormation::new(&system().sdk);
        client.delete_stack().stack_name(self.stack).send().await.unwrap();
    }

    /// Calls the function as the gateway does.
    pub async fn answer(&self, call: &Call) -> Answer {
        let response = self.invoke(&http_event(call)).await;
        answer(&response.unwrap_or_else(|error| panic!("the function failed: {error}")))
    }

    /// Calls the function with an event. What it failed with is the error.
    pub async fn invoke(&self, event: &Value) -> Result<Value, Value> {
        let lambda = aws_sdk_lambda::Client::new(&system().sdk);
        let payload = Blob::new(event.to_string());
        let call = lambda.invoke().function_name(&self.name).log_type(LogType::Tail).payload(payload);
        let invoked = call.send().await.unwrap();
        let log = STANDARD.decode(invoked.log_result.unwrap_or_default()).unwrap();
        let log = String::from_utf8_lossy(&log);
        if REFUSALS.iter().any(|refusal| log.contains(refusal)) {
            self.was_refused.store(true, Ordering::Relaxed);
        }
        let answer = serde_json::from_slice(invoked.payload.unwrap().as_ref()).unwrap();
        if invoked.function_error.is_some() { Err(answer) } else { Ok(answer) }
    }

    /// Whether the function has logged that it may not do something.
    pub fn was_refused(&self) -> bool {
        self.was_refused.load(Ordering::Relaxed)
    }
}

async fn template(
    deployed: &Deployed,
    function: &str,
    permissions: &[Permission],
    is_polling: bool,
) -> Value {
    let has_queue = function != USES_DEPLOYED_QUEUE;
    let statements: Vec<_> = permissions.iter().map(|permission| statement(permission, has_queue)).collect();
    let mut role = deployed.resource(&deployed.role(function));
    role["Properties"]["Policies"] = json!([{
        "PolicyName": "copy",
        "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
    }]);
    let mut properties = deployed.properties(function).await;
    properties["Role"] = json!({"Fn::GetAtt": [deployed.role(function), "Arn"]});
    let variables = &mut properties["Environment"]["Variables"];
    for (name, queue, is_own) in
        [("QUEUE_URL", "ExportQueue", has_queue), ("DEAD_LETTER_QUEUE_URL", "ExportDeadLetterQueue", true)]
    {
        if is_own && variables[name].is_string() {
            variables[name] = json!({"Ref": queue});
        }
    }
    let mut resources = json!({
        function: {"Type": "AWS::Lambda::Function", "Properties": properties},
        deployed.role(function): role,
        "ExportQueue": deployed.resource("ExportQueue"),
        "ExportDeadLetterQueue": deployed.resource("ExportDeadLetterQueue"),
    });
    if let Some((name, source)) = deployed.source(function).filter(|_| is_polling) {
        resources[name] = source.clone();
    }
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": resources,
        "Outputs": {
            "Function": {"Value": {"Ref": function}},
            "Queue": {"Value": {"Ref": "ExportQueue"}},
            "DeadLetterQueue": {"Value": {"Ref": "ExportDeadLetterQueue"}},
        },
    })
}

fn statement(permission: &Permission, has_queue: bool) -> Value {
    let Permission { action, place, condition } = permission;
    let is_own = place == "ExportDeadLetterQueue" || place == "ExportQueue" && has_queue;
    let resource = if is_own { json!({"Fn::GetAtt": [place, "Arn"]}) } else { json!(arn(place)) };
    let mut statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    statement
}
