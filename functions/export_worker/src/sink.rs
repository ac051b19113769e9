//! Where the rows go: a file in S3, made by a multipart upload.
//!
//! A [`part`] holds the rows of some pages until [`upload`] sends it; what does not make a part yet, and the manifest, are kept as
//! [side objects](side_object). The files of segments are [joined](join). A [`bucket`] starts uploads and reports the size and the checksum of the finished file. What is left once the export is
//! finished is deleted by [`leftovers`].

pub mod bucket;
pub mod join;
pub mod leftovers;
pub mod part;
pub mod request_count;
pub mod side_object;
pub mod upload;
