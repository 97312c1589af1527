//! `claudectl stream decode`: what a recorded stream adds up to.

use std::io::{self, BufRead, BufReader, IsTerminal as _};

use anyhow::{Context as _, anyhow, bail};
use claude_sdk::{
    ApiError, Error,
    stream::{Accumulator, Event, ProtocolError},
    transport::{
        jsonl,
        sse::{self, DecodeError},
    },
    types::Message,
};
use serde_json::value::RawValue;

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
    let Decoded { message, warnings, failure } =
        decode(BufReader::with_capacity(64 << 10, io::stdin().lock()))?;
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

fn decode(mut input: impl BufRead) -> anyhow::Result<Decoded> {
    let mut sum = Sum { accumulator: Accumulator::new(), number: 0 };
    let failure = match begins_with_json(&mut input)? {
        true => sum.lines(&mut input)?,
        false => sum.events(&mut input)?,
    };
    Ok(sum.up(failure))
}

/// Whether it is what `messages stream --json` prints, and not the stream itself: no line of that begins so.
fn begins_with_json(input: &mut impl BufRead) -> anyhow::Result<bool> {
    loop {
        let piece = input.fill_buf().context(UNREADABLE)?;
        let Some(first) = piece.iter().position(|byte| !matches!(byte, b'\n' | b'\r')) else {
            let empty_lines = piece.len();
            if empty_lines == 0 {
                return Ok(false);
            }
            input.consume(empty_lines);
            continue;
        };
        return Ok(piece.get(first) == Some(&b'{'));
    }
}

const UNREADABLE: &str = "standard input could not be read";

/// A recording as far as it was read.
struct Sum {
    accumulator: Accumulator,
    /// How many events there were.
    number: usize,
}

impl Sum {
    /// Reads server-sent events; gives why it stopped before their end.
    fn events(&mut self, input: &mut impl BufRead) -> anyhow::Result<Option<anyhow::Error>> {
        let mut decoder = sse::Decoder::new();
        loop {
            let mut piece = input.fill_buf().context(UNREADABLE)?;
            let read = piece.len();
            if read == 0 {
                return Ok(None);
            }
            loop {
                let event = match decoder.next_event(&mut piece) {
                    Ok(Some(event)) => Event::parse(event.name, event.data),
                    Ok(None) => break,
                    Err(error) => return Ok(Some(unreadable(self.number + 1, error))),
                };
                if let Err(failure) = self.add(event) {
                    return Ok(Some(failure));
                }
            }
            input.consume(read);
        }
    }

    /// Reads events that are a line of JSON each; gives why it stopped before their end.
    fn lines(&mut self, input: &mut impl BufRead) -> anyhow::Result<Option<anyhow::Error>> {
        let mut decoder = jsonl::Decoder::new();
        loop {
            let mut piece = input.fill_buf().context(UNREADABLE)?;
            let read = piece.len();
            if read == 0 {
                let last = decoder.last_line().map(parse_line);
                return Ok(last.and_then(|last| self.add(last).err()));
            }
            loop {
                let event = match decoder.next_line(&mut piece) {
                    Ok(Some(line)) => parse_line(line),
                    Ok(None) => break,
                    Err(error) => {
                        return Ok(Some(unreadable(
                            self.number + 1,
                            DecodeError::LineTooLong { limit: error.limit },
                        )));
                    }
                };
                if let Err(failure) = self.add(event) {
                    return Ok(Some(failure));
                }
            }
            input.consume(read);
        }
    }

    fn add(&mut self, event: Result<Event, serde_json::Error>) -> anyhow::Result<()> {
        self.number += 1;
        let number = self.number;
        match event {
            Err(error) => Err(anyhow!(error).context(format!(
                "event {number} has another shape than expected; record the stream again, or take the event out"
            ))),
            Ok(Event::Error(body)) => {
                let error = Error::from(Box::new(ApiError::from(body)));
                Err(anyhow!(error).context(format!("event {number} is an error")))
            }
            // The first one may have come to its end: it is printed, and nothing of the second is.
            Ok(Event::MessageStart { .. }) if self.accumulator.snapshot().is_some() => {
                bail!("event {number}: {}", ProtocolError::SecondStart);
            }
            Ok(event) => self.accumulator.push(&event).map_err(|error| anyhow!("event {number}: {error}")),
        }
    }

    /// What it comes to, with why it was not read to its end.
    fn up(self, failure: Option<anyhow::Error>) -> Decoded {
        let Self { accumulator, number } = self;
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
            None => Some(anyhow!(
                "there is no message in it ({number} events); is it a stream of the Messages API?"
            )),
        });
        Decoded { message, warnings, failure }
    }
}

/// An event that says itself what it is. A line that was cut off is no event that is not known.
fn parse_line(line: &[u8]) -> Result<Event, serde_json::Error> {
    serde_json::from_slice::<&RawValue>(line).and_then(|json| Event::parse("", json.get()))
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
