//! The exact sum of one decimal column.

use decimal_sum::DecimalSum;

/// The most bytes, without the sign, of a number that is added as an integer. It has at most 18 digits, which fit 64 bits,
/// so 2^63 such numbers fit 128 bits: no sum overflows.
const MAX_BYTES: usize = 18;

/// Adds the numbers of a column. Numbers of a usual length are added as integers, one integer for each count of digits
/// behind the point; [`DecimalSum`] adds longer ones, which costs some twenty times as much.
#[derive(Debug, Default)]
pub(crate) struct ColumnSum {
    /// The sum of the numbers with this many digits behind the point, times 10 to the power of that.
    by_scale: [i128; MAX_BYTES],
    longer: DecimalSum,
}

impl ColumnSum {
    /// Adds the number of a record, a plain decimal that the parser has checked; nothing where the record lacks it.
    #[inline]
    pub(crate) fn add(&mut self, number: &[u8]) {
        let unsigned = number.strip_prefix(b"-").unwrap_or(number);
        if unsigned.len() > MAX_BYTES || cfg!(feature = "ablate_integer_sums") {
            return self.add_long(number);
        }
        let mut digits = 0_i64;
        let mut rest = unsigned.iter();
        for byte in rest.by_ref().take_while(|byte| **byte != b'.') {
            digits = 10 * digits + i64::from(byte - b'0');
        }
        let scale = rest.len();
        for byte in rest {
            digits = 10 * digits + i64::from(byte - b'0');
        }
        let is_negative = unsigned.len() < number.len();
        self.by_scale[scale] += i128::from(if is_negative { -digits } else { digits });
    }

    /// Adds a number of any length.
    #[cold]
    fn add_long(&mut self, number: &[u8]) {
        let parsed = std::str::from_utf8(number).ok().and_then(|text| text.parse().ok());
        debug_assert!(parsed.is_some(), "the parser checks numbers");
        self.longer += &parsed.unwrap_or_default();
    }

    /// The sum of all of them.
    pub(crate) fn finish(mut self) -> DecimalSum {
        for (scale, digits) in (0..).zip(self.by_scale) {
            self.longer += &DecimalSum::new(digits, scale);
        }
        self.longer
    }
}
