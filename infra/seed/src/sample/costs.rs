//! Credit costs: exact decimals, put together from integers so that no float rounds them.

use fastrand::Rng;

/// Costs that break careless arithmetic: the smallest and the largest in use, 2^53 + 1 of a small unit, which no `f64`
/// holds, and the 38 digits that `DynamoDB` keeps of a number:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>.
const EXTREMES: [&str; 6] = [
    "0",
    "0.000001",
    "1234567.89",
    "9007199.254740993",
    "0.12345678901234567890123456789012345678",
    "1.0000000000000000000000000000000000001",
];

/// Index of the run that has the first extreme. The runs after it have the others.
const FIRST_EXTREME: usize = 60;

/// The extremes repeat after this many runs, rarely enough that totals stay believable.
const EXTREMES_PERIOD: usize = 100_000;

/// Picks the cost of the run at `index` of the sequence. One run in a hundred has none.
pub fn credit_cost(index: usize, rng: &mut Rng) -> Option<String> {
    let extreme = (index % EXTREMES_PERIOD).checked_sub(FIRST_EXTREME).and_then(|nth| EXTREMES.get(nth));
    if let Some(extreme) = extreme {
        return Some((*extreme).to_owned());
    }
    Some(match rng.u8(0..100) {
        0 => return None,
        1..40 => decimal(rng.u64(1..=25), 0),
        40..80 => decimal(rng.u64(1..=4000) * 25, 4),
        80..95 => decimal(rng.u64(1..=200) * 5, 1),
        95..99 => decimal(rng.u64(1..=5_000_000), 6),
        _ => decimal(rng.u64(10_000..=500_000), 2),
    })
}

/// Writes `units` × 10^-`scale` without trailing zeros, which is the form in which `DynamoDB` returns a number.
fn decimal(units: u64, scale: u32) -> String {
    let one = 10_u64.pow(scale);
    let digits = format!("{:0width$}", units % one, width = scale as usize);
    let fraction = digits.trim_end_matches('0');
    let separator = if fraction.is_empty() { "" } else { "." };
    format!("{}{separator}{fraction}", units / one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_and_have_no_trailing_zeros() {
        let written = [(125, 4), (3, 0), (125, 1), (1, 6), (123_456_789, 2), (30, 1), (0, 2), (10, 0)]
            .map(|(units, scale)| decimal(units, scale));
        assert_eq!(written, ["0.0125", "3", "12.5", "0.000001", "1234567.89", "3", "0", "10"]);
    }

    #[test]
    fn every_cost_is_a_plain_decimal_of_at_most_38_digits() {
        let mut rng = Rng::with_seed(1);
        for cost in (0..20_000).filter_map(|index| credit_cost(index, &mut rng)) {
            let (whole, fraction) = cost.split_once('.').unwrap_or((&cost, "1"));
            let digits = || whole.chars().chain(fraction.chars());
            assert!(digits().all(|digit| digit.is_ascii_digit()), "{cost}");
            assert!(cost.len() - usize::from(cost.contains('.')) <= 39, "{cost}");
            assert!(digits().skip_while(|&digit| digit == '0').count() <= 38, "{cost}");
            assert!(whole == "0" || (!whole.is_empty() && !whole.starts_with('0')), "{cost}");
            assert!(!fraction.is_empty() && !fraction.ends_with('0'), "{cost}");
        }
    }

    #[test]
    fn every_extreme_occurs_and_some_costs_are_absent() {
        let mut rng = Rng::with_seed(1);
        let costs: Vec<_> = (0..2000).map(|index| credit_cost(index, &mut rng)).collect();
        for extreme in EXTREMES {
            assert!(costs.contains(&Some(extreme.to_owned())), "{extreme}");
        }
        assert!(costs.contains(&None));
    }
}
