//! `cargo xtask key`: API keys of a deployment: the local system, or a stack on AWS with the credentials that the AWS CLI uses.
//!
//! A key is shown once, when it is made: the table has only its SHA-256, whose first digits name it from then on.

mod keys;
mod table;

use anyhow::{Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};

use self::keys::{Keys, NewKey};
use super::deployment::Deployment;

/// Digits of a key's SHA-256 that are shown: enough to tell a million keys apart.
const SHOWN_DIGITS: usize = 16;

/// Which deployment, and what to do there.
#[derive(Args)]
pub struct KeyOptions {
    /// Name of a stack on AWS, in the account and region of your credentials. Without it: the local system that is up.
    #[arg(long, global = true)]
    stack: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key and print it, once. What is said about it goes to standard error.
    Create {
        /// Id of the organization.
        #[arg(long)]
        organization: String,
        /// The user for whom the key acts. Without it, the key may act for every member of the organization.
        #[arg(long)]
        user: Option<String>,
        /// Days until it expires. Without it, it is valid until it is revoked.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
        expires_days: Option<u16>,
        /// What it is for, to recognize it in the list.
        #[arg(long)]
        label: Option<String>,
    },
    /// Show the keys of an organization, without the keys themselves. It reads all of the directory.
    List {
        /// Id of the organization.
        #[arg(long)]
        organization: String,
    },
    /// Make a key invalid at once, and end the sessions that were started with it.
    Revoke {
        /// The key as `list` names it, or its SHA-256.
        key: String,
    },
    /// Make a new key in place of another one, and let the old one expire.
    Rotate {
        /// The key as `list` names it, or its SHA-256.
        key: String,
        /// Hours for which the old key stays valid, so that its users can change over. 0 revokes it at once.
        #[arg(long, default_value_t = 24)]
        overlap_hours: u16,
    },
}

/// Does what the options say.
///
/// # Errors
///
/// Fails if the deployment cannot be found, if there is no such organization, user or key, or if AWS refuses a call.
pub async fn key(options: &KeyOptions, now: DateTime<Utc>) -> Result<()> {
    let deployment = Deployment::find(options.stack.as_deref()).await?;
    let keys = Keys::new(&deployment.dynamodb, deployment.directory_table);
    match &options.action {
        Action::Create { organization, user, expires_days, label } => {
            let new = NewKey {
                organization_id: organization.clone(),
                user_id: user.clone(),
                label: label.clone(),
                expires: expires_days.map(|days| now + TimeDelta::days(days.into())),
            };
            if let Some(warning) = keys.check_owner(&new).await? {
                eprintln!("Note: {warning}");
            }
            show(&keys.create(&new, now).await?);
        }
        Action::List { organization } => {
            let listed = keys.of_organization(organization).await?;
            print!("{}", table::table(&listed, now));
        }
        Action::Revoke { key } => {
            let found = keys.find(key).await?;
            keys.revoke(&found, now).await?;
            println!("Revoked {}: no request and no session with it is answered from now on.", found.name());
        }
        Action::Rotate { key, overlap_hours } => {
            let old = keys.find(key).await?;
            ensure!(old.is_valid(now), "{} is not valid any more: make a key with `create`", old.name());
            show(&keys.create(&old.successor(now), now).await?);
            if *overlap_hours == 0 {
                keys.revoke(&old, now).await?;
                eprintln!("{} is revoked.", old.name());
            } else {
                let until = keys.expire(&old, now + TimeDelta::hours((*overlap_hours).into())).await?;
                eprintln!("{} is valid until {until}.", old.name());
            }
        }
    }
    Ok(())
}

/// Prints a new key. Only the key goes to standard output, so that it can be piped to where secrets are kept.
fn show(key: &keys::CreatedKey) {
    println!("{}", key.secret);
    eprintln!("This is the only time that the key is shown. It is listed as {}.", key.name);
}
