//! What the DNS says about a domain's mail: the one file that knows the crate `hickory-resolver`.

use std::{
    fmt,
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use anyhow::Context as _;
use hickory_resolver::{
    TokioResolver,
    config::{NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{RData, RecordType},
    },
};

use super::super::network::in_time;

/// How long one question may take, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;
/// How long all of that may take, whatever else is tried for it (a connection by TCP).
const WHOLE: Duration = Duration::from_secs(6);
const SILENT: &str = "no DNS server answers in time";
/// More of anything is more than a person reads.
const MOST: usize = 50;

/// Whom to ask.
#[derive(Clone)]
pub(super) struct Records(TokioResolver);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The domain does not exist.
    NoDomain,
    Failed(String),
}

impl Records {
    /// What this machine's DNS servers say, or the one at `server`.
    pub(super) fn of(server: Option<SocketAddr>) -> anyhow::Result<Self> {
        let mut builder = match server {
            None => TokioResolver::builder_tokio().context(
                "this machine names no DNS server that could be asked; name one with --dns-server 9.9.9.9:53",
            )?,
            Some(server) => {
                let mut config = NameServerConfig::udp_and_tcp(server.ip());
                config.connections.iter_mut().for_each(|connection| connection.port = server.port());
                let config = ResolverConfig::from_name_servers(vec![config]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        builder.options_mut().timeout = PATIENCE;
        builder.options_mut().attempts = ATTEMPTS;
        Ok(Self(builder.build().context("the DNS cannot be asked")?))
    }

    /// The mail servers of a domain, the preferred one first; one without a name says that there is none.
    pub(super) async fn mx(&self, domain: &str) -> Result<Vec<String>, Unanswered> {
        let mut servers: Vec<_> = self
            .ask(domain, RecordType::MX)
            .await?
            .into_iter()
            .filter_map(|data| match data {
                RData::MX(mx) => Some((mx.preference, plain(&mx.exchange.to_utf8()))),
                _ => None,
            })
            .collect();
        servers.sort();
        Ok(servers.into_iter().map(|(_, name)| name).collect())
    }

    /// The texts of a domain.
    pub(super) async fn txt(&self, domain: &str) -> Result<Vec<String>, Unanswered> {
        let texts = self.ask(domain, RecordType::TXT).await?.into_iter().filter_map(|data| match data {
            RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
            _ => None,
        });
        Ok(texts.collect())
    }

    /// Where the machine of this name is: nowhere, if there is none.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Unanswered> {
        let (old, new) = tokio::join!(self.ask(name, RecordType::A), self.ask(name, RecordType::AAAA));
        let (mut addresses, mut failed) = (Vec::new(), None);
        for found in [old, new] {
            match found {
                Ok(records) => addresses.extend(records.iter().filter_map(RData::ip_addr)),
                Err(Unanswered::NoDomain) => {}
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if addresses.is_empty() => Err(error),
            _ => Ok(addresses),
        }
    }

    /// What is recorded, which may be nothing.
    async fn ask(&self, domain: &str, kind: RecordType) -> Result<Vec<RData>, Unanswered> {
        // With a dot at its end, no suffix of this machine's is tried.
        match answer(WHOLE, self.0.lookup(format!("{domain}."), kind)).await? {
            Ok(answer) => Ok(answer.answers().iter().take(MOST).map(|record| record.data.clone()).collect()),
            Err(error) if error.is_nx_domain() => Err(Unanswered::NoDomain),
            Err(error) if error.is_no_records_found() && !refuses(&error.to_string()) => Ok(Vec::new()),
            Err(error) => Err(Unanswered::Failed(in_words(&error))),
        }
    }
}

/// What comes of a question within this time.
async fn answer<T>(limit: Duration, question: impl Future<Output = T>) -> Result<T, Unanswered> {
    in_time(limit, question).await.ok_or_else(|| Unanswered::Failed(SILENT.to_owned()))
}

/// An answer that is a refusal has no records too.
fn refuses(error: &str) -> bool {
    [ResponseCode::Refused, ResponseCode::ServFail].iter().any(|code| error.contains(&code.to_string()))
}

/// Why a server says nothing, as a person would say it. A port where nobody listens is silent too, for all that is heard here.
fn in_words(error: &NetError) -> String {
    let told = error.to_string();
    let said = |code: ResponseCode| told.contains(&code.to_string());
    match error {
        NetError::Timeout | NetError::NoConnections => SILENT.to_owned(),
        NetError::Proto(_) => "what answers is no DNS server: its reply cannot be read".to_owned(),
        NetError::Dns(_) if said(ResponseCode::Refused) => {
            "the DNS server refuses to say (REFUSED)".to_owned()
        }
        NetError::Dns(_) if said(ResponseCode::ServFail) => {
            "the DNS server could not find out (SERVFAIL)".to_owned()
        }
        NetError::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => "nobody listens where the DNS server should".to_owned(),
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
                "this machine has no network that leads to a DNS server".to_owned()
            }
            _ => format!("the DNS server cannot be asked: {error}"),
        },
        _ => told,
    }
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Records").finish()
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use hickory_resolver::net::DnsError;

    use super::*;

    #[test]
    fn why_nothing_is_said_is_told_as_a_person_would() {
        let io = |kind| NetError::Io(Arc::new(io::Error::from(kind)));
        let says = |code| NetError::Dns(DnsError::ResponseCode(code));
        for (error, told) in [
            (NetError::Timeout, "no DNS server answers in time"),
            (NetError::NoConnections, "no DNS server answers in time"),
            (says(ResponseCode::Refused), "the DNS server refuses to say (REFUSED)"),
            (says(ResponseCode::ServFail), "the DNS server could not find out (SERVFAIL)"),
            (
                NetError::Proto("label points to data not prior to idx".into()),
                "what answers is no DNS server: its reply cannot be read",
            ),
            (io(ErrorKind::ConnectionRefused), "nobody listens where the DNS server should"),
            (io(ErrorKind::NetworkUnreachable), "this machine has no network that leads to a DNS server"),
        ] {
            assert_eq!(in_words(&error), told);
        }
    }

    #[tokio::test]
    async fn a_question_that_never_ends_is_given_up() {
        let asked = answer(Duration::ZERO, std::future::pending::<()>()).await;
        assert!(matches!(&asked, Err(Unanswered::Failed(why)) if why == SILENT), "{asked:?}");
    }
}
