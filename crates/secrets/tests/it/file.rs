use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    process::Command,
};

use secrets::{ErrorKind, Resolver, SecretProvider, providers::File, test_util::contract};
use tempfile::TempDir;

use crate::name;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

async fn refusal(path: impl AsRef<Path>) -> (ErrorKind, String) {
    let error = File::at(path.as_ref()).get(name("any")).await.unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn a_file_and_a_folder_keep_the_contract() {
    let folder = Folder::new();
    let path = folder.write("key", "canary", 0o600);
    contract(File::in_dir(folder.0.path()), name("key"), "canary", name("other")).await;
    contract(File::at(path).only(name("a")), name("a"), "canary", name("b")).await;
    contract(File::in_dir(folder.0.path()).only(name("key")), name("key"), "canary", name("b")).await;
}

#[tokio::test]
async fn a_missing_file_or_folder_is_no_secret() {
    let folder = Folder::new();
    assert!(File::at(folder.path("missing")).get(name("key")).await.unwrap().is_none());
    assert!(File::in_dir(folder.path("missing")).get(name("key")).await.unwrap().is_none());
}

#[tokio::test]
async fn one_file_answers_every_name_until_it_is_narrowed() {
    let folder = Folder::new();
    let file = File::at(folder.write("key", "canary", 0o400));
    assert!(file.get(name("whatever")).await.unwrap().is_some());
    assert!(file.only(name("key")).get(name("whatever")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_name_with_segments_is_found_below_the_folder() {
    let folder = Folder::new();
    folder.write("team/claude/key", "canary", 0o600);
    let secret = File::in_dir(folder.0.path()).get(name("team/claude/key")).await.unwrap().unwrap();
    assert_eq!(secret.expose(), "canary");
}

#[tokio::test]
async fn a_mark_at_the_start_and_a_newline_at_the_end_are_trimmed_and_flagged() {
    let folder = Folder::new();
    for (raw, trimmed) in [("key", false), ("key\n", true), ("key\r\n", true), ("\u{feff}key\r\n", true)] {
        let secret = File::at(folder.write("key", raw, 0o600)).get(name("key")).await.unwrap().unwrap();
        assert_eq!((secret.expose(), secret.was_trimmed()), ("key", trimmed), "{raw:?}");
    }
}

#[tokio::test]
async fn content_that_is_no_secret_is_an_error() {
    let folder = Folder::new();
    for (raw, kind) in [
        (&b""[..], ErrorKind::Empty),
        (b"\r\n", ErrorKind::Empty),
        (b"first\nsecond\n", ErrorKind::Newline),
        (b"key\0", ErrorKind::ControlCharacter),
        (b"\xff\xfek\0", ErrorKind::NotText),
    ] {
        assert_eq!(refusal(folder.write("key", raw, 0o600)).await.0, kind, "{raw:?}");
    }
}

#[tokio::test]
async fn a_file_others_may_touch_is_refused_with_the_command_that_helps() {
    let folder = Folder::new();
    for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777] {
        let path = folder.write("key", "canary", mode);
        let (kind, message) = refusal(&path).await;
        assert_eq!(kind, ErrorKind::OpenToOthers, "{mode:o}");
        assert!(message.ends_with(&format!("run `chmod 600 {}`", path.display())), "{message}");
    }
    for mode in [0o600, 0o400, 0o700] {
        let path = folder.write(&format!("key-{mode:o}"), "canary", mode);
        assert!(File::at(path).get(name("key")).await.unwrap().is_some(), "{mode:o}");
    }
}

#[tokio::test]
async fn the_advice_can_be_pasted_whatever_the_path() {
    let folder = Folder::new();
    let (_, message) = refusal(folder.write("it's mine; rm\u{1b}[2J", "canary", 0o644)).await;
    let quoted = format!("chmod 600 '{}/it'\\''s mine; rm\u{fffd}[2J'`", folder.0.path().display());
    assert!(message.ends_with(&quoted), "{message}");
}

#[tokio::test]
async fn sixty_four_kibibytes_are_read_and_one_byte_more_is_refused() {
    let folder = Folder::new();
    let most = folder.write("most", "x".repeat(64 * 1024), 0o600);
    assert_eq!(File::at(most).get(name("key")).await.unwrap().unwrap().expose().len(), 64 * 1024);
    let more = folder.write("more", "x".repeat(64 * 1024 + 1), 0o600);
    assert_eq!(refusal(more).await.0, ErrorKind::TooLarge);
}

#[tokio::test]
async fn what_is_not_a_regular_file_is_refused_without_waiting_for_it() {
    let folder = Folder::new();
    let target = folder.write("target", "canary", 0o600);
    symlink(&target, folder.path("link")).unwrap();
    symlink(folder.path("nowhere"), folder.path("dangling")).unwrap();
    fs::create_dir(folder.path("folder")).unwrap();
    let _socket = UnixListener::bind(folder.path("socket")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.path("pipe")).status().unwrap().success());

    for file in ["link", "dangling", "folder", "socket", "pipe"] {
        let error = File::at(folder.path(file)).get(name("any")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotARegularFile, "{file}");
        let is_link = std::error::Error::source(&error).is_some_and(|why| why.to_string().contains("a link"));
        assert_eq!(is_link, matches!(file, "link" | "dangling"), "{error:?}");
        assert!(!error.to_string().contains("links"), "{error}");
    }
    assert_eq!(refusal("/dev/null").await.0, ErrorKind::NotARegularFile);
}

#[tokio::test]
async fn a_mounted_file_is_found_through_its_links_again_after_each_swap() {
    // As Kubernetes lays it out: `token` is a link into `..data`, which is a link that gets replaced.
    let folder = Folder::new();
    folder.write("..one/token", "first", 0o640);
    folder.write("..two/token", "second", 0o444);
    symlink("..one", folder.path("..data")).unwrap();
    symlink("..data/token", folder.path("token")).unwrap();
    let mounted = File::at(folder.path("token")).mounted();
    assert_eq!(mounted.get(name("token")).await.unwrap().unwrap().expose(), "first");
    symlink("..two", folder.path("..next")).unwrap();
    fs::rename(folder.path("..next"), folder.path("..data")).unwrap();
    assert_eq!(mounted.get(name("token")).await.unwrap().unwrap().expose(), "second");

    assert_eq!(
        refusal(folder.path("token")).await.0,
        ErrorKind::NotARegularFile,
        "only where it is asked for"
    );

    fs::remove_file(folder.path("..data")).unwrap();
    let error = mounted.get(name("token")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "a link that leads nowhere is no file that is missing");
    assert!(File::at(folder.path("other")).mounted().get(name("token")).await.unwrap().is_none());
}

/// The steps of Kubernetes: a new folder, a new link in the place of `..data`, and the old folder is removed.
#[tokio::test]
async fn a_reference_to_a_mount_leads_to_the_old_secret_or_the_new_one_while_it_is_rotated() {
    let folder = Folder::new();
    // As a secret's volume is: everybody may write into it, and nobody but its owner may replace what is there.
    fs::set_permissions(folder.0.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let path = folder.0.path().to_owned();
    let rotate = move |turn: u32| {
        let new = path.join(format!("..{turn}"));
        fs::create_dir(&new).unwrap();
        fs::write(new.join("key"), format!("canary-{turn}\n")).unwrap();
        fs::set_permissions(new.join("key"), fs::Permissions::from_mode(0o444)).unwrap();
        let old = fs::read_link(path.join("..data")).ok();
        symlink(new.file_name().unwrap(), path.join("..data_tmp")).unwrap();
        fs::rename(path.join("..data_tmp"), path.join("..data")).unwrap();
        if let Some(old) = old {
            fs::remove_dir_all(path.join(old)).unwrap();
        }
    };
    rotate(0);
    symlink("..data/key", folder.path("key")).unwrap();
    let resolver = Resolver::new().with_files();
    let reference = resolver.reference(&format!("mount:{}", folder.path("key").display())).unwrap();
    let turn = async || {
        let secret = resolver.resolve(&reference).await.unwrap();
        secret.expose().strip_prefix("canary-").unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(turn().await, 0);
    let rotating = std::thread::spawn(move || (1..=300).for_each(rotate));
    let mut newest = 0;
    while !rotating.is_finished() {
        let read = turn().await;
        assert!(read >= newest, "{read} after {newest}");
        newest = read;
    }
    rotating.join().unwrap();
    assert_eq!(turn().await, 300);
    let plain = resolver.reference(&format!("file:{}", folder.path("key").display())).unwrap();
    assert_eq!(resolver.resolve(&plain).await.unwrap_err().kind(), ErrorKind::NotARegularFile);
}

#[tokio::test]
async fn a_file_in_a_folder_where_others_can_replace_it_is_refused() {
    let folder = Folder::new();
    let path = folder.write("below/key", "canary", 0o600);
    for (mode, refused) in [(0o755, false), (0o770, true), (0o777, true), (0o1777, false)] {
        fs::set_permissions(folder.path("below"), fs::Permissions::from_mode(mode)).unwrap();
        let got = File::at(&path).get(name("key")).await;
        let kind = got.map_err(|error| error.kind()).err();
        assert_eq!(kind, refused.then_some(ErrorKind::OpenFolder), "{mode:o}");
    }
    fs::set_permissions(folder.path("below"), fs::Permissions::from_mode(0o777)).unwrap();
    let error = File::in_dir(folder.path("below")).get(name("key")).await.unwrap_err();
    assert!(error.to_string().contains("run `chmod go-w "), "{error}");
    // What a platform mounts is its business.
    assert!(File::at(&path).mounted().get(name("key")).await.unwrap().is_some());
}

/// Whoever may rename a folder above, or change a link on the way, can put another secret there.
#[tokio::test]
async fn a_file_below_a_folder_that_others_can_replace_is_refused() {
    let folder = Folder::new();
    let path = folder.write("above/below/key", "canary", 0o600);
    let mode = |mode| fs::set_permissions(folder.path("above"), fs::Permissions::from_mode(mode)).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(folder.path("above/below"), elsewhere.path().join("link")).unwrap();
    let linked = elsewhere.path().join("link/key");
    for (bits, refused) in [(0o755, false), (0o775, true), (0o757, true), (0o1777, false)] {
        mode(bits);
        for path in [&path, &linked] {
            let got = File::at(path).get(name("key")).await;
            let kind = got.map_err(|error| (error.kind(), error.place().to_owned())).err();
            let above = (ErrorKind::OpenFolder, folder.path("above").display().to_string());
            assert_eq!(kind, refused.then_some(above), "{bits:o} {path:?}");
        }
    }
    // The folder in which the link lies counts too.
    fs::set_permissions(elsewhere.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(File::at(&path).get(name("key")).await.is_ok());
    let error = File::at(&linked).get(name("key")).await.unwrap_err();
    assert_eq!((error.kind(), error.place()), (ErrorKind::OpenFolder, elsewhere.path().to_str().unwrap()));

    let round = folder.path("round");
    symlink(&round, &round).unwrap();
    assert_eq!(secrets::check_folder(&round).unwrap_err().kind(), ErrorKind::Unreadable);
}

#[tokio::test]
async fn a_mounted_file_that_others_write_or_that_is_no_file_is_refused() {
    let folder = Folder::new();
    for mode in [0o620, 0o602] {
        let path = folder.write("token", "canary", mode);
        let error = File::at(path).mounted().get(name("token")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OpenToOthers, "{mode:o}");
    }
    fs::create_dir(folder.path("folder")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.path("pipe")).status().unwrap().success());
    symlink("pipe", folder.path("link")).unwrap();
    for file in ["folder", "pipe", "link"] {
        let error = File::at(folder.path(file)).mounted().get(name("token")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotARegularFile, "{file}");
    }
}

#[tokio::test]
async fn a_path_through_a_file_cannot_be_read_and_the_source_says_why() {
    let folder = Folder::new();
    let error =
        File::at(folder.write("key", "canary", 0o600).join("below")).get(name("key")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreadable);
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn a_file_with_a_second_name_is_refused() {
    let folder = Folder::new();
    let path = folder.write("key", "canary", 0o600);
    fs::hard_link(&path, folder.path("other")).unwrap();
    let (kind, text) = refusal(&path).await;
    assert_eq!(kind, ErrorKind::Linked);
    assert!(text.contains("copy it to a new file"), "{text}");
    let open = fs::File::open(&path).unwrap();
    assert_eq!(secrets::check_private(&open, &path).unwrap_err().kind(), ErrorKind::Linked);

    fs::remove_file(folder.path("other")).unwrap();
    assert!(File::at(&path).get(name("any")).await.unwrap().is_some());
    assert!(secrets::check_private(&open, &path).is_ok());
}

#[test]
fn a_folder_in_which_others_can_replace_files_is_refused() {
    let folder = Folder::new();
    let path = folder.path("sub");
    assert!(secrets::check_folder(&path).is_ok(), "what is not there yet can be made right");
    fs::create_dir(&path).unwrap();
    for (mode, right) in
        [(0o700, true), (0o755, true), (0o1777, true), (0o770, false), (0o702, false), (0o777, false)]
    {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let outcome = secrets::check_folder(&path);
        assert_eq!(outcome.is_ok(), right, "{mode:o}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::OpenFolder);
            assert!(error.to_string().contains("chmod go-w"), "{error}");
        }
    }
}

/// Somebody swaps the file for another version, a link, a file that is open to all, and nothing, while it is read.
#[test]
fn a_file_that_is_swapped_under_the_reader_is_one_version_or_an_error() {
    const SWAPS: usize = 1000;
    let folder = Folder::new();
    let path = folder.write("key", vec![b'a'; 8000], 0o600);
    let evil = folder.write("evil", vec![b'e'; 8000], 0o600);
    let done = std::sync::atomic::AtomicBool::new(false);
    let mut read = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for swap in 0..SWAPS {
                let next = folder.path("next");
                match swap % 5 {
                    0 => drop(folder.write("next", vec![b'b'; 8000], 0o600)),
                    1 => symlink(&evil, &next).unwrap(),
                    2 => drop(folder.write("next", vec![b'e'; 8000], 0o644)),
                    3 => drop(folder.write("next", vec![b'a'; 8000], 0o600)),
                    _ => {
                        fs::remove_file(&path).unwrap();
                        continue;
                    }
                }
                fs::rename(&next, &path).unwrap();
            }
            done.store(true, std::sync::atomic::Ordering::SeqCst);
        });
        while !done.load(std::sync::atomic::Ordering::SeqCst) {
            match secrets::read_private(&path, 64 * 1024) {
                Ok(None) => {}
                Ok(Some(content)) => {
                    let version = content.first().copied().unwrap();
                    assert!(b"ab".contains(&version), "the wrong file: {}", char::from(version));
                    assert_eq!(*content, vec![version; 8000], "half a file, or two versions in one");
                    read += 1;
                }
                Err(error) => assert!(
                    matches!(
                        error.kind(),
                        ErrorKind::NotARegularFile | ErrorKind::OpenToOthers | ErrorKind::Unavailable
                    ),
                    "{error}"
                ),
            }
        }
    });
    assert!(read > 0, "now and then it is there");
}
