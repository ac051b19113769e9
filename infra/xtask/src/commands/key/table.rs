//! A list of keys as a person reads it.

use chrono::{DateTime, Utc};
use usage_export::timestamp;

use super::keys::StoredKey;

/// A line for each key, those that are valid first.
pub fn table(keys: &[StoredKey], now: DateTime<Utc>) -> String {
    if keys.is_empty() {
        return "This organization has no keys.\n".to_owned();
    }
    let mut rows = vec![["KEY", "ACTS FOR", "STATE", "CREATED", "LABEL"].map(str::to_owned)];
    let mut sorted: Vec<_> = keys.iter().collect();
    sorted.sort_by_key(|key| (!key.is_valid(now), key.created, key.name()));
    rows.extend(sorted.iter().map(|key| {
        [
            key.name(),
            key.user_id.as_deref().map_or("every member".to_owned(), |id| id.escape_debug().to_string()),
            key.state(now),
            key.created.map(timestamp::to_text).unwrap_or_default(),
            // It must not move the cursor of the terminal or turn the line around.
            key.label.as_deref().map(usage_export::wording::one_line).unwrap_or_default(),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 5] = std::array::from_fn(width);
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    });
    lines.collect()
}
