//! How many pages seem to be left of what is being read, if the rest is as dense as what was read.

use std::time::Duration;

use usage_export::export::Range;
use usage_records::page::{Page, UNITS_OF_PAGE};
use usage_records::plan::Plan;

/// How many pages are read, at least, before it is guessed how many are left.
const MIN_PAGES_READ: u32 = 2;

/// Pages count by their size: a year of fifty workspaces with few rows has six hundred pages, and is a small export. Small pages are read many at a
/// time, so one takes about a sixty-fourth of the time of a full one.
const PARTS_OF_PAGE: u64 = 64;

/// Where a page ends, in the time that a range covers.
#[derive(Debug, Clone)]
pub struct Place {
    /// How much of the time is read with it.
    pub covered: Duration,
    /// Of which workspace it is.
    workspace_id: String,
    /// How much of the time is read once all of that workspace is.
    end_of_workspace: Duration,
    /// How many parts of a full page it is, of [`PARTS_OF_PAGE`].
    parts: u64,
}

impl Place {
    /// Where a page of this range ends.
    pub fn of(page: &Page, plan: &Plan, range: &Range) -> Self {
        let partition = &page.partition;
        let end_of_partition = partition.covered_before + partition.time.length();
        Self {
            covered: partition.covered_up_to(&page.up_to),
            workspace_id: partition.workspace_id.clone(),
            end_of_workspace: end_of_partition + plan.later_of_workspace(range, partition),
            parts: if page.is_full { PARTS_OF_PAGE } else { parts_of_page(page.read_units) },
        }
    }
}

/// How many parts of a full page one that is not full is. If nobody tells its units, it counts as a full one.
fn parts_of_page(read_units: u64) -> u64 {
    match read_units {
        0 => PARTS_OF_PAGE,
        units => (units * PARTS_OF_PAGE).div_ceil(u64::from(UNITS_OF_PAGE)).min(PARTS_OF_PAGE),
    }
}

/// Pages, and the time that they cover since a place.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    pages: u32,
    /// Their sizes, in parts of a full page.
    parts: u64,
    from: Duration,
}

impl Stretch {
    /// How many full pages so much `left` has, if it is as dense. `None` if that is not known yet.
    fn pages_in(self, left: Duration, covered: Duration) -> Option<u128> {
        let read = covered.saturating_sub(self.from).as_millis();
        if self.pages < MIN_PAGES_READ {
            return None;
        }
        let read = read * u128::from(PARTS_OF_PAGE);
        (read > 0).then(|| (left.as_millis() * u128::from(self.parts)).div_ceil(read))
    }

    fn add(&mut self, parts: u64) {
        self.pages += 1;
        self.parts += parts;
    }
}

/// What was read since a place: as a whole, and of the workspace that is being read. Workspaces differ in density by orders of magnitude, the
/// months of one do not.
#[derive(Debug, Clone)]
pub struct Density {
    all: Stretch,
    of_workspace: Stretch,
    workspace_id: String,
    /// Where the last page ended.
    covered: Duration,
}

impl Density {
    /// Nothing is read yet behind what is `covered`.
    pub fn new(covered: Duration) -> Self {
        let none = Stretch { pages: 0, parts: 0, from: covered };
        Self { all: none, of_workspace: none, workspace_id: String::new(), covered }
    }

    /// One more page, which ends there.
    pub fn add(&mut self, at: &Place) {
        if self.workspace_id != at.workspace_id {
            self.workspace_id.clone_from(&at.workspace_id);
            self.of_workspace = Stretch { pages: 0, parts: 0, from: self.covered };
        }
        self.all.add(at.parts);
        self.of_workspace.add(at.parts);
        self.covered = at.covered;
    }

    /// How many full pages seem to be left of `all` the time after the last page, which ended there; 0 if that cannot be told yet.
    pub fn pages_left(&self, at: &Place, all: Duration) -> u32 {
        let end_of_workspace = at.end_of_workspace.min(all);
        let of_workspace = end_of_workspace.saturating_sub(at.covered);
        let behind = all.saturating_sub(at.covered.max(end_of_workspace));
        let Some(pages_behind) = self.all.pages_in(behind, at.covered) else { return 0 };
        let pages = self.of_workspace.pages_in(of_workspace, at.covered);
        let pages = pages.or_else(|| self.all.pages_in(of_workspace, at.covered)).unwrap_or_default();
        u32::try_from(pages + pages_behind).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    /// A page that ends at this minute, of a workspace that ends at another one.
    fn page(minute: u32, workspace: (&str, u32)) -> Place {
        Place {
            covered: MINUTE * minute,
            workspace_id: workspace.0.to_owned(),
            end_of_workspace: MINUTE * workspace.1,
            parts: PARTS_OF_PAGE,
        }
    }

    /// How many pages are left after one more.
    fn left_after(density: &mut Density, at: &Place, all: u32) -> u32 {
        density.add(at);
        density.pages_left(at, MINUTE * all)
    }

    #[test]
    fn a_workspace_goes_on_as_it_began_and_the_others_are_like_all_before() {
        let mut density = Density::new(Duration::ZERO);
        let mut left = |minute, workspace| left_after(&mut density, &page(minute, workspace), 1_000);
        assert_eq!(left(100, ("wsp_1", 200)), 0, "one page says nothing");
        assert_eq!(left(200, ("wsp_1", 200)), 8, "a page for a hundred minutes");
        assert_eq!(
            left(201, ("wsp_2", 300)),
            (3 * 99_u32).div_ceil(201) + (3 * 700_u32).div_ceil(201),
            "the first page of a workspace says nothing either"
        );
        assert_eq!(
            left(202, ("wsp_2", 300)),
            98 + (4 * 700_u32).div_ceil(202),
            "it has a page for each minute"
        );
        assert_eq!(left(300, ("wsp_2", 300)), (5 * 700_u32).div_ceil(300));
        assert_eq!(left(1_000, ("wsp_3", 1_000)), 0);
    }

    #[test]
    fn a_split_within_the_workspace_shortens_what_is_left() {
        let mut density = Density::new(MINUTE * 10);
        density.add(&page(11, ("wsp_1", 300)));
        let second = page(12, ("wsp_1", 300));
        assert_eq!(left_after(&mut density, &second, 300), 288);
        assert_eq!(density.pages_left(&second, MINUTE * 50), 38);
        assert_eq!(left_after(&mut density, &page(13, ("wsp_1", 300)), 50), 37);
        assert_eq!(left_after(&mut density, &page(13, ("wsp_1", 300)), 13), 0);
    }

    #[test]
    fn pages_count_by_their_size() {
        assert_eq!([0, 1, 4, 5, 252, 253, 256, 300].map(parts_of_page), [64, 1, 1, 2, 63, 64, 64, 64]);
        let mut density = Density::new(Duration::ZERO);
        let mut left =
            |minute| left_after(&mut density, &Place { parts: 1, ..page(minute, ("wsp_1", 602)) }, 602);
        assert_eq!([left(1), left(2)], [0, 10], "600 small pages");
    }

    #[test]
    fn pages_that_cover_no_time_say_nothing() {
        let mut density = Density::new(MINUTE);
        for _ in 0..3 {
            assert_eq!(left_after(&mut density, &page(1, ("wsp_1", 10)), 10), 0);
        }
    }
}
