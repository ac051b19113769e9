//! How the document writes numbers.

/// Seconds if they are few, else minutes.
pub fn shown_time(ms: u128) -> String {
    if ms < 60_000 { format!("{} s", tenths(ms, 1_000)) } else { format!("{} min", tenths(ms, 60_000)) }
}

/// A ratio with one digit behind the point.
pub fn tenths(part: u128, whole: u128) -> String {
    let tenths = (part * 10 + whole / 2) / whole;
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

/// A number with commas between thousands.
pub fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same with a capital letter at its beginning.
pub fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_grouped() {
        assert_eq!([999, 1_000, 1_234_567].map(grouped), ["999", "1,000", "1,234,567"]);
        assert_eq!([tenths(16_649, 1_000), tenths(16_650, 1_000)], ["16.6", "16.7"]);
        assert_eq!([shown_time(59_000), shown_time(90_000)], ["59.0 s", "1.5 min"]);
    }
}
