//! Where the rows go: a file in S3, made by a multipart upload.
//!
//! A [`part`] holds the rows of some pages until [`upload`] sends it; [`bucket`] starts uploads and reports the size and
//! the checksum of the finished file.

pub mod bucket;
pub mod part;
pub mod upload;
