//! How many partitions are asked for at the same time: a few where there are many rows, many where there are few or none.

use std::collections::VecDeque;

/// At most so many first pages are in flight. Small answers are a few kilobytes, and DynamoDB takes requests in parallel.
const MAX_WINDOW: usize = 64;

/// Requests for the first pages of partitions that are in flight, in order.
pub(crate) struct ReadAhead<I, R> {
    partitions: I,
    in_flight: VecDeque<R>,
    /// How many may be in flight where pages are large.
    min_window: usize,
    /// How many may be in flight now.
    window: usize,
}

impl<I: Iterator, R> ReadAhead<I, R> {
    /// Nothing is in flight yet. Where pages are large, `min_window` requests will be.
    pub fn new(partitions: I, min_window: usize) -> Self {
        let min_window = min_window.max(1);
        Self { partitions, in_flight: VecDeque::new(), min_window, window: min_window }
    }

    /// Takes the oldest request, after it has made those that may be in flight beside it. `None` after the last partition.
    ///
    /// `request` is told whether the partition is one of many that are read ahead on the guess that they are small.
    pub fn next(&mut self, mut request: impl FnMut(I::Item, bool) -> R) -> Option<R> {
        while self.in_flight.len() < self.window
            && let Some(partition) = self.partitions.next()
        {
            let is_guess = self.in_flight.len() >= self.min_window;
            self.in_flight.push_back(request(partition, is_guess));
        }
        self.in_flight.pop_front()
    }

    /// After the first page of a partition arrived: the window doubles while partitions are small, and has its least size again
    /// as soon as one is not.
    pub fn arrived(&mut self, is_small: bool) {
        self.window =
            if is_small { (self.window * 2).min(MAX_WINDOW.max(self.min_window)) } else { self.min_window };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many requests are made at each step, if the partitions of these indexes are large.
    fn made(partitions: usize, large: &[usize]) -> Vec<usize> {
        let mut ahead = ReadAhead::new(0..partitions, 4);
        let (mut steps, mut total) = (Vec::new(), 0);
        loop {
            let mut requests = 0;
            let next = ahead.next(|partition, _| {
                requests += 1;
                partition
            });
            let Some(partition) = next else { break };
            assert_eq!(partition, total, "in order");
            total += 1;
            steps.push(requests);
            ahead.arrived(!large.contains(&partition));
        }
        assert_eq!(total, partitions, "every partition is read");
        steps
    }

    #[test]
    fn the_window_grows_over_small_partitions_and_shrinks_at_large_ones() {
        let all: Vec<_> = (0..20).collect();
        assert_eq!(made(20, &all)[..4], [4, 1, 1, 1]);
        assert_eq!(made(200, &[])[..6], [4, 5, 9, 17, 33, 1]);
        // Nothing is asked for until the many that are in flight have arrived.
        let after_large = made(200, &(100..200).collect::<Vec<_>>());
        assert_eq!(after_large[101..160].iter().sum::<usize>(), 0, "{after_large:?}");
        assert_eq!(made(0, &[]), Vec::<usize>::new());
    }

    #[test]
    fn only_what_is_beyond_the_least_window_is_a_guess() {
        let mut ahead = ReadAhead::new(0..100, 2);
        let mut guesses = Vec::new();
        for _ in 0..3 {
            ahead.next(|partition, is_guess| guesses.push((partition, is_guess)));
            ahead.arrived(true);
        }
        assert_eq!(guesses[..5], [(0, false), (1, false), (2, false), (3, true), (4, true)]);
    }
}
