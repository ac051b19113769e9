//! Decimals stay text from the table to the file: exact, and never a float.

/// No exponent that DynamoDB can send is larger: it stores magnitudes up to 10^126 and down to 10^-130.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number>
const MAX_EXPONENT: u32 = 200;

/// The same number without an exponent. DynamoDB sends most numbers as plain digits, which are returned unchanged; very
/// large and very small ones have an exponent. Returns `None` for a text that is not a decimal number, or whose exponent is
/// beyond [`MAX_EXPONENT`].
pub(crate) fn plain_decimal(number: String) -> Option<String> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (number.as_str(), 0),
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole)
        || !all_digits(fraction)
        || whole.len() + fraction.len() == 0
        || exponent.unsigned_abs() > MAX_EXPONENT
    {
        return None;
    }
    // The common case: the number is plain already.
    if mantissa.len() == number.len()
        && !mantissa.starts_with('+')
        && !whole.is_empty()
        && !digits.ends_with('.')
    {
        return Some(number);
    }
    Some(format!("{sign}{}", shift_point(whole, fraction, exponent)))
}

/// The digits with the decimal point moved `exponent` places to the right.
fn shift_point(whole: &str, fraction: &str, exponent: i32) -> String {
    let digits = format!("{whole}{fraction}");
    let point = i32::try_from(whole.len()).unwrap_or(0) + exponent;
    let (whole, fraction) = if point <= 0 {
        let zeros = "0".repeat(usize::try_from(-point).unwrap_or(0));
        (String::new(), format!("{zeros}{digits}"))
    } else {
        let point = usize::try_from(point).unwrap_or(0);
        let padded = format!("{digits:0<point$}");
        (padded[..point].to_owned(), padded[point..].to_owned())
    };
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_an_exponent_as_digits() {
        for (number, plain) in [
            ("0", "0"),
            ("12.50", "12.50"),
            ("-0.0125", "-0.0125"),
            ("1E+2", "100"),
            ("1.25e1", "12.5"),
            ("1.25E-3", "0.00125"),
            ("-12E-1", "-1.2"),
            ("1.5e0", "1.5"),
            (".5", "0.5"),
            ("+3", "3"),
            ("0e5", "0"),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
        ] {
            assert_eq!(plain_decimal(number.to_owned()).as_deref(), Some(plain), "{number}");
        }
        for other in ["", ".", "1e", "e5", "NaN", "1,5", "0x1", "1e999", "--1"] {
            assert!(plain_decimal(other.to_owned()).is_none(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn moving_the_point_there_and_back_returns_the_number(digits in "[1-9][0-9]{0,20}", places in 0_i32..25) {
            let fraction = plain_decimal(format!("{digits}e-{places}")).unwrap();
            prop_assert_eq!(plain_decimal(format!("{fraction}e{places}")).unwrap(), digits);
        }
    }
}
