//! Amounts of money, exact: whole billionths of a thousandth of a dollar.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

/// How many pico-dollars a dollar has.
const PICO_PER_DOLLAR: u128 = 1_000_000_000_000;

/// An amount in pico-dollars, so that the price of a single request and of a single GB-second is a whole number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(u128);

impl Money {
    /// So many pico-dollars.
    pub const fn pico(pico_dollars: u128) -> Self {
        Self(pico_dollars)
    }

    /// The price of so many of them.
    pub const fn times(self, count: u128) -> Self {
        Self(self.0 * count)
    }

    /// The price of `part` of `whole`, rounded up.
    pub const fn share(self, part: u128, whole: u128) -> Self {
        Self((self.0 * part).div_ceil(whole))
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Self::add)
    }
}

/// Dollars with four digits behind the point; less than a hundredth of a cent as such.
impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const STEP: u128 = PICO_PER_DOLLAR / 10_000;
        if self.0 > 0 && self.0 < STEP {
            return formatter.write_str("< $0.0001");
        }
        let steps = (self.0 + STEP / 2) / STEP;
        write!(formatter, "${}.{:04}", steps / 10_000, steps % 10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_only_when_they_are_shown() {
        assert_eq!(Money::pico(125_000).times(49_440_000).to_string(), "$6.1800");
        assert_eq!(Money::pico(400_000).to_string(), "< $0.0001");
        assert_eq!(Money::default().to_string(), "$0.0000");
        assert_eq!(Money::pico(12_345_650_000_000).to_string(), "$12.3457");
        assert_eq!(Money::pico(10).share(1, 3), Money::pico(4));
        assert_eq!([1, 2, 3].map(Money::pico).into_iter().sum::<Money>(), Money::pico(6));
    }
}
