//! Where the rows go: a file in S3, made by a multipart upload.
//!
//! A [`part`] holds the rows of some pages until [`upload`] sends it; what does not make a part yet is kept as a [`tail`]. A
//! [`bucket`] starts uploads and reports the size and the checksum of the finished file. What is left once the export is
//! finished is deleted by [`leftovers`].

pub mod bucket;
pub mod leftovers;
pub mod part;
pub mod tail;
pub mod upload;
