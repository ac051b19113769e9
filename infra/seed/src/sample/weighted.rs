//! Random choices that are not equally likely.

use fastrand::Rng;

/// Picks one of several choices, each as often as its weight says.
pub struct Weighted {
    /// Running sums of the weights.
    sums: Vec<u64>,
}

impl Weighted {
    /// Makes one choice for each weight. At least one weight must be above zero.
    pub fn new(weights: impl IntoIterator<Item = u64>) -> Self {
        let running_sum = |sum: &mut u64, weight| {
            *sum += weight;
            Some(*sum)
        };
        Self { sums: weights.into_iter().scan(0, running_sum).collect() }
    }

    /// Makes `count` choices of which few are picked most, as usage is spread in practice: the weight of a choice is
    /// one over its rank. Ranks begin at 2, so that the first choice does not outgrow all others.
    pub fn few_get_most(count: usize) -> Self {
        Self::new((2..).take(count).map(|rank| 100_000 / rank))
    }

    /// Picks a choice and returns its index.
    pub fn pick(&self, rng: &mut Rng) -> usize {
        let total = self.sums.last().copied().unwrap_or_default();
        let drawn = rng.u64(0..total);
        self.sums.partition_point(|&sum| sum <= drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_by_weight_and_never_a_choice_of_weight_zero() {
        let choices = Weighted::new([0, 1, 0, 9, 0]);
        let mut rng = Rng::with_seed(1);
        let mut picked = [0; 5];
        for _ in 0..1000 {
            picked[choices.pick(&mut rng)] += 1;
        }
        assert_eq!((picked[0], picked[2], picked[4]), (0, 0, 0));
        assert!(picked[1] > 50 && picked[3] > 850, "{picked:?}");
    }
}
