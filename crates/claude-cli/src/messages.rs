//! `claudectl messages`.

use std::{
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use claude_sdk::{
    Client, attachment,
    types::{Content, ContentBlockParam, MessageRequest},
};

use crate::{
    args::MessageArgs,
    connection,
    console::{plain, print, print_json, print_text, tell},
    interrupt::{unless_interrupted, unless_interrupted_asking},
    remarks::{tell_blocks, tell_end},
    wording::of_a_model,
};

/// The longest prompt that is read from standard input, in bytes; the service takes no more either.
const PROMPT_LIMIT: u64 = 32 * 1024 * 1024;

pub(crate) async fn create(args: MessageArgs) -> anyhow::Result<()> {
    let client = connection::client(&args.connection).await?;
    let request = request(&args).await?;
    let answer = unless_interrupted_asking(client.flush(), client.messages().create(&request)).await?;
    let message = answer.map_err(of_a_model)?;
    if args.json {
        print(serde_json::to_string_pretty(&*message)? + "\n")?;
    } else {
        print_text(&(message.text() + "\n"))?;
        tell_blocks(&message);
    }
    tell_end(&message);
    Ok(())
}

pub(crate) async fn stream(args: MessageArgs) -> anyhow::Result<()> {
    let client = connection::client(&args.connection).await?;
    let request = request(&args).await?;
    Box::pin(unless_interrupted_asking(client.flush(), print_events(&client, &request, args.json))).await?
}

pub(crate) async fn count(args: MessageArgs) -> anyhow::Result<()> {
    let client = connection::client(&args.connection).await?;
    let request = request(&args).await?;
    let answer = unless_interrupted(client.flush(), client.messages().count_tokens(&request)).await?;
    let count = answer.map_err(of_a_model)?;
    if args.json {
        return print_json(&*count);
    }
    Ok(print(format!("{}\n", count.input_tokens))?)
}

async fn print_events(client: &Client, request: &MessageRequest, json: bool) -> anyhow::Result<()> {
    let mut stream = client.messages().stream(request).await.map_err(of_a_model)?;
    let mut written = false;
    while let Some(event) = stream.next().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                // It begins on a line of its own, not in the middle of the text, and is told even if that is not read.
                if written {
                    drop(print("\n"));
                }
                return Err(of_a_model(error));
            }
        };
        if json {
            print(serde_json::to_string(&event)? + "\n")?;
        } else if let Some(text) = event.text() {
            written = true;
            print_text(text)?;
        }
    }
    if !json {
        print("\n")?;
    }
    let oddities = stream.oddities().to_vec();
    let message = stream.final_message().await.map_err(of_a_model)?;
    if !json {
        tell_blocks(&message);
        oddities.iter().for_each(|oddity| tell(plain(&oddity.to_string())));
    }
    tell_end(&message);
    Ok(())
}

async fn request(args: &MessageArgs) -> anyhow::Result<MessageRequest> {
    if args.max_tokens == 0 {
        bail!("--max-tokens 0 leaves no room for an answer; give at least 1");
    }
    let prompt = match args.prompt.as_deref() {
        Some("-") | None => read_prompt(io::stdin().lock(), io::stdin().is_terminal())?,
        Some(prompt) => prompt.to_owned(),
    };
    if prompt.trim().is_empty() {
        bail!("the prompt is empty; give one as an argument or on standard input");
    }
    let mut content = Content::from(prompt);
    check_sum(&args.attach)?;
    for path in &args.attach {
        if path.as_os_str() == "-" {
            bail!("an attachment cannot come from standard input; save it to a file and give its path");
        }
        let part = attachment::read(path).await;
        let part = part.with_context(|| format!("{} cannot be attached", path.display()))?;
        if let Some(kind) = in_disguise(path, &part) {
            tell(format!("{} is sent as what is in it, {kind}; its name says otherwise", path.display()));
        }
        content = content.and(part);
    }
    let request = MessageRequest::new(args.model.as_str(), args.max_tokens).user(content);
    Ok(match &args.system {
        Some(system) => request.system(system.as_str()),
        None => request,
    })
}

/// Files of which each would do, and that are too large together, are not read at all. What is wrong with one of them is told when
/// it is read.
fn check_sum(paths: &[PathBuf]) -> anyhow::Result<()> {
    let lengths = paths.iter().filter_map(|path| Some((path, path.metadata().ok()?.len())));
    let lengths: Vec<_> = lengths.collect();
    let sum: u64 = lengths.iter().map(|(_, length)| length).sum();
    if sum <= attachment::LIMIT || lengths.iter().any(|(_, length)| *length > attachment::LIMIT) {
        return Ok(());
    }
    let named = lengths.iter().map(|(path, length)| format!("{} ({length} bytes)", path.display()));
    bail!(
        "together the files have {sum} bytes, and {} fit into a request: {}; attach fewer, or upload them \
         (`claudectl files upload`) and name them by their ids",
        attachment::LIMIT,
        named.collect::<Vec<_>>().join(", ")
    )
}

/// The media type of an attachment whose name stands for another one.
fn in_disguise<'a>(path: &Path, part: &'a ContentBlockParam) -> Option<&'a str> {
    let kind = match part {
        ContentBlockParam::Image(image) => image.source.media_type.as_deref()?,
        ContentBlockParam::Document(document) => document.source.media_type.as_deref()?,
        _ => return None,
    };
    let expected = match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        "txt" | "md" | "csv" | "json" => "text/plain",
        _ => return None,
    };
    (kind != expected).then_some(kind)
}

fn read_prompt(input: impl Read, is_terminal: bool) -> anyhow::Result<String> {
    if is_terminal {
        bail!("no prompt; give one as an argument, or pipe one in");
    }
    let mut bytes = Vec::new();
    input.take(PROMPT_LIMIT + 1).read_to_end(&mut bytes).context("standard input could not be read")?;
    if bytes.len() as u64 > PROMPT_LIMIT {
        bail!("the prompt is longer than 32 MiB, which is more than the service takes");
    }
    String::from_utf8(bytes).context("the prompt on standard input is not UTF-8 text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_of_a_model_is_waited_for() {
        let error = read_prompt(io::repeat(b'a'), true).unwrap_err();
        assert!(error.to_string().contains("give one as an argument"), "{error}");
    }

    #[test]
    fn a_prompt_without_end_is_not_read_to_its_end() {
        let error = read_prompt(io::repeat(b'a'), false).unwrap_err();
        assert!(error.to_string().contains("longer than 32 MiB"), "{error}");
    }
}
