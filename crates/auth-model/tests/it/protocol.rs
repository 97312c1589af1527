//! What can happen next, and what comes of it.
//!
//! The steps of a process are those of `drive`, `work`, `transmit` and `look` in
//! `claude-sdk/src/credentials/oauth/driver.rs`, cut wherever another process, the network or a crash can come between.

use stateright::{Model, Property};

use crate::{
    machines::{Answer, Call, Machines, Said, SendCut, Tokens, Told, first},
    properties,
    world::{Noted, PROCESSES, Place, Process, Reuse, Server, World},
};

/// The model: who drives the machines, against what, and how much goes wrong at most.
#[derive(Debug)]
pub(crate) struct Protocol {
    pub(crate) driver: Driver,
    pub(crate) reuse: Reuse,
    pub(crate) crashes: u8,
    pub(crate) losses: u8,
    pub(crate) disk_failures: u8,
    pub(crate) refusals: u8,
    /// How many lifetimes of a token pass.
    pub(crate) eras: u8,
    pub(crate) machines: Machines,
}

/// Ours, or one with a mistake that the model has to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    Ours,
    TakesNoLock,
    DoesNotReadAgain,
    PublishesBeforeItStores,
    FreesTheLockBeforeItStores,
    FreesTheLockOverUnstoredTokens,
    KeepsTheLock,
    WritesInPlace,
    CallsALossNotSent,
}

