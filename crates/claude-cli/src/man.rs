//! `claudectl man`.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::{
    args::{Args, ManArgs},
    console::print,
};

pub(crate) fn run(args: &ManArgs) -> anyhow::Result<()> {
    let mut program = Args::command().disable_help_subcommand(true);
    program.build();
    if let Some(folder) = &args.out {
        return write(program, folder);
    }
    let mut page = Vec::new();
    Man::new(find(&program, &args.command)?.clone()).render(&mut page)?;
    Ok(print(page)?)
}

/// The command of this name, word by word.
fn find<'c>(program: &'c Command, words: &[String]) -> anyhow::Result<&'c Command> {
    let mut command = program;
    for word in words {
        let Some(next) = command.find_subcommand(word) else {
            bail!("there is no such command; see `{} --help`", command.get_bin_name().unwrap_or("claudectl"));
        };
        command = next;
    }
    Ok(command)
}

fn write(program: Command, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(program, folder))
        .with_context(|| format!("the pages cannot be written to {}; check the path", folder.display()))
}
