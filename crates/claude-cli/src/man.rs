//! `claudectl man`.

use std::{fs, io, path::Path};

use anyhow::{Context as _, bail};
use clap::{Arg, ArgAction, Command, CommandFactory as _};
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
    Man::new(command.clone().override_usage(synopsis(command)))
        .source(concat!("claudectl ", env!("CARGO_PKG_VERSION")))
        .manual("The Claude API from a terminal")
}

/// How the command is called, with what its options want.
fn synopsis(command: &Command) -> String {
    let mut line = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let (positional, options): (Vec<_>, Vec<_>) = arguments.partition(|argument| argument.is_positional());
    for argument in options.into_iter().chain(positional) {
        let word = word(argument);
        line += &if argument.is_required_set() { format!(" {word}") } else { format!(" [{word}]") };
    }
    if command.has_subcommands() {
        line += " <COMMAND>";
    }
    line
}

/// An argument as it is typed: `-q|--query <NAME=VALUE>...`.
fn word(argument: &Arg) -> String {
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let mut word = short.into_iter().chain(long).collect::<Vec<_>>().join("|");
    if argument.is_last_set() {
        word += "--";
    }
    let takes_values = argument.get_num_args().is_some_and(|count| count.takes_values());
    for name in argument.get_value_names().filter(|_| takes_values).unwrap_or_default() {
        let blank = if word.is_empty() { "" } else { " " };
        let (open, close) =
            if argument.is_positional() && !argument.is_required_set() { ("", "") } else { ("<", ">") };
        word += &format!("{blank}{open}{name}{close}");
    }
    if matches!(argument.get_action(), ArgAction::Append) {
        word += "...";
    }
    word
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
