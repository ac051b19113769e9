//! Finds objects and deletes them.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use usage_export::error::AwsError;

use super::Bucket;

/// How many objects one request deletes at most.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
const MAX_DELETED_AT_ONCE: usize = 1_000;

impl Bucket {
    /// The keys of the objects below this prefix.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>, AwsError> {
        let listed = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).into_paginator().send();
        let pages: Vec<_> = listed.try_collect().await.map_err(AwsError::from_sdk("s3:ListObjectsV2"))?;
        let objects = pages.into_iter().flat_map(|page| page.contents.unwrap_or_default());
        Ok(objects.filter_map(|object| object.key).collect())
    }

    /// Deletes objects, many by one request. One that is gone is no error.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached, and some may be left.
    pub async fn delete_all(&self, keys: &[String]) -> Result<(), AwsError> {
        for keys in keys.chunks(MAX_DELETED_AT_ONCE) {
            let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(key).build());
            let objects: Result<Vec<_>, _> = objects.collect();
            let delete =
                objects.and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(true).build());
            let delete = delete.map_err(|error| AwsError::internal("s3:DeleteObjects", &error))?;
            let sent = self.client.delete_objects().bucket(&self.name).delete(delete).send().await;
            let deleted = sent.map_err(AwsError::from_sdk("s3:DeleteObjects"))?;
            if let [refused, ..] = deleted.errors() {
                let reason = format!("S3 does not delete it: {}", refused.code().unwrap_or("no code"));
                return Err(AwsError::unexpected(refused.key().unwrap_or_default(), reason));
            }
        }
        Ok(())
    }

    /// Deletes an object. One that is gone is no error.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn delete(&self, key: &str) -> Result<(), AwsError> {
        let deleted = self.client.delete_object().bucket(&self.name).key(key).send().await;
        deleted.map_err(AwsError::from_sdk("s3:DeleteObject"))?;
        Ok(())
    }
}
