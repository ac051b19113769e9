//! The permissions whose absence the emulator does not notice.

/// The function, or nothing for every one; what the text of the permission begins with; and why nothing fails without it.
/// `docs/emulators.md` says what covers them instead.
pub const NOT_EVALUATED: &[(&str, &str, &str)] = &[
    ("", "logs:", "the emulator writes the logs itself"),
    ("ExportWorkerFunction", "sqs:ReceiveMessage", POLLER),
    ("ExportWorkerFunction", "sqs:DeleteMessage", POLLER),
    ("ExportWorkerFunction", "sqs:GetQueueAttributes", POLLER),
    ("ExportReconcilerFunction", "sqs:ReceiveMessage", POLLER),
    ("ExportReconcilerFunction", "sqs:DeleteMessage", POLLER),
    ("ExportReconcilerFunction", "sqs:GetQueueAttributes", POLLER),
    ("ExportWorkerFunction", "ses:SendEmail identity/", EVERY_IDENTITY),
    ("ExportWorkerFunction", "ses:SendEmail configuration-set/", EVERY_IDENTITY),
    ("ExportReconcilerFunction", "ses:SendEmail identity/", EVERY_IDENTITY),
    ("ExportReconcilerFunction", "ses:SendEmail configuration-set/", EVERY_IDENTITY),
    ("ExportStatusFunction", "s3:ListBucket ", MISSING_OBJECT),
    ("SettingsPageFunction", "s3:ListBucket ", MISSING_OBJECT),
    ("SettingsPageFunction", "dynamodb:PutItem DirectoryTable if ", LEADING_KEYS),
];

const POLLER: &str = "AWS takes messages with the function's role, the emulator with none";
const EVERY_IDENTITY: &str = "the emulator checks it against * alone";
const MISSING_OBJECT: &str =
    "without it S3 hides by a 403 that there is no object; the emulator always says 404";
const LEADING_KEYS: &str =
    "the emulator ignores dynamodb:LeadingKeys, so either of two statements allows what both do";

/// Why nothing fails without a permission; `None` if something does.
pub fn reason(function: &str, permission: &str) -> Option<&'static str> {
    let is_it =
        |(of, start): (&str, &str)| (of.is_empty() || of == function) && permission.starts_with(start);
    NOT_EVALUATED.iter().find(|(of, start, _)| is_it((of, start))).map(|(_, _, reason)| *reason)
}
