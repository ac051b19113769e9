//! Counts and sizes as people read them, in emails and on the page.

/// A count and its noun: `0 rows`, `1 row`, `1,234 rows`.
///
/// ```
/// assert_eq!(usage_export::wording::counted(1234, "row"), "1,234 rows");
/// ```
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count))
}

/// A number with a comma between its thousands.
///
/// ```
/// assert_eq!(usage_export::wording::thousands(1_234_567), "1,234,567");
/// ```
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The size of a file: `812 bytes`, `1.2 kB`, `34.5 MB`: decimal units, cut to a tenth.
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    for (name, unit) in UNITS {
        if bytes >= unit {
            return format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit);
        }
    }
    counted(bytes, "byte")
}
