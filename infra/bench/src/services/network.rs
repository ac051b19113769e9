//! The network of a function: how long answers take to arrive.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a service takes before its answer begins: DynamoDB answers within "single-digit milliseconds", and the way
/// there and back comes on top.
pub const LATENCY: Duration = Duration::from_millis(10);
/// What a function's network carries in each direction. AWS tells no figure; what people measure is some 600 Mbit/s,
/// whatever the memory of the function and however many connections it has.
pub const BYTES_PER_SECOND: f64 = 75e6;

/// What is smaller passes between the packets of others.
const SMALL_BYTES: u64 = 64 * 1024;

/// Which way bytes go.
#[derive(Debug, Clone, Copy)]
pub enum Direction {
    /// To the function.
    Down,
    /// From it.
    Up,
}

/// The network of one function. All its connections share it, and each direction is used for itself.
#[derive(Debug)]
pub struct Link {
    /// When each direction has carried what it was given.
    free: Mutex<[Instant; 2]>,
}

impl Link {
    /// A network that carries nothing yet.
    pub fn new(now: Instant) -> Self {
        Self { free: Mutex::new([now; 2]) }
    }

    /// When an answer has arrived whose request came now, if so many bytes go in this direction for it.
    pub fn arrival(&self, direction: Direction, bytes: u64, now: Instant) -> Instant {
        if bytes < SMALL_BYTES {
            return now + LATENCY + transfer_time(bytes);
        }
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = &mut free[direction as usize];
        *free = (*free).max(now + LATENCY) + transfer_time(bytes);
        *free
    }
}

/// How long one function's network takes for so many bytes.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn transfer_time(bytes: u64) -> Duration {
    Duration::from_secs_f64(bytes as f64 / BYTES_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_OF_BYTES: u64 = 75_000_000;

    #[test]
    fn answers_at_the_same_time_share_the_network() {
        let now = Instant::now();
        let link = Link::new(now);
        let second = Duration::from_secs(1);
        let arrivals = [0; 2].map(|_| link.arrival(Direction::Down, SECOND_OF_BYTES, now));
        assert_eq!(arrivals, [now + LATENCY + second, now + LATENCY + 2 * second]);
        assert_eq!(link.arrival(Direction::Up, SECOND_OF_BYTES, now), now + LATENCY + second);
    }

    #[test]
    fn a_small_request_does_not_wait_for_a_large_one() {
        let now = Instant::now();
        let link = Link::new(now);
        link.arrival(Direction::Up, SECOND_OF_BYTES, now);
        assert_eq!(link.arrival(Direction::Up, 0, now), now + LATENCY);
    }

    #[test]
    fn a_network_that_was_idle_has_nothing_saved_up() {
        let now = Instant::now();
        let link = Link::new(now);
        let later = now + Duration::from_mins(1);
        let arrival = link.arrival(Direction::Down, SECOND_OF_BYTES, later);
        assert_eq!(arrival, later + LATENCY + Duration::from_secs(1));
    }
}
