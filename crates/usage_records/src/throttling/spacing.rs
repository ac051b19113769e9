//! How far apart reads are after DynamoDB has throttled one of them.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause after a refusal. Each pause after it is twice as long, until a page comes.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause, and the longest interval.
const LONGEST: Duration = Duration::from_secs(2);

/// After so many doublings the pause is the longest.
const MAX_DOUBLINGS: u32 = 6;

/// Refusals within this time count as one: pages that were asked for at the same time are refused together.
const ONE_REFUSAL: Duration = Duration::from_millis(100);

/// In about this time without a refusal reads get three times as frequent, however many there are in it; fewer than ten a second take
/// longer.
const RECOVERY: Duration = Duration::from_secs(3);

/// For this time after a refusal more reads of a partition at the same time would not be faster.
const THROTTLED_FOR: Duration = Duration::from_secs(10);

/// After this time without a refusal reads are not kept apart any more.
const KEPT_FOR: Duration = Duration::from_mins(1);

/// What is nearer together than this is not kept apart any more.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(2);

/// The interval between reads. Reads are asked for as often as they are granted: each page that comes makes the interval a little shorter,
/// a refusal makes it a quarter longer. So few calls are refused, and each refusal costs a call.
#[derive(Debug)]
pub(super) struct Spacing {
    interval: Duration,
    /// When the next read may be asked for.
    next: Instant,
    /// When the interval was made longer.
    lengthened: Option<Instant>,
    was_refused: bool,
    /// When a read was last refused.
    refused: Instant,
}

impl Spacing {
    /// Reads that were not kept apart before a refusal.
    pub(super) fn new(interval: Duration, now: Instant) -> Self {
        Self { interval, next: now, lengthened: None, was_refused: false, refused: now }
    }

    /// When whoever wants to read now may do it. The next read may come the earlier, the smaller this part of a full page is.
    pub(super) fn turn(&mut self, part_of_page: f64, now: Instant) -> Instant {
        let turn = self.next.max(now);
        self.next = turn + self.interval.mul_f64(part_of_page);
        turn
    }

    /// Whether a read was refused lately.
    pub(super) fn is_throttled(&self, now: Instant) -> bool {
        now.duration_since(self.refused) < THROTTLED_FOR
    }

    /// A read was refused that had been refused so often before. Returns how long to pause at most.
    pub(super) fn refused(&mut self, before: u32, now: Instant) -> Duration {
        let is_same = self.lengthened.is_some_and(|at| now.duration_since(at) < ONE_REFUSAL);
        // The pause answers a refusal that follows another one.
        if !is_same && !self.was_refused {
            self.interval = (self.interval * 5 / 4).min(LONGEST);
            self.lengthened = Some(now);
        }
        (self.was_refused, self.refused) = (true, now);
        // Sooner there would be no units for a page.
        pause_of(before).max(self.interval)
    }

    /// After a pause, when the read is asked for again: the next read comes an interval after this one.
    pub(super) fn paused(&mut self, now: Instant) {
        self.next = self.next.max(now + self.interval);
    }

    /// A page came that was this part of a full one. Returns whether reads need not be kept apart any more.
    pub(super) fn succeeded(&mut self, part_of_page: f64, now: Instant) -> bool {
        self.was_refused = false;
        let share = (self.interval.as_secs_f64() / RECOVERY.as_secs_f64()).min(1.0 / 32.0);
        self.interval -= self.interval.mul_f64(share * part_of_page);
        self.interval < SHORTEST_INTERVAL || now.duration_since(self.refused) > KEPT_FOR
    }
}

fn pause_of(refusals: u32) -> Duration {
    (FIRST_PAUSE * (1 << refusals.min(MAX_DOUBLINGS))).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest() {
        let pauses: Vec<_> = (0..=MAX_DOUBLINGS).map(pause_of).collect();
        assert_eq!(pauses[..3], [50, 100, 200].map(Duration::from_millis));
        assert!(pauses.is_sorted());
        assert_eq!(pauses.last(), Some(&LONGEST));
        assert_eq!(pause_of(u32::MAX), LONGEST);
    }

    #[test]
    fn refusals_that_come_together_make_the_interval_longer_once() {
        let now = Instant::now();
        let mut spacing = Spacing::new(Duration::from_millis(80), now);
        let longer = Duration::from_millis(100);
        assert_eq!(
            [0, 0, 1, 2, 3].map(|before| spacing.refused(before, now)),
            [longer, longer, longer, 2 * longer, 4 * longer]
        );
        assert_eq!(spacing.refused(0, now + Duration::from_secs(1)), longer, "the pause is the answer to it");
        spacing.succeeded(1.0, now);
        assert!(spacing.refused(0, now + Duration::from_secs(2)) > longer);
    }

    #[test]
    fn turns_are_apart() {
        let now = Instant::now();
        let mut spacing = Spacing::new(Duration::from_millis(80), now);
        let turns = [1.0, 0.25, 1.0, 1.0].map(|part| spacing.turn(part, now).duration_since(now).as_millis());
        assert_eq!(turns, [0, 80, 100, 180], "a small page leaves more to the next");
        let later = now + Duration::from_secs(1);
        assert_eq!(spacing.turn(1.0, later), later, "turns that nobody wanted are not saved up");
    }

    #[test]
    fn many_pages_end_it_and_so_does_a_minute() {
        let (now, interval) = (Instant::now(), Duration::from_millis(80));
        let mut spacing = Spacing::new(interval, now);
        spacing.refused(0, now);
        let (mut pages, mut took) = (0, Duration::ZERO);
        while !spacing.succeeded(1.0, now) {
            (pages, took) = (pages + 1, took + spacing.interval);
        }
        assert!((1_000..2_000).contains(&pages) && took < Duration::from_secs(15), "{pages}, {took:?}");
        let mut spacing = Spacing::new(interval, now);
        assert!(!spacing.succeeded(0.01, now + Duration::from_secs(59)));
        assert!(spacing.succeeded(0.01, now + Duration::from_secs(61)));
    }

    #[test]
    fn a_partition_is_throttled_for_some_seconds() {
        let now = Instant::now();
        let mut spacing = Spacing::new(Duration::from_millis(80), now);
        let later = now + Duration::from_secs(20);
        assert_eq!([now, later].map(|at| spacing.is_throttled(at)), [true, false]);
        spacing.refused(0, later);
        assert!(spacing.is_throttled(later));
    }
}
