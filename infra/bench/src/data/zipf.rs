//! Sizes as they are found in the world: a few large ones and many small ones.

use fastrand::Rng;

/// Any number, always the same.
const SEED: u64 = 28;

/// Spreads rows over so many places: the largest has twice as many as the second, three times as many as the third, and so
/// on (Zipf's law with exponent 1). Which place is how large is shuffled, always alike.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts"
)]
pub fn shuffled_sizes(rows: usize, places: usize) -> Vec<usize> {
    let harmonic: f64 = (1..=places).map(|rank| 1.0 / rank as f64).sum();
    let mut sizes: Vec<_> =
        (1..=places).map(|rank| (rows as f64 / rank as f64 / harmonic) as usize).collect();
    // What rounding has left.
    sizes[0] += rows - sizes.iter().sum::<usize>();
    Rng::with_seed(SEED).shuffle(&mut sizes);
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_fall_with_their_rank_and_add_up() {
        let shuffled = shuffled_sizes(1_000_000, 50);
        assert_eq!(shuffled, shuffled_sizes(1_000_000, 50));
        assert_eq!(shuffled.iter().sum::<usize>(), 1_000_000);
        let mut sizes = shuffled.clone();
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        assert_ne!(shuffled, sizes);
        assert!(sizes[0].abs_diff(2 * sizes[1]) < 60 && sizes[0].abs_diff(50 * sizes[49]) < 100);
    }
}
