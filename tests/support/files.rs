//! The files of exports in the bucket, and data that makes large files.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, Part};

use crate::org::TestOrg;
use crate::runs::Run;
use crate::system::system;

/// The largest file that `GET /export_status` answers with itself; for a larger one it redirects to S3.
pub const MAX_INLINE_BYTES: usize = 4 * 1024 * 1024;

/// The key of an export's file in the bucket.
pub fn object_key(org: &TestOrg, data_export_id: &str) -> String {
    format!("exports/{}/{data_export_id}.csv", org.id)
}

pub async fn delete_file(org: &TestOrg, data_export_id: &str) {
    let bucket = &system().outputs.bucket;
    system().s3.delete_object().bucket(bucket).key(object_key(org, data_export_id)).send().await.unwrap();
}

/// Puts another file in the place of an export's.
pub async fn replace_file(org: &TestOrg, data_export_id: &str, file: Vec<u8>) {
    let bucket = &system().outputs.bucket;
    let key = object_key(org, data_export_id);
    system().s3.put_object().bucket(bucket).key(key).body(file.into()).send().await.unwrap();
}

/// Leaves the tail of a checkpoint, as a worker does that dies.
pub async fn leave_tail(org: &TestOrg, data_export_id: &str) {
    let bucket = &system().outputs.bucket;
    let key = object_key(org, data_export_id).replace(".csv", ".tail.1.1");
    system().s3.put_object().bucket(bucket).key(key).body(b"rows".to_vec().into()).send().await.unwrap();
}

/// What there is of an export in the bucket: what the keys of its objects end with, in order.
pub async fn keys_of(org: &TestOrg, data_export_id: &str) -> Vec<String> {
    let prefix = object_key(org, data_export_id).replace(".csv", ".");
    let listed = system().s3.list_objects_v2().bucket(&system().outputs.bucket).prefix(&prefix).send().await;
    let keys = listed.unwrap().contents.unwrap_or_default().into_iter().map(|object| object.key.unwrap());
    keys.map(|key| key.replace(&prefix, "")).collect()
}

/// The `ETag` of an export's file; `None` if it has no file.
pub async fn etag_of_file(org: &TestOrg, data_export_id: &str) -> Option<String> {
    let bucket = &system().outputs.bucket;
    let sent = system().s3.head_object().bucket(bucket).key(object_key(org, data_export_id)).send().await;
    match sent {
        Ok(head) => head.e_tag,
        Err(error) => {
            assert!(error.as_service_error().unwrap().is_not_found(), "{error:?}");
            None
        }
    }
}

/// The file of an export; `None` if there is none.
pub async fn read_file(org: &TestOrg, data_export_id: &str) -> Option<Vec<u8>> {
    let bucket = &system().outputs.bucket;
    let sent = system().s3.get_object().bucket(bucket).key(object_key(org, data_export_id)).send().await;
    match sent {
        Ok(file) => Some(file.body.collect().await.unwrap().into_bytes().to_vec()),
        Err(error) => {
            assert!(error.as_service_error().unwrap().is_no_such_key(), "{error:?}");
            None
        }
    }
}

/// The uploads of an export's file and of its segments' that are neither completed nor aborted.
pub async fn open_uploads(org: &TestOrg, data_export_id: &str) -> Vec<String> {
    let prefix = object_key(org, data_export_id).replace(".csv", ".");
    let listed = system().s3.list_multipart_uploads().bucket(&system().outputs.bucket).prefix(prefix).send();
    let uploads = listed.await.unwrap().uploads.unwrap_or_default();
    uploads.into_iter().map(|upload| upload.upload_id.unwrap()).collect()
}

/// The parts that have arrived of an upload.
pub async fn parts_of(org: &TestOrg, data_export_id: &str, upload_id: &str) -> Vec<Part> {
    let key = object_key(org, data_export_id);
    let listed =
        system().s3.list_parts().bucket(&system().outputs.bucket).key(key).upload_id(upload_id).send();
    listed.await.unwrap().parts.unwrap_or_default()
}

/// Begins the file of an export as a worker does: a multipart upload with one part. Returns the id of the upload.
pub async fn begin_file(org: &TestOrg, data_export_id: &str, part: &[u8]) -> String {
    let (bucket, key) = (&system().outputs.bucket, object_key(org, data_export_id));
    let upload = system()
        .s3
        .create_multipart_upload()
        .bucket(bucket)
        .key(&key)
        .content_type("text/csv; charset=utf-8")
        .checksum_algorithm(ChecksumAlgorithm::Crc32)
        .checksum_type(ChecksumType::FullObject)
        .send()
        .await
        .unwrap();
    let upload_id = upload.upload_id.unwrap();
    send_first_part(org, data_export_id, &upload_id, part).await;
    upload_id
}

/// Sends the first part of an upload, also in place of one that was sent before.
pub async fn send_first_part(org: &TestOrg, data_export_id: &str, upload_id: &str, part: &[u8]) {
    let sent = system()
        .s3
        .upload_part()
        .bucket(&system().outputs.bucket)
        .key(object_key(org, data_export_id))
        .upload_id(upload_id)
        .part_number(1)
        .checksum_algorithm(ChecksumAlgorithm::Crc32)
        .body(part.to_vec().into())
        .send()
        .await;
    sent.unwrap();
}

/// Writes runs whose names make rows of 3 kB: 500 in each of 12 workspaces, 100 a day from January 1, 2025 on. They make
/// about 19 MB of CSV.
pub async fn fill_large(org: &TestOrg) -> Vec<Run> {
    let name = "long name ".repeat(100);
    let member = org.add_member("member").await;
    org.set_email(&member.user_id, &name).await;
    let mut runs = Vec::new();
    for _ in 0..12 {
        let workspace = org.add_workspace(&name).await;
        let workbook = org.add_workbook(&workspace, &name).await;
        for i in 0..500 {
            let start = format!("2025-01-{:02}T00:{:02}:{:02}.000Z", 1 + i / 100, i / 60, i % 60);
            runs.push(Run::new(&workspace, &start).of(&workbook).by(&member.user_id));
        }
    }
    org.write_runs(&runs).await;
    runs
}
