//! `claudectl stream decode`: what a recorded stream adds up to.

use std::io::{self, IsTerminal as _, Read};

use anyhow::{Context as _, anyhow, bail};
use claude_sdk::{
    stream::{Accumulator, Event, ProtocolError},
    transport::sse::{DecodeError, Decoder},
    types::Message,
};

use crate::{
    args::StreamCommand,
    console::{plain, print_json, print_text, tell},
    remarks::{tell_blocks, tell_end},
};

/// What a recording comes to.
struct Decoded {
    /// The message as far as it came.
    message: Option<Message>,
    /// What is odd in it, and no failure.
    warnings: Vec<String>,
    /// Why it did not come to its end.
    failure: Option<anyhow::Error>,
}

pub(crate) fn run(command: &StreamCommand) -> anyhow::Result<()> {
    let StreamCommand::Decode { json } = command;
    if io::stdin().is_terminal() {
        bail!("no stream; pipe one in, such as `claudectl stream decode < capture.sse`");
    }
    let Decoded { message, warnings, failure } = decode(io::stdin().lock())?;
    match message {
        Some(message) if *json && warnings.is_empty() => print_json(&message)?,
        Some(message) if *json => print_json(&message.extra("warnings", warnings))?,
        message => {
            if let Some(message) = message {
                print_text(&(message.text() + "\n"))?;
                tell_blocks(&message);
                if failure.is_none() {
                    tell_end(&message);
                }
            }
            warnings.iter().map(|warning| plain(warning)).for_each(tell);
        }
    }
    failure.map_or(Ok(()), Err)
}

fn decode(mut input: impl Read) -> anyhow::Result<Decoded> {
    let (mut decoder, mut accumulator) = (Decoder::new(), Accumulator::new());
    let mut buffer = vec![0; 64 << 10];
    let mut number = 0;
    let failure = 'read: loop {
        let read = input.read(&mut buffer).context("standard input could not be read")?;
        if read == 0 {
            break None;
        }
        let mut piece = buffer.get(..read).unwrap_or_default();
        loop {
            let place = number + 1;
            let event = match decoder.next_event(&mut piece) {
                Ok(Some(event)) => Event::parse(event.name, event.data),
                Ok(None) => break,
                Err(error) => {
                    break 'read Some(unreadable(place, error));
                }
            };
            number = place;
            let failure = match &event {
                Err(error) => Some(anyhow!("event {place} has another shape than expected: {error}")),
                Ok(Event::Error(body)) => {
                    let (kind, message) = (body.error.kind.as_str(), plain(&body.error.message));
                    Some(anyhow!("event {place} is an error: {}: {message}", plain(kind)))
                }
                // The first one may have come to its end: it is printed, and nothing of the second is.
                Ok(Event::MessageStart { .. }) if accumulator.snapshot().is_some() => {
                    Some(anyhow!("event {place}: {}", ProtocolError::SecondStart))
                }
                Ok(event) => accumulator.push(event).err().map(|error| anyhow!("event {place}: {error}")),
            };
            if failure.is_some() {
                break 'read failure;
            }
        }
    };
    let warnings = accumulator.oddities().iter().map(ToString::to_string).collect();
    let (message, is_whole) = match accumulator.finish() {
        Ok(message) => (Some(message), true),
        Err(truncated) => (truncated.partial, false),
    };
    let failure = failure.or_else(|| match &message {
        _ if is_whole => None,
        Some(_) => Some(anyhow!(
            "the stream ends after event {number}, before its message does; what there is of it was printed"
        )),
        None if number == 0 => Some(anyhow!("there is no event in it; is it a stream of events?")),
        None => {
            Some(anyhow!("there is no message in it ({number} events); is it a stream of the Messages API?"))
        }
    });
    Ok(Decoded { message, warnings, failure })
}

fn unreadable(place: usize, error: DecodeError) -> anyhow::Error {
    match error {
        DecodeError::LineTooLong { limit } => {
            anyhow!(
                "event {place} cannot be read: one of its lines is longer than {limit} bytes, which no stream of the API has"
            )
        }
        DecodeError::EventTooLarge { limit } => {
            anyhow!(
                "event {place} cannot be read: it is larger than {limit} bytes, which no event of the API is"
            )
        }
        error => anyhow!(error).context(format!("event {place} cannot be read")),
    }
}
