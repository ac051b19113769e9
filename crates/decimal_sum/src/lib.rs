//! The exact sum of decimal numbers: never a float, never rounded, of any size.
//!
//! `query_csv` sums a column with it and `usage_export` keeps such sums in the manifest of a file. It is a crate of its own
//! because neither of the two depends on the other.
//!
//! Numbers of `DynamoDB` have up to 38 significant digits and magnitudes from 10^-130 to 10^126, so their sums fit no
//! integer of the language.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number>

#![forbid(unsafe_code)]

use std::fmt::{self, Display, Formatter};
use std::iter::Sum;
use std::ops::AddAssign;
use std::str::FromStr;

use num_bigint::{BigInt, Sign};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The exact sum of decimal numbers.
///
/// Its text is plain: a minus, digits, a point and digits, as far as they are needed; no exponent, no zeros at the end of a
/// fraction, no minus before zero. So equal sums have equal texts, whatever was added in whichever order. JSON has it as
/// a string, because many readers of JSON make floats of numbers.
///
/// ```
/// use decimal_sum::DecimalSum;
///
/// let mut sum = DecimalSum::default();
/// for number in ["0.1", "0.2", "-12.50"] {
///     sum += &number.parse()?;
/// }
/// assert_eq!(sum.to_string(), "-12.2");
/// assert_eq!(serde_json::to_string(&sum)?, r#""-12.2""#);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct DecimalSum {
    /// The sum × 10^`scale`. It is not divisible by 10 unless `scale` is 0.
    digits: BigInt,
    /// How many digits stand behind the point.
    scale: u32,
}

/// A text that is not a plain decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a plain decimal number such as -12.5")]
pub struct ParseDecimalError;

impl DecimalSum {
    /// `digits` with the decimal point moved `scale` places to the left.
    ///
    /// ```
    /// use decimal_sum::DecimalSum;
    /// assert_eq!(DecimalSum::new(-1250, 2).to_string(), "-12.5");
    /// ```
    pub fn new(digits: i128, scale: u32) -> Self {
        Self::of(digits.into(), scale)
    }

    fn of(digits: BigInt, scale: u32) -> Self {
        let mut sum = Self { digits, scale };
        sum.trim();
        sum
    }

    /// Removes zeros at the end of the fraction.
    fn trim(&mut self) {
        while self.scale > 0 && &self.digits % 10 == BigInt::ZERO {
            self.digits /= 10;
            self.scale -= 1;
        }
    }
}

impl AddAssign<&Self> for DecimalSum {
    fn add_assign(&mut self, other: &Self) {
        let power = |places| BigInt::from(10).pow(places);
        if self.scale >= other.scale {
            self.digits += &other.digits * power(self.scale - other.scale);
        } else {
            self.digits *= power(other.scale - self.scale);
            self.digits += &other.digits;
            self.scale = other.scale;
        }
        self.trim();
    }
}

impl<'a> Sum<&'a Self> for DecimalSum {
    fn sum<I: Iterator<Item = &'a Self>>(sums: I) -> Self {
        sums.fold(Self::default(), |mut total, sum| {
            total += sum;
            total
        })
    }
}

impl Display for DecimalSum {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let scale = self.scale as usize;
        // At least one digit before the point.
        let digits = format!("{:0>1$}", self.digits.magnitude().to_string(), scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let point = if scale > 0 { "." } else { "" };
        formatter.pad_integral(self.digits.sign() != Sign::Minus, "", &format!("{whole}{point}{fraction}"))
    }
}

impl FromStr for DecimalSum {
    type Err = ParseDecimalError;

    /// Reads digits, perhaps with a minus before them and a point between them.
    ///
    /// ```
    /// use decimal_sum::DecimalSum;
    /// assert_eq!("-0.50".parse::<DecimalSum>()?.to_string(), "-0.5");
    /// for text in ["", "-", ".5", "5.", "+5", "1e3", "1,5", " 1"] {
    ///     assert!(text.parse::<DecimalSum>().is_err(), "{text}");
    /// }
    /// # Ok::<_, decimal_sum::ParseDecimalError>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, ParseDecimalError> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits(whole) || !are_digits(fraction) {
            return Err(ParseDecimalError);
        }
        let magnitude = format!("{whole}{fraction}").parse().map_err(|_| ParseDecimalError)?;
        let sign = if unsigned.len() < text.len() { Sign::Minus } else { Sign::Plus };
        let scale = u32::try_from(fraction.len()).map_err(|_| ParseDecimalError)?;
        Ok(Self::of(BigInt::from_biguint(sign, magnitude), scale))
    }
}

impl Serialize for DecimalSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DecimalSum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use bigdecimal::BigDecimal;
    use proptest::prelude::*;

    use super::*;

    /// Plain decimals: ordinary ones, and as long as `DynamoDB`'s largest and smallest numbers are without an exponent.
    fn number() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?[0-9]{1,4}(\\.[0-9]{1,4})?",
            "-?[0-9]{1,20}(\\.[0-9]{1,20})?",
            "-?[1-9][0-9]{37}0{88}",
            "-?0\\.0{92}[0-9]{38}",
            Just("-0.00".to_owned()),
        ]
    }

    fn sum_of(numbers: &[String]) -> DecimalSum {
        numbers.iter().map(|number| number.parse().unwrap()).collect::<Vec<_>>().iter().sum()
    }

    proptest! {
        #[test]
        fn sums_are_those_of_bigdecimal(numbers in proptest::collection::vec(number(), 0..20)) {
            let expected: BigDecimal = numbers.iter().map(|number| number.parse::<BigDecimal>().unwrap()).sum();
            let sum = sum_of(&numbers).to_string();
            prop_assert_eq!(&sum, &expected.normalized().to_plain_string());
            prop_assert_eq!(sum.parse::<DecimalSum>().unwrap().to_string(), sum);
        }

        #[test]
        fn equal_sums_are_equal_however_they_are_grouped(
            numbers in proptest::collection::vec(number(), 0..20), at in any::<usize>()
        ) {
            let mut halves = numbers.split_at(at % (numbers.len() + 1));
            let together = sum_of(&numbers);
            std::mem::swap(&mut halves.0, &mut halves.1);
            let mut apart = sum_of(halves.0);
            apart += &sum_of(halves.1);
            prop_assert_eq!(apart, together);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[-+0-9.eE ]{0,12}") {
            let parsed: Option<DecimalSum> = serde_json::from_value(text.clone().into()).ok();
            prop_assert_eq!(parsed, text.parse().ok());
        }
    }

    #[test]
    fn integers_of_128_bits_do_not_overflow() {
        let mut sum = DecimalSum::new(i128::MAX, 0);
        sum += &DecimalSum::new(i128::MAX, 18);
        sum += &DecimalSum::new(i128::MIN, 0);
        sum += &DecimalSum::new(1, 0);
        assert_eq!(sum, DecimalSum::new(i128::MAX, 18));
    }

    #[test]
    fn a_number_in_json_is_refused_because_readers_make_floats_of_it() {
        assert!(serde_json::from_str::<DecimalSum>("1.5").is_err());
        assert!(serde_json::from_str::<DecimalSum>(r#""1.5""#).is_ok());
    }
}
