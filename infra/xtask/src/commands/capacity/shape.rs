//! The shapes of data: how many partitions the rows of an export are in, and how large these are.

/// Workspaces of the second shape.
const WORKSPACES: u128 = 50;
/// Months of the second shape.
const MONTHS: u128 = 12;
/// What a fraction is counted in.
const UNIT: u128 = 1_000_000_000_000;

/// A shape of data. Both are measured by `cargo xtask bench --table`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All rows are of one workspace and one month.
    OnePartition,
    /// 50 workspaces, of which the largest has twice as many rows as the second and so on, and 12 equal months.
    Workspaces,
}

impl Shape {
    /// Both.
    pub const ALL: [Self; 2] = [Self::OnePartition, Self::Workspaces];

    /// Its name, as the benchmark writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnePartition => "one partition",
            Self::Workspaces => "50 workspaces, 12 months",
        }
    }

    /// The sizes of the partitions, the largest first, each with how many there are of it. They are rounded up.
    pub fn partitions(self, rows: u128) -> Vec<(u128, u128)> {
        match self {
            Self::OnePartition => vec![(rows, 1)],
            Self::Workspaces => {
                let harmonic: u128 = (1..=WORKSPACES).map(|rank| UNIT / rank).sum();
                let size = |rank| (rows * UNIT).div_ceil(rank * harmonic * MONTHS);
                (1..=WORKSPACES).map(|rank| (size(rank), MONTHS)).collect()
            }
        }
    }

    /// The rows of the largest partition.
    pub fn largest_partition(self, rows: u128) -> u128 {
        self.partitions(rows)[0].0.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_workspace_has_its_share_of_zipf() {
        // H(50) is 4.49920533833; a billion divided by it and by twelve.
        assert_eq!(Shape::Workspaces.largest_partition(1_000_000_000), 18_521_790);
        let all: u128 =
            Shape::Workspaces.partitions(1_000_000).iter().map(|(rows, count)| rows * count).sum();
        assert!((1_000_000..=1_000_600).contains(&all), "{all}");
        assert_eq!(Shape::OnePartition.partitions(5), [(5, 1)]);
    }
}
