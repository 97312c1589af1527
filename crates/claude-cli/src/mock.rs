//! `claudectl mock`.

use std::{
    convert::Infallible,
    fs::{self, File, OpenOptions},
    future::pending,
    io::{self, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context as _, bail};
use mock_server::{Builder, MockServer, Script};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::{
    args::MockArgs,
    console::{self, OutputError},
    interrupt::interrupted,
};

pub(crate) async fn run(args: MockArgs) -> anyhow::Result<()> {
    let to_output = args.journal.as_deref() == Some(Path::new("-"));
    let torn = Arc::new(AtomicBool::new(false));
    let server = settings(&args, &torn)?.start().await?;
    let authority = server.authority().map(|pem| authority(&pem)).transpose()?;
    let authority = authority.as_ref().map(NamedTempFile::path);
    let told = if to_output || args.json { told(&server, authority) } else { guide(&server, authority) };
    // In this order, so that an interrupt right after the invitation is heard.
    tokio::select! {
        biased;
        interrupted = interrupted() => drop(interrupted?),
        invited = invite(told) => match invited? {},
    }
    server.shutdown().await;
    match args.journal {
        Some(path) if torn.load(Ordering::Relaxed) => {
            bail!("the journal {} is not whole; make room for it, or choose another place", path.display())
        }
        _ => Ok(()),
    }
}

fn settings(args: &MockArgs, torn: &Arc<AtomicBool>) -> anyhow::Result<Builder> {
    let mut server = MockServer::builder();
    if let Some(path) = &args.script {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the script {}; give the path of a text", path.display()))?;
        let script = Script::read(&text).with_context(|| format!("the script {}", path.display()))?;
        server = server.play(script);
    }
    // What the command says counts more than the script.
    server = server.port(args.port);
    for limits in &args.limits {
        server = server.limits(limits.clone());
    }
    if let Some(count) = args.requests_per_minute {
        server = server.requests_per_minute(count);
    }
    if args.tls {
        server = server.tls();
    }
    Ok(match args.journal.as_deref() {
        None => server,
        Some(path) if path == Path::new("-") => {
            server.journal_lines(Lines { to: console::Output::new(), torn: Arc::clone(torn) })
        }
        Some(path) => {
            let file = journal(path).with_context(|| {
                format!("cannot write the journal {}; choose another place", path.display())
            })?;
            server.journal_lines(Lines { to: file, torn: Arc::clone(torn) })
        }
    })
}

/// The lines of the journal. The first that cannot be written is told, and the last: half of it may be there.
struct Lines<W> {
    to: W,
    torn: Arc<AtomicBool>,
}

impl<W: io::Write> io::Write for Lines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.torn.load(Ordering::Relaxed) {
            return Ok(line.len());
        }
        if let Err(error) = self.to.write_all(line).and_then(|()| self.to.flush())
            // Who has stopped reading misses nothing.
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.torn.store(true, Ordering::Relaxed);
            console::tell(format_args!(
                "the journal cannot be written and ends here ({error}); make room for it and start again"
            ));
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens the file to append to, which is its owner's alone.
fn journal(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.append(true).create(true).open(path)
}

/// Writes the certificate that clients have to trust where they can read it; it goes away with the server.
fn authority(pem: &str) -> anyhow::Result<NamedTempFile> {
    let write = || {
        let mut file = tempfile::Builder::new().prefix("claudectl-mock-").suffix(".pem").tempfile()?;
        file.write_all(pem.as_bytes())?;
        Ok::<_, io::Error>(file)
    };
    write().context("cannot write the certificate of the authority; look at the folder for temporary files")
}

/// Prints how to use the server, then waits for ever.
async fn invite(told: String) -> Result<Infallible, OutputError> {
    console::print(told)?;
    pending().await
}

/// How to use the server, for a program; the first line of a journal on standard output.
fn told(server: &MockServer, authority: Option<&Path>) -> String {
    let told = json!({
        "base_url": server.base_url().as_str(),
        "api_key": server.api_key(),
        "client_id": server.client_id(),
        "issuer": server.issuer(),
        "authority": authority,
    });
    format!("{told}\n")
}

fn guide(server: &MockServer, authority: Option<&Path>) -> String {
    let trust = match authority {
        Some(path) => format!("  export SSL_CERT_FILE={}\n", path.display()),
        None => String::new(),
    };
    format!(
        "The mock server listens on {base} until you press Ctrl-C. In another terminal:\n\n\
         {trust}  export ANTHROPIC_BASE_URL={base}\n  export ANTHROPIC_API_KEY={key}\n  \
         claudectl messages stream \"hello\"\n\n\
         To log in instead of using the key:\n\n  \
         claudectl auth login --client-id {client} --issuer {issuer}\n",
        base = server.base_url(),
        key = server.api_key(),
        client = server.client_id(),
        issuer = server.issuer(),
    )
}
