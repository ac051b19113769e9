//! The system under test, which `cargo xtask test` has brought up.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Credentials;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use chrono::{DateTime, SubsecRound, Utc};
use serde::Deserialize;

/// The one system that all tests share; an error if there is none.
static SYSTEM: LazyLock<Result<System, String>> = LazyLock::new(System::find);

thread_local! {
    /// The system of a thread that has one of its own.
    static OF_THREAD: Cell<Option<&'static System>> = const { Cell::new(None) };
}

/// Addresses, names and clients.
pub struct System {
    pub outputs: Outputs,
    pub http: reqwest::Client,
    /// Where the services are, for clients of a test's own.
    pub sdk: SdkConfig,
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub s3: aws_sdk_s3::Client,
    pub sqs: aws_sdk_sqs::Client,
}

/// `outputs.json`, whose path is in the variable `USAGE_EXPORT_OUTPUTS`.
#[derive(Deserialize)]
pub struct Outputs {
    pub api_url: String,
    pub page_url: String,
    #[serde(default)]
    pub backend: Backend,
    pub endpoint_url: String,
    #[serde(default)]
    pub service_endpoint_urls: ServiceEndpointUrls,
    pub region: String,
    #[serde(default = "root_key")]
    access_key_id: String,
    #[serde(default = "root_key")]
    secret_access_key: String,
    pub tables: Tables,
    pub bucket: String,
    pub queue_url: String,
    pub dlq_url: String,
}

/// What stands in for AWS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    #[default]
    Ministack,
    DynamodbLocal,
    Localstack,
}

/// Where a service is served by something else than the emulator: by its name in the variables
/// `AWS_ENDPOINT_URL_<SERVICE>` of SDKs, in small letters.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ServiceEndpointUrls(BTreeMap<String, String>);

impl ServiceEndpointUrls {
    /// Where to call a service, unless the emulator serves it.
    pub fn get(&self, service: &str) -> Option<&str> {
        self.0.get(service).map(String::as_str)
    }
}

impl LoadServiceConfig for ServiceEndpointUrls {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_lowercase().replace(' ', "_");
        (key.env() == "AWS_ENDPOINT_URL").then(|| self.0.get(&service).cloned()).flatten()
    }
}

/// Names of the tables.
#[derive(Deserialize)]
pub struct Tables {
    pub usage_records: String,
    pub directory: String,
    pub exports: String,
    /// Empty for a stack of an earlier version, which has none.
    #[serde(default)]
    pub audit: String,
}

/// The key of the root of the emulator's account.
fn root_key() -> String {
    "test".to_owned()
}

/// The system. Panics if there is none.
pub fn system() -> &'static System {
    if let Some(system) = OF_THREAD.get() {
        return system;
    }
    SYSTEM.as_ref().unwrap_or_else(|reason| panic!("{reason}: run these tests with `cargo xtask test`"))
}

/// Makes the system with this `outputs.json` the one of this thread, in place of the one that all share. Panics if there is
/// none.
pub fn use_on_this_thread(outputs: &Path) {
    let system = System::of(outputs).unwrap_or_else(|reason| panic!("{reason}"));
    OF_THREAD.set(Some(Box::leak(Box::new(system))));
}

/// The current time, cut to milliseconds because the tables have no more.
pub fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "tests make records of the past and of the future")]
    Utc::now().trunc_subsecs(3)
}

/// The value of a variable that `cargo xtask test` sets. Panics if it is not set.
pub fn given(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run these tests with `cargo xtask test`"))
}

impl Outputs {
    /// The variables in which programs that call AWS find the emulator, and what stands in for some of its services.
    pub fn aws_variables(&self) -> impl Iterator<Item = (String, &str)> {
        let emulator = [
            ("AWS_ENDPOINT_URL", self.endpoint_url.as_str()),
            ("AWS_REGION", &self.region),
            // boto3 reads this one.
            ("AWS_DEFAULT_REGION", &self.region),
            ("AWS_ACCESS_KEY_ID", &self.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", &self.secret_access_key),
        ];
        let services = self.service_endpoint_urls.0.iter();
        let services =
            services.map(|(name, url)| (format!("AWS_ENDPOINT_URL_{}", name.to_uppercase()), url.as_str()));
        emulator.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(services)
    }
}

impl System {
    fn find() -> Result<Self, String> {
        let path = std::env::var_os("USAGE_EXPORT_OUTPUTS")
            .ok_or("USAGE_EXPORT_OUTPUTS is not set, so there is no deployed system to test")?;
        Self::of(Path::new(&path))
    }

    fn of(path: &Path) -> Result<Self, String> {
        let text =
            std::fs::read(path).map_err(|error| format!("{} cannot be read ({error})", path.display()))?;
        let outputs: Outputs = serde_json::from_slice(&text)
            .map_err(|error| format!("{} is not as expected ({error})", path.display()))?;
        let http = reqwest::Client::builder()
            .no_proxy()
            // Tests look at redirects themselves.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let credentials =
            Credentials::new(&outputs.access_key_id, &outputs.secret_access_key, None, None, "tests");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(outputs.region.clone()))
            .endpoint_url(&outputs.endpoint_url)
            .service_config(outputs.service_endpoint_urls.clone())
            .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(credentials))
            .build();
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            s3: aws_sdk_s3::Client::new(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            sdk,
            http,
            outputs,
        })
    }
}
