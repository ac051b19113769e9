#![doc = include_str!("../README.md")]
#![expect(missing_docs, reason = "the README and the names say it")]

pub mod action;
pub mod call;
pub mod defect;
pub mod fault;
pub mod graph;
pub mod properties;
pub mod segments;
pub mod turns;
pub mod worker;
pub mod world;

pub use action::Action;
pub use defect::Defect;
pub use fault::Fault;
use stateright::{Model, Property};
pub use world::World;

/// The life of one export.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    /// How many rows the export has: fewer than [`world::PART_ROWS`] are written by one request.
    pub rows: u8,
    /// How often at most a worker saves by time, hands over near its deadline, or reads two rows at a time.
    pub variations: u8,
    /// How many faults it has at most.
    pub faults: u8,
    /// What is done wrong; `None` for the design as it is.
    pub defect: Option<Defect>,
}

impl Model for Life {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::created(*self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        actions.extend(world.steps(self.defect));
        actions.extend(world.arrivals());
        if world.faults_left > 0 {
            actions.extend(world.possible_faults().map(Action::Fault));
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        next.act(action, self.defect);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
