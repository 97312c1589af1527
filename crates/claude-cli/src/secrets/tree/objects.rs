//! The objects that git keeps, as it prints them.

use std::{
    collections::HashSet,
    fmt,
    io::{BufRead, BufReader, Read as _},
    process::Command,
};

use anyhow::{Context as _, bail};

use super::{Find, LARGEST, Scan, git::Running};
use crate::{
    console::plain,
    secrets::shapes::{Scanner, Sight},
};

/// What git says of each object before it.
pub(super) const BATCH: &str = "--batch=%(objectname) %(objecttype) %(objectsize)";

/// One of them: a version of a file, a message, the names in a folder.
pub(super) struct Object {
    kind: String,
    pub(super) id: String,
}

impl fmt::Display for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.id)
    }
}

impl Object {
    /// What is said before it, with its size.
    fn announced(head: &str) -> anyhow::Result<(Self, u64)> {
        let mut words = head.split_whitespace();
        let (Some(id), Some(kind), Some(size)) = (words.next(), words.next(), words.next()) else {
            bail!("git says something that is not understood; run `git fsck`");
        };
        let size = size.parse().context("git says a size that is none; run `git fsck`")?;
        Ok((Self { kind: kind.to_owned(), id: id.to_owned() }, size))
    }

    /// Takes it from what git prints, and as much of it as is looked at.
    fn read(&self, size: u64, output: &mut impl BufRead) -> anyhow::Result<Vec<u8>> {
        let mut object = output.take(size);
        let mut text = Vec::new();
        (&mut object).take(LARGEST).read_to_end(&mut text)?;
        let rest = std::io::copy(&mut object, &mut std::io::sink())?;
        // With the newline behind it.
        if text.len() as u64 + rest < size || output.read_exact(&mut [0]).is_err() {
            bail!("git cannot read {self} to its end; run `git fsck`, which says what is damaged");
        }
        Ok(text)
    }
}

impl Scan {
    /// What is found in the objects that git prints.
    pub(super) fn objects(
        &mut self,
        scanner: &Scanner,
        command: &mut Command,
    ) -> anyhow::Result<Vec<(Object, Vec<Sight>)>> {
        let before = self.looked_at;
        let mut running = Running::start(command)?;
        let mut output = BufReader::new(running.output()?);
        let (mut found, mut named) = (Vec::new(), HashSet::new());
        loop {
            let mut head = String::new();
            if output.read_line(&mut head)? == 0 {
                break;
            }
            if let Some(id) = head.trim_end().strip_suffix(" missing") {
                self.skipped.push(format!("object {id}"));
                continue;
            }
            let (object, size) = Object::announced(&head)?;
            let text = object.read(size, &mut output)?;
            if size > LARGEST {
                self.skipped.push(format!("{object} (after {LARGEST} bytes)"));
            }
            if object.kind == "tree" {
                self.names(scanner, &object, &text, &mut named);
                continue;
            }
            self.looked_at += 1;
            let sights = scanner.scan(&text);
            if !sights.is_empty() {
                found.push((object, sights));
            }
        }
        running.succeed(self.looked_at > before)?;
        Ok(found)
    }

    /// The keys among the names in a tree, each told once, though it is in every later tree too.
    fn names(&mut self, scanner: &Scanner, tree: &Object, text: &[u8], told: &mut HashSet<Vec<u8>>) {
        if scanner.is_clean(text) {
            return;
        }
        let mut rest = text;
        // `MODE NAME\0HASH`, and the hash is as long as the tree's own.
        while let Some(end) = memchr::memchr(0, rest) {
            let entry = rest.get(..end).unwrap_or_default();
            rest = rest.get(end + 1 + tree.id.len() / 2..).unwrap_or_default();
            let name = entry.splitn(2, |&byte| byte == b' ').nth(1).unwrap_or_default();
            let Some(sight) = scanner.scan(name).into_iter().next() else { continue };
            if told.insert(name.to_owned()) {
                let name = scanner.masked(&plain(&String::from_utf8_lossy(name)));
                self.finds.push(Find::in_name(format!("{tree} {name}"), sight));
            }
        }
    }
}
