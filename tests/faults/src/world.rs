//! What scenarios work with: organizations with random usage records, exports that are asked for through the API, and the
//! examination of what became of them.

mod examine;
mod outcome;
mod post;
pub mod queue;
mod seeded_org;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;

pub use self::outcome::{Demands, Outcome};
pub use self::post::{Posted, post};
pub use self::seeded_org::{SeededOrg, Size};
use crate::proxy::{Faults, Rule};

/// How long a scenario waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the last request until every export must have ended.
    pub end: Duration,
    /// From then until emails are sent, left-overs deleted and messages gone.
    pub settle: Duration,
    /// The lease of a worker and some time more: a worker that is frozen for this long has lost its export.
    pub beyond_lease: Duration,
    /// How long a message is out of sight when a worker has got it. In the template it is longer than a worker may run, so
    /// that a scenario would wait for a quarter of an hour until a dead worker's message comes back.
    pub visibility: Duration,
}

/// Handed to every scenario. Clones are the same world.
#[derive(Clone)]
pub struct World {
    /// What happens to the calls of the functions.
    pub faults: Faults,
    /// How long to wait.
    pub limits: Limits,
    /// Fewer and smaller exports.
    pub quick: bool,
    rng: Arc<Mutex<Rng>>,
    examined: Arc<Mutex<BTreeSet<String>>>,
}

impl World {
    /// A world without exports.
    pub fn new(faults: Faults, limits: Limits, quick: bool) -> Self {
        Self { faults, limits, quick, rng: Arc::default(), examined: Arc::default() }
    }

    /// Makes the random data, requests and faults follow from this number from now on.
    pub fn seed(&self, seed: u64) {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).seed(seed);
        self.faults.seed(seed);
    }

    /// One of two numbers: for `--quick`, and for a full run.
    pub fn choose<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// A generator of random numbers that follows from the seed.
    pub fn rng(&self) -> Rng {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fork()
    }

    /// Makes an organization for each of the sizes, while there are no faults.
    pub async fn orgs(&self, sizes: &[Size]) -> Vec<Arc<SeededOrg>> {
        self.faults.end();
        let mut orgs = Vec::new();
        for size in sizes {
            orgs.push(Arc::new(SeededOrg::create(*size, &mut self.rng()).await));
        }
        orgs
    }

    /// Sets the rules, asks for this many random exports in each organization at the same time, waits until all have ended,
    /// and examines what became of them.
    pub async fn export_with(
        &self,
        orgs: &[Arc<SeededOrg>],
        exports_per_org: usize,
        rules: Vec<Rule>,
    ) -> Outcome {
        self.faults.set(rules);
        let mut rng = self.rng();
        let requests = orgs.iter().flat_map(|org| vec![org; exports_per_org]);
        let requests: Vec<_> = requests.map(|org| (Arc::clone(org), org.random_request(&mut rng))).collect();
        let posted = post(self, requests).await;
        self.examine(orgs, posted).await
    }

    /// Those of all exports that were examined that have more than one email now.
    pub async fn several_emails(&self) -> Vec<String> {
        let ids = self.examined.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let counts = examine::count_emails(ids.iter()).await;
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(id, _)| id).collect()
    }
}
