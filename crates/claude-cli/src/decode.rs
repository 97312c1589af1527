//! `claudectl stream decode`: what a recorded stream adds up to.

use std::io::{self, IsTerminal as _, Read};

use anyhow::{Context as _, anyhow, bail};
use claude_sdk::{
    stream::{Accumulator, Event},
    transport::sse::Decoder,
    types::Message,
};

use crate::{
    args::StreamCommand,
    console::{plain, print, print_json},
};

pub(crate) fn run(command: &StreamCommand) -> anyhow::Result<()> {
    let StreamCommand::Decode { json } = command;
    if io::stdin().is_terminal() {
        bail!("no stream; pipe one in, such as `claudectl stream decode < capture.sse`");
    }
    let (message, failure) = decode(io::stdin().lock())?;
    if let Some(message) = message {
        match json {
            true => print_json(&message)?,
            false => print(message.text() + "\n")?,
        }
    }
    failure.map_or(Ok(()), Err)
}

/// The message as far as it came, and why it did not come to its end.
fn decode(mut input: impl Read) -> anyhow::Result<(Option<Message>, Option<anyhow::Error>)> {
    let (mut decoder, mut accumulator) = (Decoder::new(), Accumulator::new());
    let mut buffer = vec![0; 64 << 10];
    let mut number = 0;
    loop {
        let read = input.read(&mut buffer).context("standard input could not be read")?;
        if read == 0 {
            break;
        }
        let mut piece = buffer.get(..read).unwrap_or_default();
        loop {
            let place = number + 1;
            let event = match decoder.next_event(&mut piece) {
                Ok(Some(event)) => Event::parse(event.name, event.data),
                Ok(None) => break,
                Err(error) => {
                    let error = anyhow!(error).context(format!("event {place} cannot be read"));
                    return Ok((accumulator.snapshot().cloned(), Some(error)));
                }
            };
            number = place;
            let failure = match &event {
                Err(error) => Some(anyhow!("event {place} has another shape than expected: {error}")),
                Ok(Event::Error(body)) => {
                    let (kind, message) = (body.error.kind.as_str(), plain(&body.error.message));
                    Some(anyhow!("event {place} is an error: {}: {message}", plain(kind)))
                }
                Ok(event) => accumulator.push(event).err().map(|error| anyhow!("event {place}: {error}")),
            };
            if failure.is_some() {
                return Ok((accumulator.snapshot().cloned(), failure));
            }
        }
    }
    let begun = accumulator.snapshot().cloned();
    match accumulator.finish() {
        Ok(message) => Ok((Some(message), None)),
        Err(_) if number == 0 => {
            Ok((None, Some(anyhow!("there is no event in it; is it a stream of events?"))))
        }
        Err(error) => Ok((begun, Some(anyhow!("{error} (after {number} events)")))),
    }
}
