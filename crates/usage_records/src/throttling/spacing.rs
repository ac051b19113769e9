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
}

impl Spacing {
    /// Reads that were not kept apart before a refusal.
    pub(super) fn new(interval: Duration, now: Instant) -> Self {
        Self { interval, next: now, lengthened: None, was_refused: false }
    }

    /// When whoever wants to read now may do it.
    pub(super) fn turn(&mut self, now: Instant) -> Instant {
        let turn = self.next.max(now);
        self.next = turn + self.interval;
        turn
    }

    /// A read was refused that had been refused so often before. Returns how long to pause at most.
    pub(super) fn refused(&mut self, before: u32, now: Instant) -> Duration {
        let is_same = self.lengthened.is_some_and(|at| now.duration_since(at) < ONE_REFUSAL);
        // The pause answers a refusal that follows another one.
        if !is_same && !self.was_refused {
            self.interval = (self.interval * 5 / 4).min(LONGEST);
            self.lengthened = Some(now);
        }
        self.was_refused = true;
        // Sooner there would be no units for a page.
        pause_of(before).max(self.interval)
    }

    /// After a pause, when the read is asked for again: the next read comes an interval after this one.
    pub(super) fn paused(&mut self, now: Instant) {
        self.next = self.next.max(now + self.interval);
    }

    /// A page came. Returns whether reads need not be kept apart any more.
    pub(super) fn succeeded(&mut self) -> bool {
        self.was_refused = false;
        let share = self.interval.as_secs_f64() / RECOVERY.as_secs_f64();
        self.interval -= (self.interval / 32).min(self.interval.mul_f64(share));
        self.interval < SHORTEST_INTERVAL
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
        spacing.succeeded();
        assert!(spacing.refused(0, now + Duration::from_secs(2)) > longer);
    }

    #[test]
    fn turns_are_apart() {
        let now = Instant::now();
        let mut spacing = Spacing::new(Duration::from_millis(80), now);
        let turns = [(); 3].map(|()| spacing.turn(now).duration_since(now).as_millis());
        assert_eq!(turns, [0, 80, 160]);
        let later = now + Duration::from_secs(1);
        assert_eq!(spacing.turn(later), later, "turns that nobody wanted are not saved up");
    }

    #[test]
    fn many_pages_end_it() {
        let mut spacing = Spacing::new(Duration::from_millis(80), Instant::now());
        spacing.refused(0, Instant::now());
        let (mut pages, mut took) = (0, Duration::ZERO);
        while !spacing.succeeded() {
            (pages, took) = (pages + 1, took + spacing.interval);
        }
        assert!((1_000..2_000).contains(&pages) && took < Duration::from_secs(15), "{pages}, {took:?}");
    }
}
