//! Which of a workspace's months a survey visits, by age: 0 for the last one.
//!
//! Half of the visits go to months of any age, half to recent ones: as many to the ages from 1 to 2 as to those from 10 to 20. An
//! interval that begins years before the first run would otherwise be found empty. What is visited more often than others counts
//! less for it.

/// The age of a month that is visited, of so many. `position` is from 0 to 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the count of months")]
pub fn pick(months: u32, position: f64, is_any_age: bool) -> u32 {
    let months = f64::from(months);
    let age = if is_any_age { months * position } else { (position * (months + 1.0).ln()).exp() - 1.0 };
    age.clamp(0.0, months - 1.0) as u32
}

/// How much a month of this age counts, because of how often such months are visited: 1 on average over all months.
pub fn weight(months: u32, age: u32) -> f64 {
    let (months, age) = (f64::from(months), f64::from(age));
    let recent = ((age + 2.0) / (age + 1.0)).ln() / (months + 1.0).ln();
    2.0 / (1.0 + recent * months)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_count_as_much_as_they_are_visited_less() {
        for months in [1, 2, 12, 143, 1_200] {
            let visits = 100_000;
            let mut count = vec![0.0; months as usize];
            for visit in 0..visits {
                let position = f64::from(visit) / f64::from(visits);
                for is_any_age in [false, true] {
                    count[pick(months, position, is_any_age) as usize] += 0.5 / f64::from(visits);
                }
            }
            for (age, share) in (0..).zip(count) {
                let counts = share * weight(months, age) * f64::from(months);
                assert!((counts - 1.0).abs() < 0.02, "{age} of {months}: {counts}");
            }
        }
    }
}
