//! `claudectl man`.

use std::{fs, io, path::Path};

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
        return fs::create_dir_all(folder)
            .and_then(|()| write(&program, folder))
            .with_context(|| format!("the pages cannot be written to {}; check the path", folder.display()));
    }
    let mut text = Vec::new();
    page(find(&program, &args.command)?).render(&mut text)?;
    Ok(print(text)?)
}

/// The page of a command: one of the program's, whichever command it is about.
fn page(command: &Command) -> Man {
    Man::new(command.clone())
        .source(concat!("claudectl ", env!("CARGO_PKG_VERSION")))
        .manual("The Claude API from a terminal")
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

/// The pages of this command and of all below it.
fn write(command: &Command, folder: &Path) -> io::Result<()> {
    page(command).generate_to(folder)?;
    command.get_subcommands().filter(|below| !below.is_hide_set()).try_for_each(|below| write(below, folder))
}
