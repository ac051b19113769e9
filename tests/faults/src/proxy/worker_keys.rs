//! Which access keys are the worker's.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use hyper::header::{AUTHORIZATION, HeaderMap};

use crate::killer::Killer;

/// Whether an access key is the worker's. Each function has a role of its own, so that one look at the process that signs with a
/// key tells it for all calls.
#[derive(Default)]
pub(super) struct WorkerKeys(Mutex<HashMap<String, bool>>);

impl WorkerKeys {
    /// Whether the worker makes a call with these headers on this connection.
    pub(super) fn is_worker(&self, killer: Killer, caller: SocketAddr, headers: &HeaderMap) -> bool {
        let look = || killer.function_of(caller).map(|(_, is_worker)| is_worker);
        let Some(key) = access_key(headers) else { return look().unwrap_or_default() };
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(is_worker) = keys.get(key) {
            return *is_worker;
        }
        // The caller may just have died: the next call with its key tells.
        let Some(is_worker) = look() else { return false };
        keys.insert(key.to_owned(), is_worker);
        is_worker
    }
}

/// The key in `AWS4-HMAC-SHA256 Credential=<key>/<date>/…`.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html>
fn access_key(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.split_once("Credential=")?.1.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_access_key_is_found_in_a_signature() {
        let mut headers = HeaderMap::new();
        assert_eq!(access_key(&headers), None);
        let signature =
            "AWS4-HMAC-SHA256 Credential=ASIA1/20261125/us-east-1/dynamodb/aws4_request, SignedHeaders=host";
        headers.insert(AUTHORIZATION, signature.parse().unwrap());
        assert_eq!(access_key(&headers), Some("ASIA1"));
    }
}
