//! The stack, in the emulator's `CloudFormation`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Capability, Parameter, Stack};

/// The stack of template.yaml.
pub const STACK: &str = "usage-data-export";
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The emulator takes a few seconds; this says that something is stuck.
const TIMEOUT: Duration = Duration::from_mins(2);

/// The stack's `Outputs`.
pub struct StackOutputs(HashMap<String, String>);

impl StackOutputs {
    pub fn get(&self, key: &str) -> Result<String> {
        self.0.get(key).cloned().with_context(|| format!("template.yaml has no output {key}"))
    }
}

/// Creates a stack and waits until all of it is there.
pub async fn create(
    client: &Client,
    name: &str,
    template: &str,
    parameters: &[(&str, &str)],
) -> Result<StackOutputs> {
    let parameters = parameters
        .iter()
        .map(|(key, value)| Parameter::builder().parameter_key(*key).parameter_value(*value).build());
    client
        .create_stack()
        .stack_name(name)
        .template_body(template)
        .capabilities(Capability::CapabilityIam)
        // `sam deploy` goes over a change set, which expands the SAM transform without this.
        .capabilities(Capability::CapabilityAutoExpand)
        .set_parameters(Some(parameters.collect()))
        .send()
        .await
        .with_context(|| format!("the stack {name} cannot be created"))?;
    let stack = finished(client, name).await?;
    let outputs = stack.outputs.unwrap_or_default().into_iter();
    Ok(StackOutputs(outputs.filter_map(|output| Some((output.output_key?, output.output_value?))).collect()))
}

/// The name of a resource of template.yaml, such as a function, by its name there.
pub async fn physical_id(client: &Client, logical_id: &str) -> Result<String> {
    let resource =
        client.describe_stack_resource().stack_name(STACK).logical_resource_id(logical_id).send().await?;
    resource
        .stack_resource_detail
        .and_then(|detail| detail.physical_resource_id)
        .with_context(|| format!("the stack has no {logical_id}"))
}

async fn finished(client: &Client, name: &str) -> Result<Stack> {
    let started = Instant::now();
    loop {
        let stacks = client.describe_stacks().stack_name(name).send().await?.stacks.unwrap_or_default();
        let stack = stacks.into_iter().next().with_context(|| format!("the stack {name} is gone"))?;
        let status = stack.stack_status.as_ref().map_or("", |status| status.as_str());
        match status {
            "CREATE_COMPLETE" => return Ok(stack),
            _ if !status.ends_with("_IN_PROGRESS") => {
                bail!("the stack {name} ended as {status}:\n{}", failures(client, name).await?)
            }
            _ if started.elapsed() > TIMEOUT => bail!("the stack {name} is still {status} after {TIMEOUT:?}"),
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

/// The events that tell why, one a line.
async fn failures(client: &Client, name: &str) -> Result<String> {
    let events =
        client.describe_stack_events().stack_name(name).send().await?.stack_events.unwrap_or_default();
    let failed = events.iter().filter(|event| {
        event.resource_status.as_ref().is_some_and(|status| status.as_str().ends_with("_FAILED"))
    });
    let lines = failed.map(|event| {
        let resource = event.logical_resource_id.as_deref().unwrap_or("?");
        format!("  {resource}: {}", event.resource_status_reason.as_deref().unwrap_or("no reason given"))
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}
