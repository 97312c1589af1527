use std::{
    fmt, io,
    process::{Command, Stdio},
    sync::Arc,
};

use secrets::{ChildEnvironment, Lookup};
use url::{Host, Url};

/// What shows a page to the person.
///
/// Example: [`login`](crate::login).
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
    #[inline]
    fn open(&self, page: &str) -> Result<(), BrowserError> {
        (**self).open(page)
    }
}

/// Why no browser was opened.
///
/// Example: [`login`](crate::login).
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
/// It runs detached, so that neither its output nor the end of this program disturbs the other, and with few variables
/// of the environment: those that are kept for every program ([`ChildEnvironment`]), and those that lead to the desktop.
///
/// Example: [`login`](crate::login).
#[derive(Debug, Clone)]
pub struct SystemBrowser {
    program: String,
    arguments: &'static [&'static str],
    has_display: bool,
    environment: ChildEnvironment,
}

/// What a browser, and what opens links, need beside what is kept for every program: the desktop they are on, and a proxy.
const PASSED: [&str; 25] = [
    "BROWSER",
    "DESKTOP_SESSION",
    "GNOME_DESKTOP_SESSION_ID",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "KDE_FULL_SESSION",
    "KDE_SESSION_VERSION",
    "MOZ_ENABLE_WAYLAND",
    "NO_PROXY",
    "ProgramData",
    "ProgramFiles",
    "ProgramFiles(x86)",
    "WSL_DISTRO_NAME",
    "WSL_INTEROP",
    "XAUTHORITY",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_CURRENT_DESKTOP",
    "XDG_DATA_DIRS",
    "XDG_SESSION_TYPE",
    "XDG_STATE_HOME",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "windir",
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
        let environment = ChildEnvironment::of(Arc::clone(lookup)).pass(PASSED);
        match named {
            Some(program) => Self { program, arguments: &[], has_display: true, environment },
            None => Self { program: program.to_owned(), arguments, has_display, environment },
        }
    }
}

impl Browser for SystemBrowser {
    #[inline]
    fn open(&self, page: &str) -> Result<(), BrowserError> {
        if !self.has_display {
            return Err(BrowserError::NoDisplay);
        }
        let mut command = Command::new(&self.program);
        command.args(self.arguments).arg(page);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env_clear().envs(self.environment.variables());
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

    /// What a browser of a few lines of shell writes down, in an environment in which every variable is set.
    #[cfg(unix)]
    fn written_by(script: &str, page: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let (program, out) = (folder.path().join("browser"), folder.path().join("out"));
        // Renamed when it is complete, so that its reader sees all of it.
        let script =
            format!("#!/bin/sh\ncd '{}'\n{{ {script}; }} > part\nmv part out\n", folder.path().display());
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();

        let program = program.into_os_string();
        let lookup: Lookup = Arc::new(move |name| match name {
            "BROWSER" => Some(program.clone()),
            "PATH" => Some("/usr/bin:/bin".into()),
            name if name.starts_with('L') => Some("C".into()),
            name => Some(format!("of-{name}").into()),
        });
        open(&SystemBrowser::new(&lookup), &page.parse().unwrap()).unwrap();
        while !out.exists() {
            std::thread::yield_now();
        }
        std::fs::read_to_string(&out).unwrap()
    }

    /// A program gets the address as one argument, whatever a shell would make of it, and none of our input.
    #[cfg(unix)]
    #[test]
    fn the_address_is_one_argument_and_no_shell_reads_it() {
        let page = "https://auth.example/?a=$(id);`id`&b=|id&c=%22*&d='x'";
        let opened = Url::parse(page).unwrap();
        assert_eq!(written_by("echo $#; echo \"$1\"; cat", page), format!("1\n{opened}\n"));
    }

    #[cfg(unix)]
    #[test]
    fn a_browser_is_told_of_its_desktop_and_of_no_key() {
        let seen = written_by("env", "https://auth.example/");
        for name in ["DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "HOME", "XDG_CURRENT_DESKTOP"] {
            assert!(seen.contains(&format!("{name}=of-{name}\n")), "{name} is not in {seen}");
        }
        for word in ["KEY", "TOKEN", "SECRET", "ANTHROPIC", "CLAUDE", "VAULT"] {
            assert!(!seen.contains(word), "{word} is in {seen}");
        }
    }
}
