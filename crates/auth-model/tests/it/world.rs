//! Everything there is: processes, the file, the server, and what is on its way between them.

use crate::machines::{Answer, MachineId, Now, Tokens};

pub(crate) const PROCESSES: usize = 3;

/// One state of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// In the order of what they are doing, so that states that differ only in who does it are one state.
    pub(crate) processes: [Process; PROCESSES],
    pub(crate) file: Tokens,
    pub(crate) server: Server,
    /// Requests on the wire whose process is dead or no longer listens: the server may get them at any time, or never.
    pub(crate) strays: Vec<u8>,
    /// How many lifetimes of a token have passed.
    pub(crate) era: u8,
    pub(crate) crashes: u8,
    pub(crate) losses: u8,
    pub(crate) disk_failures: u8,
    pub(crate) refusals: u8,
    pub(crate) noted: Noted,
}

/// What happened on the way here, for the properties.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Noted {
    /// The refresh tokens that were sent, one bit each.
    pub(crate) sent: u16,
    /// The pairs that were in the file, one bit each.
    pub(crate) stored: u16,
    /// A refresh token was sent twice.
    pub(crate) resent: bool,
    /// The server saw a refresh token that had been used before.
    pub(crate) reused: bool,
    /// The file got older.
    pub(crate) went_back: bool,
    /// A process died, an answer got lost, or a disk failed, between the sending of a refresh token and the rename of
    /// the file that has the answer: the only time when a commit of the server can go by unseen.
    pub(crate) cut: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Process {
    pub(crate) place: Place,
    /// None in a process that does not run.
    pub(crate) machine: Option<MachineId>,
    pub(crate) has_lock: bool,
    /// The answer to an exchange of what the machine holds got lost.
    pub(crate) lost: bool,
    /// The newest tokens could not be stored.
    pub(crate) unstored: bool,
    /// In how many seconds the machine wants to be woken.
    pub(crate) wake: Option<u8>,
    /// How long this process has waited in this era, in seconds.
    pub(crate) waited: u8,
}

/// How far the driver of a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    Down,
    Resting,
    /// The machine wants an exchange of this refresh token, and the lock has to be taken.
    BeforeLock(u8),
    /// The file has to be read again.
    BeforeReading(u8),
    /// The request is under way.
    Sent(u8),
    /// The answer is under way.
    Answered(Answer),
    /// A new file is written beside the old one.
    Writing(Tokens),
    /// Half of the old file was overwritten: only a store that writes in place comes here.
    HalfWritten(Tokens),
    /// The new file has replaced the old one, and the machine has to be told.
    Renamed(Tokens),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) reuse: Reuse,
    /// The number of the newest pair. Its refresh token is good, unless the login is revoked.
    pub(crate) newest: u8,
    /// The access tokens of the pairs before this one are refused.
    pub(crate) refused: u8,
    pub(crate) window_is_open: bool,
    pub(crate) revoked: bool,
}

/// What a server does when a used refresh token comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reuse {
    /// It takes it for theft and ends the login.
    Revokes,
    /// If it is the one used last, for a time, it gives the same pair again; otherwise it ends the login.
    Window,
}

impl Server {
    /// Answers an exchange, and notes what is worth noting.
    pub(crate) fn answer(&mut self, refresh: u8, noted: &mut Noted) -> Answer {
        noted.reused |= refresh < self.newest;
        if self.revoked {
            return Answer::InvalidGrant;
        }
        if refresh == self.newest {
            self.newest += 1;
            self.window_is_open = true;
        } else if !self.forgives(refresh) {
            self.revoked = true;
            return Answer::InvalidGrant;
        }
        Answer::Pair(self.newest)
    }

    /// Whether an exchange of this token would give a pair.
    pub(crate) fn accepts(&self, refresh: u8) -> bool {
        !self.revoked && (refresh == self.newest || self.forgives(refresh))
    }

    fn forgives(&self, refresh: u8) -> bool {
        self.reuse == Reuse::Window && self.window_is_open && refresh + 1 == self.newest
    }
}

impl World {
    /// Enough time passes for what is on its way to arrive or to get lost.
    pub(crate) fn be_quiet(&mut self) {
        self.strays.clear();
        self.server.window_is_open = false;
    }
}

impl Process {
    pub(crate) fn is_down(&self) -> bool {
        self.place == Place::Down
    }

    /// Whether its refresh token is being spent: sent, and no answer stored.
    pub(crate) fn is_spending(&self) -> bool {
        matches!(self.place, Place::Sent(_) | Place::Answered(_) | Place::Writing(_) | Place::HalfWritten(_))
    }

    /// Whether it waits for the network.
    pub(crate) fn is_on_the_wire(&self) -> bool {
        matches!(self.place, Place::Sent(_) | Place::Answered(_))
    }

    pub(crate) fn now(&self, era: u8) -> Now {
        Now { era, waited: self.waited }
    }
}
