use std::{
    fmt, io,
    process::{Command, Stdio},
    sync::Arc,
};

use secrets::Lookup;
use url::{Host, Url};

/// What shows a page to the person.
pub trait Browser: fmt::Debug + Send + Sync + 'static {
    /// Opens `page`, and comes back at once.
    ///
    /// It is an address that was checked: `https`, or `http` on loopback; visible ASCII that does not begin with `-`. It
    /// must reach the browser as one argument, through no shell.
    ///
    /// # Errors
    ///
    /// [`BrowserError`] where nothing could be started. That ends no login: the person opens the link by hand.
    fn open(&self, page: &str) -> Result<(), BrowserError>;
}

impl<B: Browser + ?Sized> Browser for Arc<B> {
    fn open(&self, page: &str) -> Result<(), BrowserError> {
        (**self).open(page)
    }
}

/// Why no browser was opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// The address is not one that a browser may be sent to.
    #[error("only https addresses, and http addresses of this machine, are opened in a browser")]
    Address,
    /// There is no screen to show a browser on.
    #[error("there is no display here; open the link in a browser by hand")]
    NoDisplay,
    /// The program that opens a browser could not be started.
    #[error("{program} could not be started ({kind}); open the link in a browser by hand")]
    Program {
        /// The program.
        program: String,
        /// How it failed.
        kind: io::ErrorKind,
    },
}

/// Opens `url` in `browser`, if it is an address for it (C31).
pub(super) fn open(browser: &dyn Browser, url: &Url) -> Result<(), BrowserError> {
    let secure = match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost",
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    };
    // Scheme and host are what `Url` has read; it writes nothing but visible ASCII. Both hold without this line, too.
    let plain = url.as_str().bytes().all(|byte| byte.is_ascii_graphic()) && !url.as_str().starts_with('-');
    if !(secure && plain) {
        return Err(BrowserError::Address);
    }
    browser.open(url.as_str())
}

/// The browser of this machine: `BROWSER` where it names a program, otherwise what the system has for opening links
/// (`xdg-open`, `open`, `rundll32`).
///
/// It runs detached, so that neither its output nor the end of this program disturbs the other, and without the API
/// keys and secrets of the environment.
#[derive(Debug, Clone)]
pub struct SystemBrowser {
    program: String,
    arguments: &'static [&'static str],
    has_display: bool,
}

/// Variables that a browser has no business with.
const SECRETS: [&str; 5] = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_IDENTITY_TOKEN",
    "CLAUDE_CLIENT_SECRET",
    "VAULT_TOKEN",
];

impl SystemBrowser {
    /// The browser that `lookup` (the environment) tells of, by `BROWSER`, `DISPLAY` and `WAYLAND_DISPLAY`.
    ///
    /// `BROWSER` is the name or path of one program, which gets the address as its only argument.
    #[must_use]
    pub fn new(lookup: &Lookup) -> Self {
        let variable = |name: &str| lookup(name).and_then(|value| value.into_string().ok());
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let named = variable("BROWSER").filter(|program| !program.is_empty());
        let has_display = cfg!(not(any(target_os = "linux", target_os = "freebsd")))
            || set("DISPLAY")
            || set("WAYLAND_DISPLAY");
        let (program, arguments): (_, &[_]) = if cfg!(target_os = "macos") {
            ("open", &[])
        } else if cfg!(windows) {
            ("rundll32", &["url.dll,FileProtocolHandler"])
        } else {
            ("xdg-open", &[])
        };
        match named {
            Some(program) => Self { program, arguments: &[], has_display: true },
            None => Self { program: program.to_owned(), arguments, has_display },
        }
    }
}

impl Browser for SystemBrowser {
    fn open(&self, page: &str) -> Result<(), BrowserError> {
        if !self.has_display {
            return Err(BrowserError::NoDisplay);
        }
        let mut command = Command::new(&self.program);
        command.args(self.arguments).arg(page);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        for name in SECRETS {
            command.env_remove(name);
        }
        // Ctrl-C in the terminal is for the program that waits there.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command
            .spawn()
            .map_err(|error| BrowserError::Program { program: self.program.clone(), kind: error.kind() })?;
        // Its end is waited for, so that it does not stay in the process table; it may be the browser itself, and last.
        std::thread::spawn(move || child.wait());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsString, sync::Mutex};

