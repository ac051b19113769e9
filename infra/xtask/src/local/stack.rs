//! Creating stacks in the emulator's `CloudFormation`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Capability, Parameter, Stack};

/// Name of the stack of template.yaml.
pub const STACK: &str = "usage-data-export";
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// The emulator takes a few seconds; after this time something is stuck.
const CREATE_TIMEOUT: Duration = Duration::from_mins(2);

/// The `Outputs` of a stack.
pub struct StackOutputs(HashMap<String, String>);

impl StackOutputs {
    /// The value of one output.
    ///
    /// # Errors
    ///
    /// Fails if the template has no such output.
    pub fn get(&self, key: &str) -> Result<String> {
        self.0.get(key).cloned().with_context(|| format!("template.yaml has no output {key}"))
    }
}

/// Creates a stack and waits until it is complete.
///
/// # Errors
///
/// Fails if the stack cannot be created or is not complete after two minutes; the error shows the events that say why.
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
        // Expands the SAM transform. `sam deploy` does without it, because it creates a change set.
        .capabilities(Capability::CapabilityAutoExpand)
        .set_parameters(Some(parameters.collect()))
        .send()
        .await
        .with_context(|| format!("the stack {name} cannot be created"))?;
    let stack = wait_until_created(client, name).await?;
    let outputs = stack.outputs.unwrap_or_default().into_iter();
    Ok(StackOutputs(outputs.filter_map(|output| Some((output.output_key?, output.output_value?))).collect()))
}

/// Finds the name that a resource of template.yaml has got, such as the name of a function.
///
/// # Errors
///
/// Fails if the stack has no such resource.
pub async fn physical_id(client: &Client, logical_id: &str) -> Result<String> {
    let resource =
        client.describe_stack_resource().stack_name(STACK).logical_resource_id(logical_id).send().await?;
    resource
        .stack_resource_detail
        .and_then(|detail| detail.physical_resource_id)
        .with_context(|| format!("the stack has no {logical_id}"))
}

async fn wait_until_created(client: &Client, name: &str) -> Result<Stack> {
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
            _ if started.elapsed() > CREATE_TIMEOUT => {
                bail!("the stack {name} is still {status} after {CREATE_TIMEOUT:?}")
            }
            _ => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
}

/// The events that say why it failed, one a line.
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
