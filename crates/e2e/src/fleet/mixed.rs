//! Our processes and those of the official SDKs, which take no lock, with one profile.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{Grants, Member, Report, World};
use crate::Tools;

/// A member of the stored session that nobody here knows.
const FOREIGN: &str = "somebody_elses";

/// An official SDK.
#[derive(Debug)]
pub struct Official {
    name: &'static str,
    tools: Tools,
    command: fn(&Tools) -> Result<Command>,
}

impl Official {
    /// What it is called in a report.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Both of them, from where they are installed.
    #[must_use]
    pub fn all(tools: &Tools) -> [Self; 2] {
        [
            Self {
                name: "the Python SDK",
                tools: tools.clone(),
                command: |tools| tools.python(script("session.py")),
            },
            Self {
                name: "the TypeScript SDK",
                tools: tools.clone(),
                command: |tools| tools.node(script("session.mjs")),
            },
        ]
    }
}

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scripts").join(name)
}

/// How a mixed fleet went.
#[derive(Debug, Default)]
pub struct Mixed {
    /// Our processes whose call failed, in their words.
    pub ours: Vec<String>,
    /// Official ones whose call failed: they take no lock.
    pub theirs: Vec<String>,
    /// How many refresh tokens the server rotated.
    pub rotated: usize,
}

/// A session that we wrote is used and renewed by the SDK, and what it wrote by us.
///
/// # Errors
///
/// When a call fails, a token is spent twice, or anything of the file is lost.
pub async fn both_ways(world: &World, sdk: &Official) -> Result<()> {
    leave_a_mark(world)?;
    let mut theirs = start(world, sdk)?;
    theirs.ready().await?;
    for expired in [false, true] {
        for they_are_first in [true, false] {
            let order = if they_are_first { "they, then we" } else { "we, then they" };
            let case = || format!("{order}, expired: {expired}");
            let before = world.pair()?;
            if expired {
                world.set_expiry(1)?;
            }
            world.server.clear_journal();
            for they in [they_are_first, !they_are_first] {
                let report = if they {
                    theirs.go().await?;
                    theirs.report().await?
                } else {
                    world.member(&[])?.end().await?
                };
                ensure!(report.is_ok(), "{}: {}", case(), report.error());
                let grants = Grants { rotated: usize::from(expired), ..Grants::default() };
                ensure!(world.grants() == grants, "{}: {:?}", case(), world.grants());
                check(world).with_context(case)?;
                ensure!(
                    before.is_followed_by(&world.pair()?) == expired,
                    "{}: not the answer's tokens",
                    case()
                );
            }
        }
    }
    theirs.leave().await
}

/// Who acts when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// All at the same moment.
    AtOnce,
    /// The worst for us: an official one has renewed the session, and what it got is not in the file yet when we try.
    TheyAreFirst,
}

/// As many of ours as official ones on an expired session, so many times.
///
/// # Errors
///
/// When a process cannot be started, or the file is blanked.
pub async fn mixed(
    world: &World,
    sdks: &[Official],
    each: usize,
    trials: usize,
    order: Order,
) -> Result<Mixed> {
    leave_a_mark(world)?;
    let mut theirs = Vec::new();
    for sdk in sdks.iter().cycle().take(each) {
        theirs.push(start(world, sdk)?);
    }
    for member in &mut theirs {
        member.ready().await?;
    }
    let mut outcome = Mixed::default();
    for _ in 0..trials {
        world.set_expiry(1)?;
        let mut ours = Vec::new();
        for _ in 0..each {
            ours.push(world.member(&["wait"])?);
        }
        for member in &mut ours {
            member.ready().await?;
        }
        world.server.clear_journal();
        let held = (order == Order::TheyAreFirst).then(|| world.server.hold_answers("/v1/oauth/token"));
        for member in &mut theirs {
            member.go().await?;
        }
        if held.is_some() {
            world.rotation().await;
        }
        for member in &mut ours {
            member.go().await?;
        }
        if held.is_some() {
            world.refusals(each).await;
        }
        drop(held);
        for member in ours {
            outcome.ours.extend(failure(&member.end().await?));
        }
        for member in &mut theirs {
            outcome.theirs.extend(failure(&member.report().await?));
        }
        outcome.rotated += world.grants().rotated;
        check(world)?;
    }
    for member in theirs {
        member.leave().await?;
    }
    Ok(outcome)
}

fn failure(report: &Report) -> Option<String> {
    (!report.is_ok()).then(|| report.error())
}

/// Something that neither they nor we know.
fn leave_a_mark(world: &World) -> Result<()> {
    world.edit(|members| {
        members.insert(FOREIGN.to_owned(), mark());
    })
}

fn mark() -> Value {
    json!({"kept": [1.5, null]})
}

/// The file is whole, private, and still has what neither of us knows.
fn check(world: &World) -> Result<()> {
    world.pair()?;
    let members: Value = serde_json::from_slice(&fs::read(world.file())?)?;
    ensure!(members.get(FOREIGN) == Some(&mark()), "a member of somebody else's is lost");
    Ok(())
}

fn start(world: &World, sdk: &Official) -> Result<Member> {
    let mut command = (sdk.command)(&sdk.tools)?;
    command.envs(world.environment());
    Member::start(command.into(), sdk.name)
}
