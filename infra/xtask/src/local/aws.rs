//! Configuration of SDK clients that call the emulator.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;

/// The region of everything in the emulator.
pub const REGION: &str = "us-east-1";
/// The emulator takes this key as the root of its account. Functions get credentials of their roles.
pub const ROOT_KEY: &str = "test";

/// Configures clients that act as the account's root at this endpoint.
pub async fn root_at(endpoint_url: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(endpoint_url)
        .credentials_provider(Credentials::new(ROOT_KEY, ROOT_KEY, None, None, "emulator"))
        .load()
        .await
}
