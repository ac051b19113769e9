//! Requests that schemathesis makes of the API document, valid ones and others, one at a time and in sequences, to a system of their
//! own. Every answer must be one that the document has.

use anyhow::{Context, Result};
use chrono::{DateTime, Datelike as _, Utc};
use seed::SeedOptions;
use serde_json::{Value, json};

use crate::local::instance::Instance;
use crate::local::{Local, STEPS};
use crate::prepare::python::{SCHEMATHESIS, Venv};
use crate::terminal::Steps;
use crate::{command, paths};

/// Which checks there are, and what they expect.
const CONFIG: &str = "infra/xtask/schemathesis.toml";

/// Few runs: exports of them are finished while others are asked for.
const RUNS: usize = 2_000;

/// Makes random requests for some seconds.
///
/// # Errors
///
/// Fails if the system cannot be brought up, or if an answer is not what the document says.
pub async fn fuzz(seconds: u32, now: DateTime<Utc>) -> Result<()> {
    let mut steps = Steps::new(STEPS + 2);
    let instance = Instance::fuzz();
    let local = Box::pin(Local::bring_up(&instance, &mut steps));
    let (venv, mut local) = tokio::try_join!(Venv::ensure(&SCHEMATHESIS), local)?;
    local.seed(&SeedOptions { runs: RUNS, seed: 1, now }, &mut steps).await?;
    steps.begin("Making requests of the API document");
    let user = local.outputs.users.first().context("the sample data has no users")?;
    let document = instance.state_dir.join("openapi.json");
    std::fs::write(&document, narrowed(&user.user_id, now.year() - 1).to_string())?;
    let mut schemathesis = command::program(venv.program("st"));
    schemathesis
        .arg("--config-file")
        .arg(paths::root().join(CONFIG))
        .args(["--no-color", "run"])
        .arg(&document);
    schemathesis.args(["--url", &local.outputs.api_url, "--max-time", &seconds.to_string()]);
    // What it leaves behind stays with the system's state.
    schemathesis.env("USAGE_EXPORT_API_KEY", &user.api_key).current_dir(&instance.state_dir);
    let ran = command::run(&mut schemathesis).await;
    steps.done(if ran.is_ok() { "every answer is one that the document has" } else { "failed" });
    ran.context("an answer of the API is not what its document says")
}

/// The document for one user and dates of one year. Other users, and dates that are no days or an end before its start, are refused
/// by rules that a schema cannot have; without them, a valid request that is refused is a fault.
fn narrowed(user_id: &str, year: i32) -> Value {
    let mut document = openapi::document();
    let time = "(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-]0[0-9]:[0-5][0-9])?)?";
    let date = |months: &str| {
        let pattern = format!("^{year}-0[{months}]-(0[1-9]|1[0-9]|2[0-8]){time}$");
        json!({ "type": "string", "pattern": pattern })
    };
    let schemas = &mut document["components"]["schemas"];
    schemas["UserId"] = json!({ "type": "string", "enum": [user_id] });
    schemas["StartDate"] = date("1-3");
    schemas["EndDate"] = date("5-7");
    document
}
