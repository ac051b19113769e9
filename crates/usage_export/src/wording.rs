//! Counts and sizes as people read them, in emails, on the settings page and in a terminal.

/// A count and its noun: `0 rows`, `1 row`, `1,234 rows`. The plural is the noun with an `s`.
///
/// ```
/// assert_eq!(usage_export::wording::counted(1, "row"), "1 row");
/// assert_eq!(usage_export::wording::counted(1234, "row"), "1,234 rows");
/// ```
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count))
}

/// A number with commas between groups of three digits.
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

/// The size of a file in decimal units (1 kB is 1000 bytes). Tenths are cut off and not rounded, so a file never looks
/// larger than it is.
///
/// ```
/// use usage_export::wording::size;
/// assert_eq!(size(812), "812 bytes");
/// assert_eq!(size(1_299), "1.2 kB");
/// assert_eq!(size(34_500_000), "34.5 MB");
/// ```
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    for (name, unit) in UNITS {
        if bytes >= unit {
            return format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit);
        }
    }
    counted(bytes, "byte")
}
