//! `claudectl limits`: how much of the rate limits is left.

use std::{fmt::Write as _, time::Duration};

use claude_sdk::{Limit, RateLimits, RequestOptions, types::MessageRequest};

use crate::{
    args::LimitsArgs,
    connection,
    console::{print, print_json, tell},
    interrupt::unless_interrupted_asking,
    wording::of_a_model,
};

pub(crate) async fn run(args: LimitsArgs) -> anyhow::Result<()> {
    let once = RequestOptions::new().max_retries(0);
    let client = connection::client(&args.connection).await?.with_options(once)?;
    let request = MessageRequest::new(args.model.as_str(), 1).user("hi");
    let answer = unless_interrupted_asking(client.flush(), client.messages().create(&request)).await?;
    let limits = client.limits();
    if limits.is_empty() {
        answer.map_err(of_a_model)?;
        tell("the answer says nothing of rate limits");
        return if args.json { print_json(&limits) } else { Ok(()) };
    }
    // A refusal tells them too, and is when they are wanted most.
    if args.json {
        print_json(&limits)?;
    } else {
        print(table(&limits))?;
    }
    answer.map(drop).map_err(of_a_model)
}

fn table(limits: &RateLimits) -> String {
    let rows = [
        ("requests", limits.requests),
        ("input tokens", limits.input_tokens),
        ("output tokens", limits.output_tokens),
        ("tokens", limits.tokens),
    ];
    rows.into_iter().filter_map(|(name, limit)| row(name, limit)).collect()
}

/// One limit; nothing where nothing is known of it.
fn row(name: &str, Limit { limit, remaining, reset_after, .. }: Limit) -> Option<String> {
    let mut row = match (remaining, limit) {
        (Some(remaining), Some(limit)) => format!("{name:<14} {remaining} of {limit} a minute left"),
        (Some(remaining), None) => format!("{name:<14} {remaining} left"),
        (None, Some(limit)) => format!("{name:<14} {limit} a minute"),
        (None, None) => return None,
    };
    if let Some(reset_after) = reset_after.filter(|wait| *wait > Duration::ZERO) {
        let seconds = reset_after.as_millis().div_ceil(1_000);
        write!(row, ", all of it in {seconds} s").ok()?;
    }
    Some(row + "\n")
}
