//! Whom this machine trusts where the environment says so, in place of the system's own authorities.

use std::{env, fs, io, path::Path};

use claude_sdk::secrets::providers::Env;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// A variable that leads to nobody to trust.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) told: String,
    pub(super) next: String,
}

/// What is wrong with the variables that say whom to trust; one that is set replaces what the system has.
pub(super) fn fault(env: &Env) -> Option<Fault> {
    let file = env.lookup()(FILE).map(|path| (FILE, "a file", in_file(Path::new(&path)), path));
    let folders = env.lookup()(FOLDERS).map(|list| (FOLDERS, "a folder", in_folders(&list), list));
    file.into_iter().chain(folders).find_map(|(name, what, found, value)| {
        let why = match found {
            Ok(true) => return None,
            Ok(false) => "has no certificate in it".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "is not there".to_owned(),
            Err(error) => format!("cannot be read ({error})"),
        };
        Some(Fault {
            told: format!("{name} says whom to trust, and what it names {why} ({})", value.display()),
            next: format!("unset {name}, or let it name {what} with certificates in PEM"),
        })
    })
}

fn in_file(path: &Path) -> io::Result<bool> {
    if !path.metadata()?.is_file() {
        return Ok(false);
    }
    Ok(CertificateDer::pem_slice_iter(&fs::read(path)?).any(|certificate| certificate.is_ok()))
}

/// Whether one of them has a certificate; the first that cannot be read is why not.
fn in_folders(list: &std::ffi::OsStr) -> io::Result<bool> {
    let mut why = Ok(false);
    for folder in env::split_paths(list).filter(|path| !path.as_os_str().is_empty()) {
        match fs::read_dir(folder) {
            Ok(mut entries) => {
                if entries.any(|entry| entry.is_ok_and(|entry| in_file(&entry.path()).unwrap_or(false))) {
                    return Ok(true);
                }
            }
            Err(error) => why = why.and(Err(error)),
        }
    }
    why
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsString, sync::Arc};

    use super::*;

    const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../transport/tests/it/tls/ca.pem");

    fn told(name: &'static str, value: &str) -> Option<String> {
        let value = OsString::from(value);
        let env = Env::new(Arc::new(move |asked| (asked == name).then(|| value.clone())));
        fault(&env).map(|fault| fault.told)
    }

    #[test]
    fn what_leads_to_nobody_is_named_with_why_and_what_leads_to_somebody_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let shown = folder.path().to_str().unwrap();
        let empty = "SSL_CERT_DIR says whom to trust, and what it names has no certificate in it";
        assert_eq!(told(FOLDERS, shown), Some(format!("{empty} ({shown})")));
        let note = folder.path().join("note");
        fs::write(&note, "trust me").unwrap();
        let told_of_it = told(FILE, note.to_str().unwrap()).unwrap();
        assert!(
            told_of_it.starts_with("SSL_CERT_FILE says whom to trust, and what it names has no certificate")
        );
        for name in [FILE, FOLDERS] {
            let missing = folder.path().join("missing");
            assert!(told(name, missing.to_str().unwrap()).unwrap().contains("is not there"), "{name}");
            // No file is waited for that has no end.
            assert!(told(name, "/dev/zero").is_some(), "{name}");
        }
        assert_eq!(told(FILE, CA), None);
        assert_eq!(told("OTHER", "/nowhere"), None);
        fs::copy(CA, folder.path().join("ca.pem")).unwrap();
        assert_eq!(told(FOLDERS, &format!("/nowhere:{shown}")), None);
    }
}