/// What can happen; a process is named by its place in [`World::processes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Someone asks for access.
    Ask(usize),
    TakeLock(usize),
    Read(usize),
    /// The server gets the request and commits its answer.
    Serve(usize),
    Deliver(usize),
    /// The exchange ends without an answer.
    Lose(usize),
    /// Half of the file is overwritten.
    WriteHalf(usize),
    Rename(usize),
    ReportStored(usize),
    FailToWrite(usize),
    Wake(usize),
    Crash(usize),
    Restart(usize),
    /// The server gets a request that nobody waits for.
    ServeStray(usize),
    DropStray(usize),
    /// The server takes none of the access tokens any more that it has issued so far.
    EndAccess,
    /// A caller comes back with a token that was refused.
    Refuse(usize),
    /// All access tokens run out.
    PassEra,
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let file = first();
        let server =
            Server { reuse: self.reuse, newest: 0, refused: 0, window_is_open: false, revoked: false };
        vec![World {
            processes: [self.started(file); PROCESSES],
            file,
            server,
            strays: Vec::new(),
            era: 1,
            crashes: 0,
            losses: 0,
            disk_failures: 0,
            refusals: 0,
            noted: Noted { stored: 1, ..Noted::default() },
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let lock_is_free = world.processes.iter().all(|process| !process.has_lock);
        for (which, process) in world.processes.iter().enumerate() {
            if process.is_down() {
                actions.push(Action::Restart(which));
                continue;
            }
            actions.push(Action::Ask(which));
            if process.wake.is_some() {
                actions.push(Action::Wake(which));
            }
            if matches!(self.told(process, world), Told::Ready { access, .. } if access < world.server.refused)
            {
                actions.push(Action::Refuse(which));
            }
            if world.crashes < self.crashes {
                actions.push(Action::Crash(which));
            }
            let can_be_lost = world.losses < self.losses;
            match process.place {
                Place::Down | Place::Resting => {}
                Place::BeforeLock(_) if lock_is_free || self.driver == Driver::TakesNoLock => {
                    actions.push(Action::TakeLock(which));
                }
                Place::BeforeLock(_) => {}
                Place::BeforeReading(_) => actions.push(Action::Read(which)),
                Place::Sent(_) => actions.push(Action::Serve(which)),
                Place::Answered(_) => actions.push(Action::Deliver(which)),
                Place::Writing(_) if self.driver == Driver::WritesInPlace => {
                    actions.push(Action::WriteHalf(which));
                }
                Place::Writing(_) | Place::HalfWritten(_) => actions.push(Action::Rename(which)),
                Place::Renamed(_) => actions.push(Action::ReportStored(which)),
            }
            if process.is_on_the_wire() && can_be_lost {
                actions.push(Action::Lose(which));
            }
            if matches!(process.place, Place::Writing(_)) && world.disk_failures < self.disk_failures {
                actions.push(Action::FailToWrite(which));
            }
        }
        for which in 0..world.strays.len() {
            actions.extend([Action::ServeStray(which), Action::DropStray(which)]);
        }
        if world.refusals < self.refusals && self.is_quiet(world) {
            actions.push(Action::EndAccess);
        }
        if world.era < self.eras && self.is_quiet(world) {
            actions.push(Action::PassEra);
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut next = last.clone();
        self.act(&mut next, action);
        next.processes.sort_unstable();
        next.strays.sort_unstable();
        // Someone who asks and changes nothing is no step.
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

impl Protocol {
    /// Time is coarse: an exchange ends in the era in which it began, and a server's window, if it has one, is open as
    /// long as somebody still needs it (it "covers a restart").
    fn is_quiet(&self, world: &World) -> bool {
        let settled = self.reuse == Reuse::Revokes || world.file.refresh == world.server.newest;
        settled && !world.processes.iter().any(Process::is_on_the_wire)
    }

    fn act(&self, world: &mut World, action: Action) {
        match action {
            Action::Ask(which) => self.on(world, which, Self::ask),
            Action::TakeLock(which) => self.on(world, which, Self::take_lock),
            Action::Read(which) => self.on(world, which, Self::read),
            Action::Serve(which) => self.on(world, which, Self::serve),
            Action::Deliver(which) => self.on(world, which, Self::deliver),
            Action::Lose(which) => self.on(world, which, Self::lose),
            Action::WriteHalf(which) => self.on(world, which, Self::write_half),
            Action::Rename(which) => self.on(world, which, Self::rename),
            Action::ReportStored(which) => self.on(world, which, Self::report_stored),
            Action::FailToWrite(which) => self.on(world, which, Self::fail_to_write),
            Action::Wake(which) => self.on(world, which, Self::wake),
            Action::Crash(which) => self.on(world, which, Self::crash),
            Action::Restart(which) => world.processes[which] = self.started(world.file),
            Action::ServeStray(which) => {
                let refresh = world.strays.remove(which);
                let _nobody_listens = world.server.answer(refresh, &mut world.noted);
            }
            Action::DropStray(which) => drop(world.strays.remove(which)),
            Action::EndAccess => {
                world.refusals += 1;
                world.server.refused = world.server.newest + 1;
                world.be_quiet();
            }
            Action::Refuse(which) => self.on(world, which, Self::refuse),
            Action::PassEra => {
                world.era += 1;
                world.be_quiet();
                world.processes.iter_mut().for_each(|process| process.waited = 0);
            }
        }
    }

    fn on(&self, world: &mut World, which: usize, step: fn(&Self, &mut World, &mut Process)) {
        let mut process = world.processes[which];
        step(self, world, &mut process);
        world.processes[which] = process;
    }

    fn started(&self, file: Tokens) -> Process {
        Process {
            place: Place::Resting,
            machine: Some(self.machines.restored(file)),
            has_lock: false,
            lost: false,
            unstored: false,
            wake: None,
            waited: 0,
        }
    }

    fn ask(&self, world: &mut World, process: &mut Process) {
        self.look(world, process);
        if let Told::LoginRequired { .. } = self.told(process, world) {
            self.adopt(world, process);
            self.look(world, process);
        }
    }

    fn refuse(&self, world: &mut World, process: &mut Process) {
        self.call(process, world, Call::Refused);
        self.look(world, process);
    }

    fn look(&self, world: &mut World, process: &mut Process) {
        self.call(process, world, Call::Access);
        if process.place == Place::Resting {
            self.resume(world, process);
        }
    }

    /// Sets to work again; a machine that is idle leaves things as they are, and may wait for something now.
    fn resume(&self, world: &mut World, process: &mut Process) {
        match self.call(process, world, Call::Poll) {
            Said::Idle(wake) => process.wake = wake,
            said => self.obey(world, process, said),
        }
    }

    fn go_on(&self, world: &mut World, process: &mut Process) {
        let said = self.call(process, world, Call::Poll);
        self.obey(world, process, said);
    }

    fn obey(&self, world: &mut World, process: &mut Process, said: Said) {
        match said {
            Said::Send(refresh) if process.has_lock => self.send(world, process, refresh),
            Said::Send(refresh) => process.place = Place::BeforeLock(refresh),
            Said::Store(tokens) => {
                process.place = Place::Writing(tokens);
                process.has_lock &= self.driver != Driver::FreesTheLockBeforeItStores;
                if self.driver == Driver::PublishesBeforeItStores {
                    self.call(process, world, Call::Stored { generation: tokens.generation, ok: true });
                }
            }
            Said::Idle(wake) => {
                process.place = Place::Resting;
                process.wake = wake;
                let is_stored = process.machine.is_none_or(|machine| self.machines.is_stored(machine));
                process.has_lock &= match self.driver {
                    Driver::KeepsTheLock => true,
                    Driver::FreesTheLockOverUnstoredTokens => false,
                    _ => !is_stored,
                };
            }
        }
    }

    fn take_lock(&self, _: &mut World, process: &mut Process) {
        let Place::BeforeLock(refresh) = process.place else { return };
        process.has_lock = self.driver != Driver::TakesNoLock;
        process.place = Place::BeforeReading(refresh);
    }

    fn read(&self, world: &mut World, process: &mut Process) {
        let Place::BeforeReading(refresh) = process.place else { return };
        if self.driver != Driver::DoesNotReadAgain {
            self.adopt(world, process);
        }
        if process.machine.is_some_and(|machine| self.machines.wants(machine)) {
            self.send(world, process, refresh);
        } else {
            self.call(process, world, Call::Failed(SendCut::NotSent));
            self.go_on(world, process);
        }
    }

    fn adopt(&self, world: &mut World, process: &mut Process) {
        let before = process.machine;
        self.call(process, world, Call::Adopt(world.file));
        process.lost &= process.machine == before;
    }

    fn send(&self, world: &mut World, process: &mut Process, refresh: u8) {
        world.noted.resent |= world.noted.sent & bit(refresh) != 0;
        world.noted.sent |= bit(refresh);
        process.place = Place::Sent(refresh);
    }

    fn serve(&self, world: &mut World, process: &mut Process) {
        let Place::Sent(refresh) = process.place else { return };
        process.place = Place::Answered(world.server.answer(refresh, &mut world.noted));
    }

    fn deliver(&self, world: &mut World, process: &mut Process) {
        let Place::Answered(answer) = process.place else { return };
        self.call(process, world, Call::Answered(answer));
        process.lost &= answer == Answer::InvalidGrant;
        self.go_on(world, process);
    }

    fn lose(&self, world: &mut World, process: &mut Process) {
        world.losses += 1;
        self.cut_off(world, process);
        process.lost = true;
        let how = match self.driver {
            Driver::CallsALossNotSent => SendCut::NotSent,
            _ => SendCut::MaybeSent,
        };
        self.call(process, world, Call::Failed(how));
        self.go_on(world, process);
    }

    fn write_half(&self, world: &mut World, process: &mut Process) {
        let Place::Writing(tokens) = process.place else { return };
        world.file.access = tokens.access;
        process.place = Place::HalfWritten(tokens);
    }

    fn rename(&self, world: &mut World, process: &mut Process) {
        let (Place::Writing(tokens) | Place::HalfWritten(tokens)) = process.place else { return };
        world.noted.went_back |= tokens.refresh < world.file.refresh;
        world.noted.stored |= bit(tokens.refresh);
        // The official SDKs have no place for it.
        world.file = Tokens { generation: 0, ..tokens };
        process.place = Place::Renamed(tokens);
    }

    fn report_stored(&self, world: &mut World, process: &mut Process) {
        let Place::Renamed(tokens) = process.place else { return };
        process.unstored = false;
        self.call(process, world, Call::Stored { generation: tokens.generation, ok: true });
        self.go_on(world, process);
    }

    fn fail_to_write(&self, world: &mut World, process: &mut Process) {
        let Place::Writing(tokens) = process.place else { return };
        world.disk_failures += 1;
        world.noted.cut = true;
        process.unstored = true;
        self.call(process, world, Call::Stored { generation: tokens.generation, ok: false });
        self.go_on(world, process);
    }

    fn wake(&self, world: &mut World, process: &mut Process) {
        process.waited += process.wake.take().unwrap_or_default();
        if process.place == Place::Resting {
            self.resume(world, process);
        }
    }

    fn crash(&self, world: &mut World, process: &mut Process) {
        world.crashes += 1;
        self.cut_off(world, process);
        *process = Process {
            place: Place::Down,
            machine: None,
            has_lock: false,
            lost: false,
            unstored: false,
            wake: None,
            waited: 0,
        };
    }

    /// Nobody waits for the answer any more.
    fn cut_off(&self, world: &mut World, process: &Process) {
        world.noted.cut |= process.is_spending() && process.place != Place::Answered(Answer::InvalidGrant);
        if let Place::Sent(refresh) = process.place {
            world.strays.push(refresh);
        }
    }

    fn call(&self, process: &mut Process, world: &World, call: Call) -> Said {
        let Some(machine) = process.machine else { return Said::Idle(None) };
        let (machine, said) = self.machines.call(machine, call, process.now(world.era));
        process.machine = Some(machine);
        said
    }

    /// What the process would say to whoever asks.
    pub(crate) fn told(&self, process: &Process, world: &World) -> Told {
        let machine = process.machine.expect("a process that does not run is not asked");
        self.machines.told(machine, process.now(world.era))
    }
}

pub(crate) fn bit(number: u8) -> u16 {
    1 << number
}
