//! What must hold in every state.
//!
//! Liveness is safety here. No order of events goes round in a circle (`checks` proves it), so each run comes to an end,
//! and what must happen "in the end" must be so in each state in which nothing can happen any more.

use stateright::{Model as _, Property};

use crate::{
    machines::Told,
    protocol::{Protocol, bit},
    world::{Process, World},
};

pub(crate) const SENT_ONCE: &str = "without crash and loss, no refresh token is sent twice or seen used";
pub(crate) const WHOLE_FILE: &str = "the file holds a complete pair, and never an older one than before";
pub(crate) const ONE_SPENDS: &str = "one process at a time spends";
pub(crate) const LEASE_IS_STORED: &str = "a lease is valid, issued by the server, and stored";
pub(crate) const LOST_BY_A_CUT: &str =
    "a login is lost only by a crash or a loss between sending and renaming";
pub(crate) const NAMES_THE_LOSS: &str = "whoever lost an answer says that it may have cost the login";
pub(crate) const USABLE_AT_THE_END: &str =
    "in the end each process has a usable lease, unless the login is lost";
/// Holds against a server with a reuse window only.
pub(crate) const NEVER_LOST: &str = "no login is lost";
/// Does not hold: a limit of what a process can know.
pub(crate) const ALWAYS_NAMED: &str = "every process that asks for a login says that an answer was lost";

/// Happens; it shows that the model is awake.
pub(crate) const RENEWED_TWICE: &str = "two renewals are stored and every process has the second";

pub(crate) fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always(SENT_ONCE, sent_once),
        Property::always(WHOLE_FILE, whole_file),
        Property::always(ONE_SPENDS, |_, world: &World| {
            world.processes.iter().filter(|process| process.is_spending()).count() <= 1
        }),
        Property::always(LEASE_IS_STORED, |model: &Protocol, world: &World| {
            world.running().all(|process| lease_is_stored(world, model.told(process, world)))
        }),
        Property::always(LOST_BY_A_CUT, |_, world: &World| world.noted.cut || !is_lost(world)),
        Property::always(NAMES_THE_LOSS, |model: &Protocol, world: &World| {
            let mut lost = world.running().filter(|process| process.lost);
            lost.all(|process| model.told(process, world) != LOST_FOR_NO_REASON)
        }),
        Property::always(USABLE_AT_THE_END, |model: &Protocol, world: &World| {
            is_lost(world) || model.all_ready(world) || !model.is_over(world)
        }),
        Property::always(NEVER_LOST, |_, world: &World| !is_lost(world)),
        Property::always(ALWAYS_NAMED, |model: &Protocol, world: &World| {
            world.running().all(|process| model.told(process, world) != LOST_FOR_NO_REASON)
        }),
        Property::sometimes(RENEWED_TWICE, |model: &Protocol, world: &World| {
            world.file.refresh == 2 && model.all_ready(world)
        }),
    ]
}

const LOST_FOR_NO_REASON: Told = Told::LoginRequired { maybe_consumed: false };

fn sent_once(_: &Protocol, world: &World) -> bool {
    let trouble = world.crashes + world.losses + world.disk_failures > 0;
    trouble || !(world.noted.resent || world.noted.reused)
}

fn whole_file(_: &Protocol, world: &World) -> bool {
    world.file.access == world.file.refresh && !world.noted.went_back
}

fn lease_is_stored(world: &World, told: Told) -> bool {
    match told {
        Told::Ready { access, is_valid } => {
            is_valid && access <= world.server.newest && world.noted.stored & bit(access) != 0
        }
        Told::Pending | Told::Failed | Told::LoginRequired { .. } => true,
    }
}

/// Whether nobody can go on with what there is: the file's token is no good, and nobody is about to write a better one.
fn is_lost(world: &World) -> bool {
    let is_renewing = |process: &Process| process.is_spending() || process.unstored;
    world.server.revoked
        || !(world.server.accepts(world.file.refresh) || world.processes.iter().any(is_renewing))
}

impl World {
    fn running(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(|process| !process.is_down())
    }
}

impl Protocol {
    /// Whether nothing can happen any more.
    pub(crate) fn is_over(&self, world: &World) -> bool {
        let mut actions = Vec::new();
        self.actions(world, &mut actions);
        actions.into_iter().all(|action| self.next_state(world, action).is_none())
    }

    fn all_ready(&self, world: &World) -> bool {
        world.processes.iter().all(|process| !process.is_down())
            && world.running().all(|process| matches!(self.told(process, world), Told::Ready { .. }))
    }
}
