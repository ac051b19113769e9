//! The stack of `template.yaml`, as it is deployed.

use std::fmt;

use aws_sdk_cloudformation::types::TemplateStage;
use aws_sdk_lambda::types::Architecture;
use integration_tests::system::system;
use serde_json::{Map, Value, json};

const STACK: &str = "usage-data-export";

/// The template's parameter `SesIdentity`.
const SES_IDENTITY: &str = "example.com";

/// The properties of a function that are the same in a copy.
const COPIED: [&str; 5] = ["Code", "Handler", "MemorySize", "Runtime", "Timeout"];

/// The template as SAM has expanded it, in its long form.
pub struct Deployed {
    template: Value,
}

/// An action on a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Permission {
    pub action: String,
    /// The resource's name in the template, and the path below it.
    pub place: String,
    /// `null` if there is none.
    pub condition: Value,
}

impl Permission {
    pub fn without_condition(&self) -> Self {
        Self { condition: Value::Null, ..self.clone() }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.action, self.place)?;
        if !self.condition.is_null() {
            write!(formatter, " if {}", self.condition)?;
        }
        Ok(())
    }
}

impl Deployed {
    pub async fn read() -> Self {
        let template = aws_sdk_cloudformation::Client::new(&system().sdk)
            .get_template()
            .stack_name(STACK)
            .template_stage(TemplateStage::Processed)
            .send()
            .await
            .unwrap();
        Self { template: serde_json::from_str(&template.template_body.unwrap()).unwrap() }
    }

    /// A resource of the template.
    pub fn resource(&self, name: &str) -> Value {
        self.template["Resources"][name].clone()
    }

    /// The resources of a type, with their names.
    pub fn resources(&self, kind: &str) -> impl Iterator<Item = (&String, &Value)> {
        let all: &Map<_, _> = self.template["Resources"].as_object().unwrap();
        all.iter().filter(move |(_, resource)| resource["Type"] == kind)
    }

    /// The name of a function's role.
    pub fn role(&self, function: &str) -> String {
        attribute(&self.resource(function)["Properties"]["Role"]).unwrap()
    }

    /// The event source of a function that takes messages from a queue.
    pub fn source(&self, function: &str) -> Option<(&String, &Value)> {
        let is_of = |source: &Value| attribute(&source["Properties"]["FunctionName"]).unwrap() == function;
        self.resources("AWS::Lambda::EventSourceMapping").find(|(_, source)| is_of(source))
    }

    /// What a copy of a function needs: its code, its settings, and its variables with their values.
    pub async fn properties(&self, function: &str) -> Value {
        let of_stack = aws_sdk_cloudformation::Client::new(&system().sdk)
            .describe_stack_resource()
            .stack_name(STACK)
            .logical_resource_id(function)
            .send();
        let name = of_stack.await.unwrap().stack_resource_detail.unwrap().physical_resource_id.unwrap();
        let lambda = aws_sdk_lambda::Client::new(&system().sdk);
        let deployed = lambda.get_function_configuration().function_name(name).send().await.unwrap();
        let mut properties = self.resource(function)["Properties"].take();
        properties.as_object_mut().unwrap().retain(|name, _| COPIED.contains(&name.as_str()));
        properties["Architectures"] = deployed.architectures().iter().map(Architecture::as_str).collect();
        properties["Environment"]["Variables"] =
            json!(deployed.environment.and_then(|environment| environment.variables).unwrap());
        properties
    }

    /// The permissions of a function's role, and what only the emulator asks for.
    pub fn permissions(&self, function: &str) -> Vec<Permission> {
        let role = self.resource(&self.role(function));
        let mut permissions = Vec::new();
        for policy in list(&role["Properties"]["Policies"]) {
            for statement in list(&policy["PolicyDocument"]["Statement"]) {
                permissions.extend(permissions_of(&statement));
            }
        }
        // infra/xtask/local.yaml grants it to the deployed worker and reconciler. Without it the template's own permission is not enough.
        if permissions.iter().any(|permission| permission.action == "ses:SendEmail") {
            let (action, place) = ("ses:SendEmail".to_owned(), "*".to_owned());
            permissions.push(Permission { action, place, condition: Value::Null });
        }
        permissions
    }
}

fn permissions_of(statement: &Value) -> Vec<Permission> {
    let mut permissions = Vec::new();
    for action in list(&statement["Action"]) {
        for resource in list(&statement["Resource"]) {
            permissions.push(Permission {
                action: action.as_str().unwrap().to_owned(),
                place: place(&resource),
                condition: statement["Condition"].clone(),
            });
        }
    }
    permissions
}

/// The resource whose attribute a value is.
fn attribute(value: &Value) -> Option<String> {
    Some(value["Fn::GetAtt"][0].as_str()?.to_owned())
}

/// The short form of a policy's resource: its name in the template and the path below it.
fn place(resource: &Value) -> String {
    if let Some(name) = attribute(resource) {
        return name;
    }
    if let Some(text) = resource["Fn::Sub"].as_str() {
        let text = text.replace("arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:", "");
        return text.replace("${", "").replace(".Arn}", "").replace('}', "");
    }
    match &resource["Fn::If"][1] {
        Value::Null => panic!("not expected in a policy: {resource}"),
        then => place(then),
    }
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    }
}

/// The ARN of a permission's resource in the emulator.
pub fn arn(place: &str) -> String {
    let (outputs, tables) = (&system().outputs, &system().outputs.tables);
    let (name, path) = place.find('/').map_or((place, ""), |at| place.split_at(at));
    let mut url = outputs.queue_url.rsplit('/');
    let (queue, account) = (url.next().unwrap(), url.next().unwrap());
    let of = |service: &str, rest: &str| format!("arn:aws:{service}:{}:{account}:{rest}", outputs.region);
    match name {
        "*" => "*".to_owned(),
        "UsageRecordsTable" => of("dynamodb", &format!("table/{}{path}", tables.usage_records)),
        "DirectoryTable" => of("dynamodb", &format!("table/{}{path}", tables.directory)),
        "AuditTable" => of("dynamodb", &format!("table/{}{path}", tables.audit)),
        "ExportsTable" => of("dynamodb", &format!("table/{}{path}", tables.exports)),
        "ExportBucket" => format!("arn:aws:s3:::{}{path}", outputs.bucket),
        "ExportQueue" => of("sqs", queue),
        "identity" => of("ses", &format!("identity/{SES_IDENTITY}")),
        "configuration-set" => of("ses", place),
        logs if logs.ends_with("Logs") => of("logs", &format!("log-group:{logs}:*")),
        other => panic!("which resource is {other}?"),
    }
}
