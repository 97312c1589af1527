//! The processes that descend from another, as `/proc` tells.

use std::fs;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process: who it is, who its parent is, and when it began, in the system's own measure.
#[derive(Clone, Copy, PartialEq)]
struct Process {
    id: Pid,
    parent: Pid,
    began: u64,
}

/// Kills all that descends from a process, which itself goes on. What has become an orphan before belongs to nobody any more.
pub(super) fn kill_descendants(ancestor: Pid) {
    let all = all();
    let mut family = vec![ancestor];
    let mut looked_at = 0;
    while let Some(parent) = family.get(looked_at).copied() {
        looked_at += 1;
        let children = all.iter().filter(|one| one.parent == parent && !family.contains(&one.id));
        let children: Vec<_> = children.map(|one| one.id).collect();
        family.extend(children);
    }
    let descends = |one: &&Process| family.iter().skip(1).any(|id| *id == one.id);
    all.iter().filter(descends).for_each(end);
}

fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.filter_map(|entry| Pid::from_raw(entry.ok()?.file_name().to_str()?.parse().ok()?));
    ids.filter_map(Process::of).collect()
}

/// The number may be another process's by now: then it began at another time, and is left alone.
fn end(process: &Process) {
    let Ok(handle) = pidfd_open(process.id, PidfdFlags::empty()) else { return };
    if Process::of(process.id).is_some_and(|now| now.began == process.began) {
        // It fails where the process has ended, which is what it is for.
        let _ = pidfd_send_signal(handle, Signal::KILL);
    }
}

impl Process {
    fn of(id: Pid) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name of the program, which may be anything, stands in brackets before these.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let parent = Pid::from_raw(fields.nth(1)?.parse().ok()?)?;
        let began = fields.nth(17)?.parse().ok()?;
        Some(Self { id, parent, began })
    }
}
