//! A copy of the crates with a bug for each fuzz target, to see that each target can fail.

use std::fs;
use std::iter;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{CRATES, TARGETS, home};
use crate::step::Workspace;

/// A line of a target's crate, and what it could have been by mistake.
#[derive(Debug)]
struct Bug {
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
}

/// One for each target, in the order of [`super::TARGETS`].
const BUGS: [Bug; 6] = [
    // callback: a state of the right length will do.
    Bug { file: "flow/callback.rs", right: "if same {", wrong: "if same || state.len() == 22 {" },
    // event_stream: an LF that comes with the next piece ends another line.
    Bug {
        file: "sse/decoder/lines.rs",
        right: "self.after_cr = *at == input.len();",
        wrong: "self.after_cr = false;",
    },
    // machine: a late 401 drops a newer lease.
    Bug {
        file: "machine/inputs.rs",
        right: "lease.generation() == generation",
        wrong: "lease.generation() >= generation",
    },
    // metadata: a host that begins like this one's name is taken for it.
    Bug { file: "server.rs", right: "name == \"localhost\"", wrong: "name.starts_with(\"localhost\")" },
    // token_response: an error code that nobody knows is shown as it came.
    Bug {
        file: "exchange/answer.rs",
        right: "OAuthErrorCode::read(&code, |text| scrubber.clean(text))",
        wrong: "OAuthErrorCode::read(&code, str::to_owned)",
    },
    // www_authenticate: what a backslash escapes is lost.
    Bug { file: "challenge/scan.rs", right: "unquoted.extend(self.next());", wrong: "" },
];

/// Makes the copy, and returns its root.
pub(super) fn plant(workspace: &Workspace) -> Result<PathBuf> {
    let root = workspace.target.join("fuzz/planted");
    // Cargo wants to see every target that a manifest names, the benches too.
    let parts = ["Cargo.toml", "src", "benches", "tests", "fuzz"];
    let parts = CRATES.iter().flat_map(|name| parts.map(|part| format!("crates/{name}/{part}")));
    for part in iter::once("Cargo.toml".to_owned()).chain(parts) {
        let part = part.as_str();
        copy(&workspace.root.join(part), &root.join(part))
            .with_context(|| format!("cannot copy {part} to {}", root.display()))?;
    }
    for (target, Bug { file, right, wrong }) in TARGETS.into_iter().zip(BUGS) {
        let path = root.join("crates").join(home(target)).join("src").join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if text.matches(right).count() != 1 {
            bail!("plant another bug in {file} (xtask/src/fuzz/planted.rs): `{right}` is not there once");
        }
        fs::write(&path, text.replace(right, wrong))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(root)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    fs::copy(from, to).map(drop)
}
