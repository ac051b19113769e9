//! What AWS gives and what it charges: each with its source, and the day on which it was looked up.
//!
//! Prices are those of us-east-1 and of the first tier, without the free tier, as of [`PRICES_OF`].

use super::money::Money;

/// When the prices were looked up.
pub const PRICES_OF: &str = "2026-11-26";

/// Read units a second of one partition.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
pub const PARTITION_UNITS: u128 = 3_000;
/// Read units a second of a table, by default.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>
pub const TABLE_UNITS: u128 = 40_000;
/// The memory in MB with which a function has one vCPU; with less it has that share of one.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
pub const MB_PER_VCPU: u128 = 1_769;
/// Parts of a file. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub const MAX_PARTS: u128 = 10_000;
/// Parts, or keys, in one answer of a list. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
pub const LISTED: u128 = 1_000;

/// What people measure as the network of a function, in bytes a second in each direction; AWS names no figure.
pub const NETWORK_BYTES: u128 = 75_000_000;
/// How long a call of DynamoDB or S3 takes, in milliseconds: an assumption.
pub const CALL_MS: u128 = 10;
/// How many bytes a second S3 copies as one part: an assumption.
pub const COPY_BYTES: u128 = 100_000_000;

/// A read request unit: up to 4 KB, strongly consistent. <https://aws.amazon.com/dynamodb/pricing/on-demand/>
pub const READ_UNIT: Money = Money::pico(125_000);
/// A write request unit: up to 1 KB. <https://aws.amazon.com/dynamodb/pricing/on-demand/>
pub const WRITE_UNIT: Money = Money::pico(625_000);
/// A GB-second of Lambda on arm64. <https://aws.amazon.com/lambda/pricing/>
pub const GB_SECOND: Money = Money::pico(13_333_400);
/// An execution of a function. <https://aws.amazon.com/lambda/pricing/>
pub const EXECUTION: Money = Money::pico(200_000);
/// A PUT, COPY, POST or LIST request of S3 Standard. <https://aws.amazon.com/s3/pricing/>
pub const S3_WRITE: Money = Money::pico(5_000_000);
/// A GET or HEAD request. DELETE and abort are free. <https://aws.amazon.com/s3/pricing/>
pub const S3_READ: Money = Money::pico(400_000);
/// A GB of S3 Standard for a month, which is 2^30 bytes for 30 days here. <https://aws.amazon.com/s3/pricing/>
pub const S3_GB_MONTH: Money = Money::pico(23_000_000_000);
/// A request of a standard queue. <https://aws.amazon.com/sqs/pricing/>
pub const SQS_REQUEST: Money = Money::pico(400_000);
/// An email, à la carte. <https://aws.amazon.com/ses/pricing/>
pub const EMAIL: Money = Money::pico(100_000_000);

/// The prices as docs/capacity.md lists them: what, dollars, for how much, and where AWS has them.
pub const PRICE_LIST: [(&str, Money, u128, &str, &str); 9] = [
    (
        "DynamoDB, reads on demand",
        READ_UNIT,
        1_000_000,
        "million units",
        "https://aws.amazon.com/dynamodb/pricing/on-demand/",
    ),
    (
        "DynamoDB, writes on demand",
        WRITE_UNIT,
        1_000_000,
        "million units",
        "https://aws.amazon.com/dynamodb/pricing/on-demand/",
    ),
    ("Lambda, arm64", GB_SECOND, 1_000_000, "million GB-seconds", "https://aws.amazon.com/lambda/pricing/"),
    ("Lambda, executions", EXECUTION, 1_000_000, "million", "https://aws.amazon.com/lambda/pricing/"),
    ("S3, PUT, COPY, POST, LIST", S3_WRITE, 1_000, "thousand requests", "https://aws.amazon.com/s3/pricing/"),
    ("S3, GET, HEAD", S3_READ, 1_000, "thousand requests", "https://aws.amazon.com/s3/pricing/"),
    ("S3, Standard storage", S3_GB_MONTH, 1, "GB and month", "https://aws.amazon.com/s3/pricing/"),
    (
        "SQS, standard queue",
        SQS_REQUEST,
        1_000_000,
        "million requests",
        "https://aws.amazon.com/sqs/pricing/",
    ),
    ("SES, à la carte", EMAIL, 1_000, "thousand emails", "https://aws.amazon.com/ses/pricing/"),
];
