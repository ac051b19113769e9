//! How much DynamoDB lets a table read in a second.

use std::collections::HashMap;
use std::time::Instant;

/// Read units a second of one partition, and of a table whose quota nobody has raised.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>
pub const PARTITION_UNITS: f64 = 3_000.0;
/// See [`PARTITION_UNITS`].
pub const TABLE_UNITS: f64 = 40_000.0;
/// One unit reads so many bytes, strongly consistent.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
const UNIT_BYTES: u64 = 4096;

/// The read units of so many bytes. A read that finds nothing costs one unit too.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn units(bytes: u64, is_consistent: bool) -> f64 {
    let units = bytes.div_ceil(UNIT_BYTES).max(1) as f64;
    if is_consistent { units } else { units / 2.0 }
}

/// Units that a table or a partition has left.
///
/// It holds those of one second. AWS keeps up to 300 seconds of unused units as burst capacity, but does not promise them:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html>
#[derive(Debug, Clone, Copy)]
struct TokenBucket {
    units_per_second: f64,
    units: f64,
    filled: Instant,
}

impl TokenBucket {
    /// An empty one.
    fn new(units_per_second: f64, now: Instant) -> Self {
        Self { units_per_second, units: 0.0, filled: now }
    }

    /// Adds what has come since the last call. Returns whether anything is left.
    fn fill(&mut self, now: Instant) -> bool {
        let come = now.saturating_duration_since(self.filled).as_secs_f64() * self.units_per_second;
        self.units = (self.units + come).min(self.units_per_second);
        self.filled = self.filled.max(now);
        self.units > 0.0
    }
}

/// Which limit a read was refused by, as the `ThrottlingReasons` of DynamoDB name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// That of the partition.
    ByPartition,
    /// That of the table.
    ByTable,
}

/// The units of a table and of its partitions.
#[derive(Debug)]
pub struct Throughput {
    started: Instant,
    table: TokenBucket,
    partitions: HashMap<String, TokenBucket>,
}

impl Throughput {
    /// Units come from now on. There are none at the beginning: those of a first second would let an export of a few
    /// seconds be faster than the limit.
    pub fn new(now: Instant) -> Self {
        Self { started: now, table: TokenBucket::new(TABLE_UNITS, now), partitions: HashMap::new() }
    }

    /// Takes the units of a read. DynamoDB lets a read begin while anything is left and learns then what it costs, so a
    /// bucket may owe units.
    ///
    /// # Errors
    ///
    /// The partition or the table has nothing left; nothing is taken.
    pub fn take(&mut self, partition: &str, units: f64, now: Instant) -> Result<(), Refused> {
        let started = self.started;
        if !self.partitions.contains_key(partition) {
            self.partitions.insert(partition.to_owned(), TokenBucket::new(PARTITION_UNITS, started));
        }
        let bucket = self.partitions.get_mut(partition).expect("just inserted");
        if !bucket.fill(now) {
            return Err(Refused::ByPartition);
        }
        if !self.table.fill(now) {
            return Err(Refused::ByTable);
        }
        bucket.units -= units;
        self.table.units -= units;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Units of a full page.
    const PAGE: f64 = 256.0;

    /// Reads whenever it may, once a millisecond, for so many milliseconds. Returns the units.
    fn read(throughput: &mut Throughput, from: Instant, millis: u64, partitions: usize) -> f64 {
        let mut units = 0.0;
        for millis in 0..millis {
            for partition in 0..partitions {
                let now = from + Duration::from_millis(millis);
                while throughput.take(&partition.to_string(), PAGE, now).is_ok() {
                    units += PAGE;
                }
            }
        }
        units
    }

    #[test]
    fn a_partition_gives_its_units_and_no_more() {
        let now = Instant::now();
        let units = read(&mut Throughput::new(now), now, 10_000, 1);
        assert!((units - 10.0 * PARTITION_UNITS).abs() <= PAGE, "{units}");
    }

    #[test]
    fn a_table_gives_less_than_its_partitions_together() {
        let now = Instant::now();
        let units = read(&mut Throughput::new(now), now, 10_000, 20);
        assert!((units - 10.0 * TABLE_UNITS).abs() <= PAGE, "{units}");
    }

    #[test]
    fn units_of_one_second_are_kept() {
        let now = Instant::now();
        let mut throughput = Throughput::new(now);
        let later = now + Duration::from_mins(1);
        let units = read(&mut throughput, later, 1, 1);
        assert!((PARTITION_UNITS..PARTITION_UNITS + PAGE).contains(&units), "{units}");
        assert_eq!(throughput.take("0", PAGE, later), Err(Refused::ByPartition));
        assert_eq!(throughput.take("1", PAGE, later), Ok(()));
    }

    #[test]
    fn what_a_read_costs() {
        let costs = [(0, true), (4096, true), (4097, true), (1024 * 1024, true), (1024 * 1024, false)];
        let halves = costs.map(|(bytes, consistent)| format!("{:.1}", units(bytes, consistent)));
        assert_eq!(halves, ["1.0", "1.0", "2.0", "256.0", "128.0"]);
    }
}
