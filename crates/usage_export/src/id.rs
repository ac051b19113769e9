//! The id of an export or of an event: a `UUIDv7`, so that ids sort by age. And how long the ids are that others give us.

use chrono::{DateTime, Utc};
use uuid::{NoContext, Timestamp, Uuid, Variant, Version};

/// The longest id of any kind that a request may have, in bytes: also that of a query, of an address of the page and of its
/// sign-in form. Ours have 20 to 36.
pub const MAX_ID_BYTES: usize = 256;

/// Makes a `UUIDv7` whose time is `created_ts` to the millisecond.
pub(crate) fn new_id(created_ts: DateTime<Utc>) -> String {
    let seconds = u64::try_from(created_ts.timestamp()).unwrap_or_default();
    let timestamp = Timestamp::from_unix(NoContext, seconds, created_ts.timestamp_subsec_nanos());
    Uuid::new_v7(timestamp).to_string()
}

/// Reads the creation time in an export's id. `None` if the text is not the id of an export.
///
/// ```
/// use usage_export::export::created_ts_of_id;
/// let created_ts = created_ts_of_id("019ab0a2-0700-7000-8000-000000000001").unwrap();
/// assert_eq!(usage_export::timestamp::to_text(created_ts), "2025-11-23T12:13:20.000Z");
/// assert_eq!(created_ts_of_id("ACTIVE#org_1"), None);
/// ```
pub fn created_ts_of_id(data_export_id: &str) -> Option<DateTime<Utc>> {
    let id = Uuid::try_parse(data_export_id).ok()?;
    // Uuid reads other forms of the text and has other kinds of ids with a time, none of which is ever an export's.
    let is_ours = id.get_version() == Some(Version::SortRand)
        && id.get_variant() == Variant::RFC4122
        && id.hyphenated().to_string() == data_export_id;
    if !is_ours {
        return None;
    }
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_its_time_to_the_millisecond() {
        for nanos in [0, 1, 999_999_999, 123_456_789] {
            let instant = |nanos| DateTime::from_timestamp(1_763_900_000, nanos).unwrap();
            let held = instant(nanos / 1_000_000 * 1_000_000);
            assert_eq!(created_ts_of_id(&new_id(instant(nanos))), Some(held));
        }
        assert_eq!(created_ts_of_id("ACTIVE#org_1"), None);
    }

    #[test]
    fn other_ids_and_other_forms_of_an_id_are_none() {
        let id = "019ab0a2-0700-7000-8000-00000000000a";
        assert!(created_ts_of_id(id).is_some());
        for other in [
            id.to_uppercase(),
            id.replace('-', ""),
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
            // With a time, but of the versions 1 and 6.
            id.replace("-7000-", "-1000-"),
            id.replace("-7000-", "-6000-"),
            // Of another standard than RFC 9562.
            id.replace("-8000-", "-c000-"),
            String::new(),
        ] {
            assert_eq!(created_ts_of_id(&other), None, "{other}");
        }
    }
}
