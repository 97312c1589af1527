//! `claudectl api`: any route.

use std::io::{self, IsTerminal as _, Read};

use anyhow::{Context as _, anyhow, bail};
use claude_sdk::{FileUpload, Paging, RequestOptions, http::Method};
use serde_json::Value;

use crate::{
    args::{ApiArgs, PagesBy},
    connection,
    console::{print, print_json},
    interrupt::{unless_interrupted, unless_interrupted_asking},
    wording::of_a_path,
};

/// The longest body, in bytes; the service takes no more either.
const BODY_LIMIT: u64 = 256 << 20;

pub(crate) async fn run(args: ApiArgs) -> anyhow::Result<()> {
    let mut options = RequestOptions::new();
    for header in &args.header {
        let (name, value) =
            header.split_once(':').ok_or_else(|| anyhow!("give a header as `NAME: VALUE`"))?;
        options = options.header(name.trim(), value.trim());
    }
    let client = connection::client(&args.connection).await?.with_options(options)?;
    let mut request = client.raw().request(args.method.clone(), &args.path);
    for parameter in &args.query {
        let (name, value) =
            parameter.split_once('=').ok_or_else(|| anyhow!("give a parameter as NAME=VALUE"))?;
        request = request.query(name, value);
    }
    if let Some(body) = &args.body {
        request = request.json(&self::body(body)?);
    }
    for field in &args.form {
        request = match Field::of(field)? {
            Field::Text(name, text) => request.form_text(name, text),
            Field::File(name, file) => request.form_file(name, file),
        };
    }
    let Some(way) = args.pages else {
        let reply = match args.method {
            Method::GET => unless_interrupted(client.flush(), request.send()).await?,
            _ => unless_interrupted_asking(client.flush(), request.send()).await?,
        };
        let reply = reply.map_err(of_a_path)?;
        let bytes = reply.into_inner();
        return match serde_json::from_slice::<Value>(&bytes) {
            Ok(value) => print_json(&value),
            Err(_) => Ok(print(bytes)?),
        };
    };
    if args.method != Method::GET {
        bail!("only a list has pages; use GET");
    }
    let mut items = request.list(way.into()).items();
    let printing = async {
        while let Some(item) = items.next().await {
            print(item.map_err(of_a_path)?.to_string() + "\n")?;
        }
        Ok(())
    };
    unless_interrupted(client.flush(), printing).await?
}

/// A field of a form.
#[derive(Debug)]
enum Field<'a> {
    Text(&'a str, &'a str),
    File(&'a str, FileUpload),
}

impl<'a> Field<'a> {
    fn of(text: &'a str) -> anyhow::Result<Self> {
        let usage = || anyhow!("give a field as NAME=TEXT, or as NAME=@PATH");
        let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(usage)?;
        let Some(file) = value.strip_prefix('@') else { return Ok(Self::Text(name, value)) };
        let mut settings = file.split(';');
        let mut upload = match settings.next() {
            None | Some("") => return Err(usage()),
            Some("-") if io::stdin().is_terminal() => bail!("no content; pipe it in, or give a path"),
            Some("-") => FileUpload::reader("stdin", io::stdin(), None),
            Some(path) => FileUpload::path(path),
        };
        for setting in settings {
            upload = match setting.split_once('=') {
                Some(("type", kind)) => upload.mime_type(kind),
                Some(("filename", filename)) => upload.filename(filename),
                _ => bail!(
                    "after a path there may be ;type=… and ;filename=…, and nothing else; rename the file"
                ),
            };
        }
        Ok(Self::File(name, upload))
    }
}

fn body(text: &str) -> anyhow::Result<Value> {
    if text != "-" {
        return serde_json::from_str(text).context("--body cannot be read as JSON");
    }
    let bytes = read_body(io::stdin().lock(), BODY_LIMIT)?;
    serde_json::from_slice(&bytes).context("what was read from standard input cannot be read as JSON")
}

fn read_body(input: impl Read, limit: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(limit + 1).read_to_end(&mut bytes).context("standard input could not be read")?;
    if bytes.len() as u64 > limit {
        bail!(
            "the body is larger than {} MiB, which is more than the service takes; send less at once",
            limit >> 20
        );
    }
    Ok(bytes)
}

impl From<PagesBy> for Paging {
    fn from(way: PagesBy) -> Self {
        match way {
            PagesBy::Id => Self::Id,
            PagesBy::Cursor => Self::Cursor,
            PagesBy::Token => Self::Token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_without_end_is_not_read_to_its_end_and_told_as_what_it_is() {
        let limit = 1 << 20;
        let error = read_body(io::repeat(b' '), limit).unwrap_err();
        assert!(error.to_string().contains("larger than 1 MiB"), "{error}");
        assert_eq!(read_body(io::repeat(b' ').take(limit), limit).unwrap().len(), 1 << 20);
    }
}
