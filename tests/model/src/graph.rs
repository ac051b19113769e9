//! The graph of all states. The checker asks only whether each state is good; this asks whether a path can go round.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use stateright::Model;

#[derive(Debug, Default)]
pub struct Graph {
    /// For each state, the states that follow.
    pub following: Vec<Vec<u32>>,
}

impl Graph {
    /// All states that a model can reach.
    pub fn of<M>(model: &M) -> Self
    where
        M: Model,
        M::State: Clone + Eq + Hash,
    {
        let mut numbers: HashMap<M::State, u32> = HashMap::new();
        let mut graph = Self::default();
        let mut open = model.init_states();
        numbers.extend(open.iter().cloned().zip(0..));
        graph.following.resize(open.len(), Vec::new());
        while let Some(state) = open.pop() {
            let mut following = Vec::new();
            for next in model.next_states(&state) {
                let count = u32::try_from(numbers.len()).expect("fewer states than u32 has");
                following.push(match numbers.entry(next) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(new) => {
                        open.push(new.key().clone());
                        graph.following.push(Vec::new());
                        *new.insert(count)
                    }
                });
            }
            graph.following[numbers[&state] as usize] = following;
        }
        graph
    }

    /// Whether some path comes back to where it was: whether states remain after those that nothing leads to are taken away,
    /// again and again.
    pub fn has_cycle(&self) -> bool {
        let mut leading = vec![0_u32; self.following.len()];
        for next in self.following.iter().flatten() {
            leading[*next as usize] += 1;
        }
        let mut free: Vec<usize> = (0..leading.len()).filter(|&state| leading[state] == 0).collect();
        let mut taken = 0;
        while let Some(state) = free.pop() {
            taken += 1;
            for &next in &self.following[state] {
                leading[next as usize] -= 1;
                if leading[next as usize] == 0 {
                    free.push(next as usize);
                }
            }
        }
        taken < self.following.len()
    }
}
