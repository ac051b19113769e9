//! Stacks in the emulator's `CloudFormation`. The SAM CLI deploys the product's, as it does on AWS.

use std::collections::HashMap;
use std::env;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::client::Waiters as _;
use aws_sdk_cloudformation::types::{Capability, Parameter};

use super::aws;
use crate::command;
use crate::prepare::sam::Sam;

/// Name of the stack of template.yaml.
pub const STACK: &str = "usage-data-export";

/// The emulator takes a moment.
const CREATE_TIMEOUT: Duration = Duration::from_mins(1);

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

/// Deploys template.yaml to the emulator at `endpoint_url` with `sam deploy`, and waits until that is done.
///
/// # Errors
///
/// Fails if it does not succeed; the error has what `sam` printed, with the events that say why.
pub async fn deploy(
    sam: &Sam,
    endpoint_url: &str,
    template: &Path,
    parameters: &[(&str, &str)],
) -> Result<()> {
    let mut deploy = sam.command();
    // Nothing of the caller's own settings for AWS, in which an address other than the emulator's may be.
    for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"AWS_")) {
        deploy.env_remove(name);
    }
    deploy.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    deploy.args(["deploy", "--stack-name", STACK, "--region", aws::REGION, "--template-file"]).arg(template);
    deploy.args([
        "--resolve-s3",
        "--capabilities",
        "CAPABILITY_IAM",
        "--no-progressbar",
        "--no-confirm-changeset",
    ]);
    deploy.arg("--parameter-overrides");
    deploy.args(parameters.iter().map(|(name, value)| format!("{name}={value}")));
    deploy.env("AWS_ENDPOINT_URL", endpoint_url);
    deploy.env("AWS_ACCESS_KEY_ID", aws::ROOT_KEY).env("AWS_SECRET_ACCESS_KEY", aws::ROOT_KEY);
    command::output(&mut deploy).await?;
    Ok(())
}

/// Makes a stack of a template that is never deployed to AWS, and waits until it is there.
///
/// # Errors
///
/// Fails if it does not succeed.
pub async fn create(client: &Client, stack: &str, template: &str, parameters: &[(&str, &str)]) -> Result<()> {
    let mut create = client
        .create_stack()
        .stack_name(stack)
        .template_body(template)
        .capabilities(Capability::CapabilityIam);
    for (name, value) in parameters {
        create = create.parameters(Parameter::builder().parameter_key(*name).parameter_value(*value).build());
    }
    create.send().await.with_context(|| format!("the stack {stack} cannot be made"))?;
    let made = client.wait_until_stack_create_complete().stack_name(stack);
    made.wait(CREATE_TIMEOUT).await.with_context(|| format!("the stack {stack} was not made"))?;
    Ok(())
}

/// The outputs of the stack of template.yaml.
///
/// # Errors
///
/// Fails if there is no such stack.
pub async fn outputs(client: &Client) -> Result<StackOutputs> {
    outputs_of(client, STACK).await
}

/// The outputs of a stack of template.yaml that has another name.
///
/// # Errors
///
/// Fails if there is no such stack.
pub async fn outputs_of(client: &Client, name: &str) -> Result<StackOutputs> {
    let stacks = client.describe_stacks().stack_name(name).send().await?.stacks.unwrap_or_default();
    let stack = stacks.into_iter().next().with_context(|| format!("the stack {name} is gone"))?;
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
