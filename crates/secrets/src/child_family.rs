//! The end of a program that was started here, and of all that it has started itself.

#[cfg(target_os = "linux")]
mod descent;

/// Kills a child of this process with its process group, which it has to lead, and on Linux with all that descends from it then,
/// in whatever group or session.
///
/// A daemon that it has cut loose lives on. Give it the number of a child that nobody has waited for: afterwards it may be
/// somebody else's. It does nothing on other systems than Unix.
///
/// ```
/// # #[cfg(unix)] {
/// use std::{os::unix::process::{CommandExt, ExitStatusExt}, process::Command};
///
/// let mut child = Command::new("sh").args(["-c", "sleep 60 & wait"]).process_group(0).spawn().unwrap();
/// secrets::kill_family(child.id());
/// assert_eq!(child.wait().unwrap().signal(), Some(9));
/// # }
/// ```
pub fn kill_family(child: u32) {
    #[cfg(unix)]
    if let Some(leader) = rustix::process::Pid::from_raw(child.try_into().unwrap_or_default()) {
        // First, while it can still be seen whose children they are.
        #[cfg(target_os = "linux")]
        descent::kill_descendants(leader);
        // It fails only where nobody of the group is left.
        let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = child;
}
