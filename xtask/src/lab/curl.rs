//! The lab's steps as `curl`: what stands in its README is what is run.

use anyhow::{Context as _, Result};

use crate::markdown;

/// What is between the steps, and what each has to show.
const BETWEEN: &str = include_str!("curl.sh");
/// As many blocks of shell commands as the README has: step 0 is the one before the steps.
const STEPS: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "8"];

/// The exercise as one script, whose argument is the address of the server.
pub(super) fn script(readme: &str) -> Result<String> {
    let blocks = markdown::blocks(readme, "sh");
    let count = blocks.len();
    let blocks: [String; STEPS.len()] = blocks.try_into().ok().with_context(|| {
        let wanted = STEPS.len();
        format!("docs/lab/README.md has {count} blocks of shell commands, not {wanted}: name the steps in lab/curl.rs")
    })?;
    let steps = STEPS.iter().zip(blocks).map(|(step, block)| format!("step_{step}() {{\n{block}\n}}\n"));
    Ok(steps.chain([BETWEEN.to_owned()]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_of_the_readme_is_a_step() {
        let readme = include_str!("../../../docs/lab/README.md");
        let script = script(readme).unwrap();
        assert!(script.contains("step_1() {\ncurl $BASE/.well-known/oauth-authorization-server\n}\n"));
        for step in STEPS.iter().filter(|step| **step != "3") {
            assert!(BETWEEN.contains(&format!("step_{step}")), "step {step} is not run");
        }
    }

    #[test]
    fn a_readme_with_another_step_is_another_exercise() {
        let error = script("```sh\nls\n```\n").unwrap_err().to_string();
        assert!(error.contains("1 blocks"), "{error}");
    }
}
