//! `claudectl secrets`.

use std::fmt::Write as _;

use anyhow::bail;
use claude_sdk::secrets::{Secret, providers::Env};
use serde_json::json;

use crate::{
    args::{ScanArgs, SecretsCommand},
    console::{Ending, concluded, print, print_json, tell},
    references::References,
};

pub(crate) mod shapes;
mod tree;
mod write;

use shapes::Scanner;
use tree::Scan;

pub(crate) async fn run(command: SecretsCommand) -> anyhow::Result<()> {
    match command {
        SecretsCommand::Scan(args) => scan(&args),
        SecretsCommand::Get { reference, json } => get(&reference, json).await,
        SecretsCommand::Put(args) => write::put(args).await,
        SecretsCommand::Rotate(args) => write::rotate(args).await,
    }
}

/// The exit status where keys were found.
const FOUND: u8 = 3;

/// Prints where keys are, and of what kind; never a key.
fn scan(args: &ScanArgs) -> anyhow::Result<()> {
    let (scanner, mut scan) = (Scanner::new(), Scan::default());
    for path in &args.paths {
        scan.files(&scanner, path)?;
        if args.history {
            scan.history(&scanner, path)?;
            for nested in std::mem::take(&mut scan.nested) {
                scan.history(&scanner, &nested)?;
            }
        }
    }
    for skipped in &scan.skipped {
        tell(format!("{skipped} was not looked at"));
    }
    let printed = if args.json {
        print_json(&scan.finds)
    } else {
        let mut lines = String::new();
        for find in &scan.finds {
            writeln!(lines, "{}:{}: {}", find.place, find.line, find.kind)?;
        }
        print(lines).map_err(Into::into)
    };
    concluded(printed, verdict(&scan))
}

fn verdict(scan: &Scan) -> anyhow::Result<()> {
    let told = match scan.finds.len() {
        0 if !scan.skipped.is_empty() => {
            bail!("no key was found, but not everything was looked at; make it readable, or leave it out")
        }
        // A check that looks at nothing always succeeds.
        0 if scan.looked_at == 0 => bail!("there is nothing to look at; name a folder with files in it"),
        0 => return Ok(()),
        1 => "1 place looks like a key; revoke it if it is one, for removing it does not unpublish it"
            .to_owned(),
        count => format!(
            "{count} places look like keys; revoke each that is one, for removing it does not unpublish it"
        ),
    };
    Err(Ending { status: FOUND, kind: "found", told }.into())
}

async fn get(reference: &str, json: bool) -> anyhow::Result<()> {
    let references = References::of(&Env::process());
    let resolver = &references.resolver;
    let found = resolver.resolve(&resolver.reference(reference)?).await;
    let lent = found.as_ref().ok().and_then(Secret::good_for).map(|left| left.as_secs());
    match lent {
        // It was lent to whoever asked for it.
        Some(seconds) if !json => tell(format!("this is lent for {seconds} s")),
        Some(_) => {}
        None => references.give_back().await,
    }
    if json {
        return print_json(&json!({"secret": found?.expose(), "lent_for_seconds": lent}));
    }
    print(found?.expose())?;
    Ok(print("\n")?)
}
