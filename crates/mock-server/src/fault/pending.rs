//! The faults that have not happened yet.

use super::{Effect, Fault};

/// The faults to come.
#[derive(Debug)]
pub(crate) struct Faults {
    all: Vec<Fault>,
    chance: fastrand::Rng,
}

impl Faults {
    pub(crate) fn new(all: Vec<Fault>, seed: u64) -> Self {
        Self { all, chance: fastrand::Rng::with_seed(seed) }
    }

    pub(crate) fn push(&mut self, fault: Fault) {
        self.all.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
    }

    /// Those that have not happened yet, the next one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Fault> {
        self.all.iter()
    }

    /// Takes what is to happen to a connection that was just accepted.
    pub(crate) fn at_accept(&mut self) -> Option<Effect> {
        self.take(Fault::is_at_accept)
    }

    /// Takes what is to happen to a request to `path` with this credential.
    pub(crate) fn at_request(&mut self, path: &str, credential: Option<&str>) -> Option<Effect> {
        self.take(|fault| !fault.is_at_accept() && fault.is_for(path, credential))
    }

    fn take(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Effect> {
        let chance = &mut self.chance;
        let mut happens = |fault: &Fault| fault.probability >= 1.0 || chance.f64() < fault.probability;
        let index = self.all.iter().position(|fault| fault.times > 0 && wanted(fault) && happens(fault))?;
        let fault = self.all.get_mut(index)?;
        let effect = fault.effect.clone();
        if fault.times != u32::MAX {
            fault.times -= 1;
        }
        if fault.times == 0 {
            self.all.remove(index);
        }
        Some(effect)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{At, Ending};
    use super::*;

    fn faults() -> Faults {
        Faults::new(Vec::new(), 7)
    }

    #[test]
    fn a_fault_is_for_its_path_and_happens_as_often_as_it_says() {
        let mut faults = faults();
        faults.push(Fault::length(1).on("/a").times(2));
        faults.push(Fault::length(2));
        let mut at = |path| faults.at_request(path, None);
        assert!(matches!(at("/b"), Some(Effect::Length(2))));
        assert!(at("/b").is_none());
        assert!(at("/a").is_some() && at("/a").is_some());
        assert!(at("/a").is_none());
    }

    #[test]
    fn what_happens_to_a_connection_does_not_happen_to_a_request() {
        let mut faults = faults();
        faults.push(Fault::reset(At::Accept).always());
        assert!(faults.at_request("/a", None).is_none());
        for _ in 0..2 {
            assert!(matches!(faults.at_accept(), Some(Effect::End(At::Accept, Ending::Reset))));
        }
        faults.clear();
        assert!(faults.at_accept().is_none());
    }

    #[test]
    fn a_fault_can_be_for_one_credential_which_it_never_shows() {
        let mut faults = faults();
        faults.push(Fault::garbage().credential("the-secret").always());
        assert!(faults.at_request("/a", None).is_none() && faults.at_request("/a", Some("other")).is_none());
        assert!(faults.at_request("/a", Some("the-secret")).is_some());
        assert!(!format!("{faults:?}").contains("the-secret"));
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed() {
        let run = |seed, probability| -> Vec<bool> {
            let mut faults = Faults::new(vec![Fault::garbage().probability(probability).always()], seed);
            (0..200).map(|_| faults.at_request("/a", None).is_some()).collect()
        };
        assert_eq!(run(1, 0.25), run(1, 0.25));
        assert_ne!(run(1, 0.25), run(2, 0.25));
        let hits = run(1, 0.25).into_iter().filter(|hit| *hit).count();
        assert!((25..75).contains(&hits), "{hits}");
        assert!(run(1, 0.0).iter().all(|hit| !hit) && run(1, 1.0).iter().all(|hit| *hit));
    }
}
