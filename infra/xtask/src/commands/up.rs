//! `cargo xtask up`: the local system with sample data.

use anyhow::Result;
use chrono::{DateTime, Months, Utc};
use seed::SeedOptions;

use crate::local::backend::Backend;
use crate::local::instance::Instance;
use crate::local::outputs::Outputs;
use crate::local::{Local, STEPS};
use crate::paths;
use crate::terminal::Steps;

/// Users whose keys are printed. `outputs.json` has all of them.
const MAX_USERS_SHOWN: usize = 12;

/// Brings the system up with sample data, prints how to use it, and never returns: a signal ends it.
///
/// # Errors
///
/// Fails if the system cannot be brought up or the data cannot be written.
pub async fn up(options: &SeedOptions, backend: Backend) -> Result<()> {
    let mut steps = Steps::new(STEPS + 1);
    let mut local = Local::bring_up(&Instance::main(backend), &mut steps).await?;
    local.seed(options, &mut steps).await?;
    local.announce()?;
    print_how_to_use(&local, options.now);
    stay_up().await;
    Ok(())
}

/// Prints the addresses of the system, and the users and keys of the sample data with what to try with them.
pub fn print_how_to_use(local: &Local, now: DateTime<Utc>) {
    println!("\n  Page         {}", local.outputs.page_url);
    println!("  API          {}", local.outputs.api_url);
    println!("  AWS          {} (for the AWS CLI and SDKs: --endpoint-url)", local.outputs.endpoint_url);
    for (service, url) in &local.outputs.service_endpoint_urls {
        println!("               {url} for {service}");
    }
    println!("  Sent email   {}", local.outputs.emails_url);
    println!("  All of it    {}\n", paths::shown(&local.outputs_path));
    print_users(&local.outputs);
    print_first_steps(&local.outputs, now);
}

fn print_users(outputs: &Outputs) {
    println!("  {:7} {:34} {:28} API key", "Role", "Email", "user_id");
    for user in outputs.users.iter().take(MAX_USERS_SHOWN) {
        println!("  {:7} {:34} {:28} {}", user.role, user.email, user.user_id, user.api_key);
    }
    if outputs.users.len() > MAX_USERS_SHOWN {
        println!("  and {} more in outputs.json", outputs.users.len() - MAX_USERS_SHOWN);
    }
}

fn print_first_steps(outputs: &Outputs, now: DateTime<Utc>) {
    let Some(user) = outputs.users.first() else { return };
    println!("\nSign in as {}, an administrator:\n", user.email);
    println!("  {}", outputs.page_url);
    println!("  User ID  {}", user.user_id);
    println!("  API key  {}", user.api_key);
    println!("\nOr call the API:\n");
    println!("  curl -sS {}/export_data \\", outputs.api_url);
    println!("    -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' \\", user.api_key);
    println!(
        "    -d '{{\"user_id\":\"{}\",\"export_fields\":[\"run_id\",\"credit_cost\"],\"start_date\":\"{}\",\
         \"end_date\":\"{}\",\"include_all_workspaces\":true}}'",
        user.user_id,
        (now - Months::new(1)).format("%Y-%m-%d"),
        now.format("%Y-%m-%d")
    );
    println!("  curl -sS -H 'Authorization: Bearer {}' \\", user.api_key);
    println!("    '{}/exports?user_id={}'\n", outputs.api_url, user.user_id);
}

/// Waits for ever: a signal ends the program.
pub async fn stay_up() {
    println!("Up until Ctrl-C.");
    std::future::pending::<()>().await;
}
