//! Counts, sizes and names as people read them, in emails, on the settings page and in a terminal.

/// How many characters of a name are shown.
const NAME_CHARS: usize = 60;

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

/// An exact decimal with commas between groups of three digits before the point. Every digit stays.
///
/// ```
/// use usage_export::wording::decimal;
/// assert_eq!(decimal("1234567.0000001"), "1,234,567.0000001");
/// assert_eq!(decimal("-1234.5"), "-1,234.5");
/// assert_eq!(decimal("-123"), "-123");
/// assert_eq!(decimal("0"), "0");
/// ```
pub fn decimal(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.find('.').map_or((digits, ""), |point| digits.split_at(point));
    let groups: Vec<_> = whole.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("{sign}{}{fraction}", groups.join(","))
}

/// An exact sum of credits: `1 credit`, `1,234.5 credits`.
///
/// ```
/// assert_eq!(usage_export::wording::credits("1"), "1 credit");
/// assert_eq!(usage_export::wording::credits("1234.50"), "1,234.50 credits");
/// ```
pub fn credits(sum: &str) -> String {
    format!("{} credit{}", decimal(sum), if sum == "1" { "" } else { "s" })
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

/// A name on one line and cut to 60 characters, without characters that would reorder the text around it.
///
/// ```
/// assert_eq!(usage_export::wording::one_line("Sales\r\nBcc: \u{202e}all"), "\u{2068}Sales Bcc: all\u{2069}");
/// ```
pub fn one_line(name: &str) -> String {
    let is_direction = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let seen: String = name.chars().filter(|c| !is_direction(*c)).collect();
    let words = seen.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut line = words.collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(NAME_CHARS) {
        line.truncate(end);
        line = format!("{}…", line.trim_end());
    }
    // First strong isolate and pop: a right-to-left name does not change the direction of the text around it.
    format!("\u{2068}{line}\u{2069}")
}
