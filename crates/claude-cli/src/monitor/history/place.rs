//! Where the history is.

use std::path::{Path, PathBuf};

use anyhow::bail;
use claude_sdk::secrets::providers::Env;

/// Refuses the path of a file that cannot be made: a slip of the pen is not to make a folder too.
pub(in crate::monitor) fn in_a_folder(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!(
            "there is no folder {} for the history; make it, or name another place with --history",
            folder.display()
        );
    }
    Ok(())
}

/// Where programs keep what they know between two runs. The folders on the way are made, but no home.
pub(in crate::monitor) fn default(env: &Env) -> Option<PathBuf> {
    let lookup = env.lookup();
    let folder = |name: &str| lookup(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else {
        let home = || folder("HOME").filter(|home| home.is_dir());
        folder("XDG_STATE_HOME").or_else(|| Some(home()?.join(".local").join("state")))
    };
    Some(state?.join("claudectl").join("monitor.sqlite"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_file_is_named_in_a_folder_that_is_there() {
        for path in ["history", "/history", "/tmp/history"] {
            in_a_folder(Path::new(path)).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let error = in_a_folder(&missing.join("history")).unwrap_err().to_string();
        let told = format!("there is no folder {} for the history; make it", missing.display());
        assert!(error.starts_with(&told), "{error}");
    }

    #[test]
    fn the_history_is_where_states_are_kept() {
        let path = |name, value: &str| {
            let value = value.to_owned();
            default(&Env::new(Arc::new(move |asked| (asked == name).then(|| value.clone().into()))))
        };
        assert_eq!(path("XDG_STATE_HOME", "/s"), Some("/s/claudectl/monitor.sqlite".into()));
        assert_eq!(path("HOME", "/"), Some("/.local/state/claudectl/monitor.sqlite".into()));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(path("HOME", folder.path().join("missing").to_str().unwrap()), None);
        assert_eq!(path("XDG_STATE_HOME", "relative"), None);
    }
}
