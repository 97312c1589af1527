//! A certificate authority of the tests' own, made anew by the program `openssl` each time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

const SETTINGS: &str = "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n\
                        policy=any\ndefault_md=sha256\ncopy_extensions=copy\nunique_subject=no\n\
                        [any]\ncommonName=supplied\n";

/// An authority that signs for servers, with what it has signed in a folder that goes with it.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

/// Where a certificate and its key are, in PEM.
#[derive(Debug)]
pub struct Certificate {
    /// The certificate.
    pub chain: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// When a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Now.
    Current,
    /// In January 2020.
    Past,
}

impl Authority {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// When `openssl` is missing or fails.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("settings"), SETTINGS)?;
        fs::write(folder.path().join("index"), "")?;
        fs::write(folder.path().join("serial"), "01\n")?;
        let authority = Self { folder };
        let uses =
            ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
        authority.request(
            "ca",
            "/CN=e2e authority",
            &[&["-x509", "-days", "2"], uses.as_slice()].concat(),
        )?;
        Ok(authority)
    }

    /// The certificate that a client has to trust, in PEM.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn pem(&self) -> Result<Vec<u8>> {
        Ok(fs::read(self.path("ca.pem"))?)
    }

    /// Signs a certificate for the server `host`.
    ///
    /// # Errors
    ///
    /// When `openssl` fails.
    pub fn sign(&self, name: &str, host: &str, validity: Validity) -> Result<Certificate> {
        let names = format!("subjectAltName=DNS:{host}");
        self.request(name, "/CN=server", &["-addext", &names])?;
        let (start, end) = match validity {
            Validity::Current => ("20200101000000Z", "21200101000000Z"),
            Validity::Past => ("20200101000000Z", "20200201000000Z"),
        };
        let out = format!("{name}.signed");
        self.openssl(
            &["ca", "-batch", "-config", "settings", "-cert", "ca.pem", "-keyfile", "ca.key"],
            |command| {
                command.args(["-in", &format!("{name}.pem"), "-out", &out, "-notext"]);
                command.args(["-startdate", start, "-enddate", end]);
            },
        )?;
        Ok(Certificate { chain: self.path(&out), key: self.path(&format!("{name}.key")) })
    }

    /// Makes a certificate that nobody but itself has signed.
    ///
    /// # Errors
    ///
    /// When `openssl` fails.
    pub fn self_signed(&self, name: &str, host: &str) -> Result<Certificate> {
        let names = format!("subjectAltName=DNS:{host}");
        self.request(name, "/CN=server", &["-x509", "-days", "2", "-addext", &names])?;
        Ok(Certificate { chain: self.path(&format!("{name}.pem")), key: self.path(&format!("{name}.key")) })
    }

    /// Makes a key, and a request or a certificate for it.
    fn request(&self, name: &str, subject: &str, more: &[&str]) -> Result<()> {
        let (key, out) = (format!("{name}.key"), format!("{name}.pem"));
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        self.openssl(&["req", "-keyout", &key, "-out", &out, "-subj", subject], |command| {
            command.args(curve).args(more);
        })
    }

    fn openssl(&self, arguments: &[&str], more: impl FnOnce(&mut Command)) -> Result<()> {
        let mut command = Command::new("openssl");
        command.current_dir(self.folder.path()).args(arguments);
        more(&mut command);
        let output =
            command.output().with_context(|| format!("cannot run openssl; {}", crate::installed("it")))?;
        if !output.status.success() {
            bail!("openssl {} failed:\n{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}