    use super::*;

    #[derive(Debug, Default)]
    struct Recorder(Mutex<Vec<String>>);

    impl Browser for Recorder {
        fn open(&self, page: &str) -> Result<(), BrowserError> {
            self.0.lock().unwrap().push(page.to_owned());
            Ok(())
        }
    }

    fn system(variables: &'static [(&str, &str)]) -> SystemBrowser {
        let find = move |name: &str| {
            let variable = variables.iter().find(|(known, _)| *known == name);
            variable.map(|(_, value)| OsString::from(value))
        };
        let lookup: Lookup = Arc::new(find);
        SystemBrowser::new(&lookup)
    }

    #[test]
    fn only_https_and_this_machine_are_opened() {
        let browser = Recorder::default();
        let good =
            ["https://auth.example/?x=1#y", "http://localhost:1/", "http://127.0.0.1/", "http://[::1]:8/"];
        for page in good {
            open(&browser, &page.parse().unwrap()).unwrap();
        }
        assert_eq!(*browser.0.lock().unwrap(), good);
        for page in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://localhost/",
            "ssh://localhost/",
            "about:blank",
            "http://auth.example/",
            "http://localhost.evil.example/",
            "http://localhost@evil.example/",
            "http://0.0.0.0/",
            "mailto:a@b.example",
        ] {
            assert_eq!(open(&browser, &page.parse().unwrap()), Err(BrowserError::Address), "{page}");
        }
        assert_eq!(browser.0.lock().unwrap().len(), good.len(), "nothing else was opened");
    }

    #[test]
    fn what_reaches_a_browser_is_visible_and_no_option() {
        let browser = Recorder::default();
        let odd = "https://auth.example/\u{1b}[2J \u{202e}\u{e9}\t?a=\"'\u{7f}&b=\u{0}";
        open(&browser, &odd.parse().unwrap()).unwrap();
        let opened = browser.0.lock().unwrap().remove(0);
        assert!(opened.bytes().all(|byte| byte.is_ascii_graphic()), "{opened}");
        assert!(opened.starts_with("https://auth.example/"), "{opened}");
    }

    #[test]
    fn without_a_display_nothing_is_started_unless_somebody_names_a_program() {
        let page = "https://auth.example/";
        if cfg!(target_os = "linux") {
            assert_eq!(system(&[]).open(page), Err(BrowserError::NoDisplay));
            assert_eq!(system(&[("DISPLAY", "")]).open(page), Err(BrowserError::NoDisplay));
        }
        let error = system(&[("BROWSER", "/no/such/program")]).open(page).unwrap_err();
        let missing =
            BrowserError::Program { program: "/no/such/program".into(), kind: io::ErrorKind::NotFound };
        assert_eq!(error, missing);
        assert!(error.to_string().ends_with("open the link in a browser by hand"), "{error}");
        for display in ["DISPLAY", "WAYLAND_DISPLAY"] {
            let browser = SystemBrowser::new(
                &(Arc::new(move |name: &str| (name == display).then(|| ":0".into())) as Lookup),
            );
            assert!(browser.has_display);
        }
    }

    /// A program gets the address as one argument, whatever a shell would make of it, and none of our input.
    #[cfg(unix)]
    #[test]
    fn the_address_is_one_argument_and_no_shell_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let (program, out) = (folder.path().join("browser"), folder.path().join("out"));
        // Renamed when it is complete, so that its reader sees all of it.
        let script = format!(
            "#!/bin/sh\ncd '{}'\n{{ echo $#; echo \"$1\"; cat; }} > part\nmv part out\n",
            folder.path().display()
        );
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();

        let program = program.into_os_string();
        let lookup: Lookup = Arc::new(move |name| (name == "BROWSER").then(|| program.clone()));
        let page = "https://auth.example/?a=$(id);`id`&b=|id&c=%22*&d='x'";
        open(&SystemBrowser::new(&lookup), &page.parse().unwrap()).unwrap();
        while !out.exists() {
            std::thread::yield_now();
        }
        let opened = Url::parse(page).unwrap();
        assert_eq!(std::fs::read_to_string(&out).unwrap(), format!("1\n{opened}\n"));
    }
}
