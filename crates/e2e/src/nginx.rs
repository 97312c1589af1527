//! nginx in front of a server, with TLS.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::{Certificate, Process, Tools};

/// A running nginx.
#[derive(Debug)]
pub struct Nginx {
    _process: Process,
    _folder: TempDir,
}

/// One port of it.
#[derive(Debug)]
pub struct Site<'a> {
    /// The port on loopback.
    pub port: u16,
    /// What it shows.
    pub certificate: &'a Certificate,
    /// More lines of its settings, such as the protocols it speaks.
    pub settings: &'a str,
}

impl Nginx {
    /// Starts it in front of the server at `upstream`, a port on loopback; nothing is buffered.
    ///
    /// # Errors
    ///
    /// When it is missing, or does not take its settings.
    pub fn start(tools: &Tools, upstream: u16, sites: &[Site<'_>]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let settings = Self::settings(folder.path(), &format!("127.0.0.1:{upstream}"), sites)?;
        let mut command = tools.nginx()?;
        command.arg("-c").arg(settings).args(["-e", "stderr", "-p"]).arg(folder.path());
        let mut process = Process::start(command)?;
        // Said once it listens.
        process.wait_for("getrlimit(RLIMIT_NOFILE)", Duration::from_secs(10))?;
        Ok(Self { _process: process, _folder: folder })
    }

    /// Writes its settings to a file in `folder`, where it also keeps what it has to, and gives the path. `upstream` is what it
    /// stands in front of, in its own words: `127.0.0.1:8080`, or `unix:/path/of/a/socket:`.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn settings(folder: &Path, upstream: &str, sites: &[Site<'_>]) -> Result<PathBuf> {
        let path = folder.display();
        // One process: a worker would live on when the one that started it is killed.
        let mut settings = format!(
            "daemon off;\nmaster_process off;\npid {path}/pid;\nerror_log stderr notice;\n\
             events {{ worker_connections 256; }}\nhttp {{\n  access_log off;\n"
        );
        for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            writeln!(settings, "  {kind}_temp_path {path}/{kind};")?;
        }
        for Site { port, certificate, settings: more } in sites {
            let (chain, key) = (certificate.chain.display(), certificate.key.display());
            writeln!(
                settings,
                "  server {{\n    listen 127.0.0.1:{port} ssl http2;\n    server_name localhost;\n    \
                 ssl_certificate {chain};\n    ssl_certificate_key {key};\n    {more}\n    location / {{\n      \
                 proxy_pass http://{upstream};\n      proxy_http_version 1.1;\n      \
                 proxy_buffering off;\n      proxy_set_header x-spoken $server_protocol;\n    }}\n  }}"
            )?;
        }
        settings += "}\n";
        let file = folder.join("nginx.conf");
        fs::write(&file, settings)?;
        Ok(file)
    }
}
