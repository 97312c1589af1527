//! What can be typed about the monitor.

use std::{net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::{Args as ClapArgs, ValueEnum, builder::NonEmptyStringValueParser};
use jiff::SignedDuration;

use super::{
    ConnectionArgs,
    host::{self, address},
};

/// What to watch, and where to tell.
#[derive(Debug, ClapArgs)]
pub struct MonitorArgs {
    /// Run each probe once, print what came of it, and end: with status 1 where one failed. Writes no history.
    #[arg(long, conflicts_with = "history")]
    pub once: bool,
    /// Print JSON: one document with --once, otherwise one a line.
    #[arg(long)]
    pub json: bool,
    /// How often a probe runs, such as models=30s, or message=off; may be given once for each of token, models, message and
    /// stream.
    #[arg(long, value_name = "PROBE=TIME")]
    pub every: Vec<Every>,
    /// How long a probe may take.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    pub timeout: Duration,
    /// The model that the messages are for.
    #[arg(long, default_value = "claude-haiku-4-5")]
    pub model: String,
    /// Where the history is kept; `claudectl/monitor.sqlite` in the folder for states of programs is the default.
    #[arg(long, value_name = "PATH")]
    pub history: Option<PathBuf>,
    /// Show a page with what is going on at this address, such as 127.0.0.1:9464, and metrics for Prometheus at /metrics.
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "once", value_parser = address)]
    pub serve: Option<SocketAddr>,
    /// With --serve, another name by which it may be asked, without a port; needed where other machines can reach the address.
    /// May be given several times.
    #[arg(long, value_name = "NAME", requires = "serve", conflicts_with = "once", value_parser = host)]
    pub host: Vec<String>,
    /// Run this program when an alert begins and when it ends; it has the alert as JSON on standard input, and a minute.
    #[arg(long, value_name = "PROGRAM", conflicts_with = "once", value_parser = NonEmptyStringValueParser::new())]
    pub alert_command: Option<String>,
    /// Send each alert as JSON to the address that this leads to: `file:PATH`, `env:NAME`, `vault:PATH#FIELD`, …
    #[arg(long, value_name = "REFERENCE", conflicts_with = "once", value_parser = NonEmptyStringValueParser::new())]
    pub alert_webhook: Option<String>,
    /// How many runs of a hundred have to go well; alerts tell when too many fail for that.
    #[arg(long, value_name = "PERCENT", default_value = "99", value_parser = percent)]
    pub objective: f64,
    /// Alert where five of a hundred runs take longer than this, such as 800ms or 2s.
    #[arg(long, value_name = "TIME", value_parser = slow)]
    pub slow: Option<Duration>,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// What is tried again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Probe {
    /// The token of a profile, and the server that renews it.
    Token,
    /// The list of models.
    Models,
    /// A message of one token.
    Message,
    /// A short message, streamed.
    Stream,
}

/// How often a probe runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Every {
    /// Which one.
    pub probe: Probe,
    /// From one beginning to the next; never where there is none.
    pub interval: Option<Duration>,
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let usage = || "write it as models=30s, or message=off".to_owned();
        let (probe, interval) = text.split_once('=').ok_or_else(usage)?;
        let probe = Probe::from_str(probe, false)
            .map_err(|_| "the probes are token, models, message and stream".to_owned())?;
        let interval = if interval == "off" { None } else { Some(time(interval)?) };
        Ok(Self { probe, interval })
    }
}

/// A name as browsers send it.
fn host(text: &str) -> Result<String, String> {
    let usage = || "write a name or an address without a port, such as monitor.example".to_owned();
    host::host(text).map(|host| host.to_string()).ok_or_else(usage)
}

/// A time of at least a second.
fn time(text: &str) -> Result<Duration, String> {
    let usage = "write a time from a second to a day, such as 30s, 5m or 1h";
    time_from(Duration::from_secs(1), text).ok_or_else(|| usage.to_owned())
}

/// How long an answer may take, which is less than a second where all is well.
fn slow(text: &str) -> Result<Duration, String> {
    let usage = "write a time from a millisecond to a day, such as 800ms, 2s or 1m";
    time_from(Duration::from_millis(1), text).ok_or_else(|| usage.to_owned())
}

fn time_from(least: Duration, text: &str) -> Option<Duration> {
    let time = Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()?;
    (least..=Duration::from_secs(86_400)).contains(&time).then_some(time)
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (1.0..100.0).contains(&percent) => Ok(percent),
        Ok(100.0) => Err("of 100 % no run may ever fail; write less, such as 99.9".to_owned()),
        _ => Err("write a number from 1 to less than 100, such as 99 or 99.9".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_no_port() {
        for (text, name) in [
            ("Monitor.Example", "monitor.example"),
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8::7", "[2001:db8::7]"),
            ("[2001:db8::7]", "[2001:db8::7]"),
        ] {
            assert_eq!(host(text).as_deref(), Ok(name));
        }
        for wrong in [
            "monitor.example:9464",
            "http://monitor.example",
            "monitor.example/",
            "",
            "[::1]:80",
            "a b",
            "*",
            "*.example",
        ] {
            assert!(host(wrong).unwrap_err().contains("without a port"), "{wrong}");
        }
    }

    #[test]
    fn what_is_slow_may_be_less_than_a_second_and_an_objective_is_less_than_all() {
        assert_eq!(slow("800ms"), Ok(Duration::from_millis(800)));
        assert_eq!(slow("0.5s"), Ok(Duration::from_millis(500)));
        assert!(time("800ms").unwrap_err().starts_with("write a time from a second"));
        for wrong in ["0s", "-1s", "100us", "2d", "fast"] {
            assert!(slow(wrong).unwrap_err().starts_with("write a time from a millisecond"), "{wrong}");
        }
        assert_eq!(percent("99.9"), Ok(99.9));
        assert!(percent("100").unwrap_err().starts_with("of 100 % no run"));
        for wrong in ["0", "-1", "101", "NaN", "inf", "all", ""] {
            assert!(percent(wrong).unwrap_err().starts_with("write a number from 1"), "{wrong}");
        }
    }

    #[test]
    fn an_interval_is_a_probe_and_a_time_or_off() {
        let minutes = Every { probe: Probe::Models, interval: Some(Duration::from_secs(90)) };
        assert_eq!("models=1m30s".parse(), Ok(minutes));
        assert_eq!("stream=off".parse(), Ok(Every { probe: Probe::Stream, interval: None }));
        for wrong in ["models", "models=", "models=0s", "models=2d", "models=-5s", "all=5s", "models=5"] {
            assert!(wrong.parse::<Every>().is_err(), "{wrong}");
        }
    }
}
