//! The states once more, without the model checker: how many there are, and whether any run goes round in a circle.

use std::collections::HashMap;

use stateright::Model as _;

use crate::{protocol::Protocol, world::World};

/// What a search found.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) states: usize,
    /// States in which nothing can happen any more.
    pub(crate) ends: usize,
    pub(crate) has_a_circle: bool,
}

impl Graph {
    pub(crate) fn of(model: &Protocol) -> Self {
        let mut numbers: HashMap<World, usize> = HashMap::new();
        let mut waiting = Vec::new();
        let mut followers: Vec<Vec<usize>> = Vec::new();
        for world in model.init_states() {
            waiting.push((numbers.len(), world.clone()));
            numbers.insert(world, numbers.len());
        }
        while let Some((number, world)) = waiting.pop() {
            followers.resize(numbers.len(), Vec::new());
            for next in model.next_states(&world) {
                let fresh = numbers.len();
                let follower = *numbers.entry(next).or_insert_with_key(|next| {
                    waiting.push((fresh, next.clone()));
                    fresh
                });
                followers[number].push(follower);
            }
        }
        followers.resize(numbers.len(), Vec::new());
        let ends = followers.iter().filter(|followers| followers.is_empty()).count();
        Self { states: numbers.len(), ends, has_a_circle: !can_be_ordered(&followers) }
    }
}

/// Takes away, again and again, what nothing leads to; what is left in the end goes round in a circle.
fn can_be_ordered(followers: &[Vec<usize>]) -> bool {
    let mut leaders = vec![0_usize; followers.len()];
    followers.iter().flatten().for_each(|follower| leaders[*follower] += 1);
    let mut free: Vec<usize> = (0..followers.len()).filter(|number| leaders[*number] == 0).collect();
    let mut taken = 0;
    while let Some(number) = free.pop() {
        taken += 1;
        for follower in &followers[number] {
            leaders[*follower] -= 1;
            if leaders[*follower] == 0 {
                free.push(*follower);
            }
        }
    }
    taken == followers.len()
}

#[test]
fn a_circle_is_seen() {
    assert!(can_be_ordered(&[vec![1, 2], vec![2], vec![]]));
    assert!(!can_be_ordered(&[vec![1], vec![2], vec![1]]));
}
