//! Files that are not what they should be: an error each, with the path, and never the content.

use claude_sdk::secrets::ErrorKind;

use super::*;

const GOOD: &str = r#"{"authentication": {"type": "user_oauth"}}"#;

fn refused(content: impl AsRef<[u8]>) -> ProfileError {
    let (folder, profiles) = written("configs/work.json", content);
    let error = profiles.load(&name("work")).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("work.json") && !text.contains("canary"), "{text}");
    assert!(!error.to_string().contains('\n'), "{error}");

    // Nor is it overwritten: it may be of a version to come.
    let before = fs::read(folder.path().join("configs/work.json")).unwrap();
    assert!(profiles.save(&name("work"), &Profile::user_oauth()).is_err());
    assert!(profiles.activate(&name("work")).is_err());
    assert_eq!(fs::read(folder.path().join("configs/work.json")).unwrap(), before);
    error
}

#[test]
fn a_malformed_profile_is_told_by_its_path_and_what_is_wrong() {
    for (content, what) in [
        ("", "JSON"),
        ("canary", "JSON"),
        ("[\"canary\"]", "JSON"),
        ("{\"canary\": ", "JSON"),
        ("{}", "authentication"),
        (r#"{"authentication": "canary"}"#, "authentication"),
        (r#"{"authentication": {}}"#, "type"),
        (r#"{"authentication": {"type": "", "canary": 1}}"#, "type"),
        (r#"{"authentication": {"type": "user_oauth"}, "base_url": ["canary"]}"#, "base_url"),
        (r#"{"authentication": {"type": "user_oauth", "client_id": 7}}"#, "client_id"),
        (r#"{"authentication": {"type": "oidc_federation", "identity_token": "canary"}}"#, "identity_token"),
        (
            r#"{"authentication": {"type": "oidc_federation", "identity_token": {"source": "canary"}}}"#,
            "identity_token",
        ),
        (r#"{"authentication": {"type": "oidc_federation", "identity_token": {"source": "file"}}}"#, "path"),
    ] {
        let error = refused(content);
        assert!(matches!(&error, ProfileError::Corrupt { what: told, .. } if told.contains(what)), "{error}");
    }
    assert!(matches!(refused(b"\xff\xfe{\0}\0"), ProfileError::Corrupt { .. }));
    let deep = format!("{{\"authentication\": {}", "[".repeat(100_000));
    assert!(matches!(refused(deep), ProfileError::Corrupt { .. }));
}

#[test]
fn a_version_to_come_is_told_apart() {
    for version in [r#""2.0""#, r#""2""#, "2", "[]", r#""canary""#, r#""10.0""#] {
        let content = format!(r#"{{"version": {version}, "authentication": {{"type": "user_oauth"}}}}"#);
        assert!(matches!(refused(content), ProfileError::Version { .. }), "{version}");
    }
    for version in [r#""1.0""#, r#""1""#, r#""1.9""#, "1", "null"] {
        let content = format!(r#"{{"version": {version}, "authentication": {{"type": "user_oauth"}}}}"#);
        let (_folder, profiles) = written("configs/work.json", content);
        assert!(profiles.load(&name("work")).is_ok(), "{version}");
    }
}

#[test]
fn a_file_of_any_size_is_not_read() {
    let error = refused(vec![b' '; 1024 * 1024 + 1]);
    assert!(
        matches!(&error, ProfileError::Unsafe(reason) if reason.kind() == ErrorKind::TooLarge),
        "{error}"
    );
}

#[test]
fn a_pointer_out_of_the_folder_is_refused() {
    for content in ["../../x", "/etc/passwd", ".hidden", "a b", "a\nb", "x\0"] {
        let (_folder, profiles) = written("active_config", content);
        let error = profiles.active().unwrap_err();
        assert!(matches!(error, ProfileError::Name { .. }), "{error:?}");
        assert!(error.to_string().contains("active_config"), "{error}");
    }
    let (_folder, profiles) = written("active_config", b"\xff");
    assert!(matches!(profiles.active(), Err(ProfileError::Corrupt { .. })));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    /// What is read: a profile, and the pointer to one.
    const READ: [&str; 2] = ["configs/work.json", "active_config"];

    fn reading(profiles: &Profiles, path: &str) -> Result<(), ErrorKind> {
        let outcome = match path {
            "active_config" => profiles.active().map(drop),
            _ => profiles.load(&name("work")).map(drop),
        };
        outcome.map_err(|error| match &error {
            ProfileError::Unsafe(reason) => {
                assert!(error.to_string().contains(path), "{error}");
                reason.kind()
            }
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn what_others_may_change_is_not_believed() {
        for path in READ {
            let content = if path == "active_config" { "work" } else { GOOD };
            let (folder, profiles) = written(path, content);
            for mode in [0o600, 0o644, 0o400, 0o444, 0o640] {
                fs::set_permissions(folder.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
                assert_eq!(reading(&profiles, path), Ok(()), "{mode:o}");
            }
            for mode in [0o620, 0o602, 0o666, 0o622] {
                fs::set_permissions(folder.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
                assert_eq!(reading(&profiles, path), Err(ErrorKind::OpenToOthers), "{mode:o}");
            }
        }
    }

    #[test]
    fn what_is_no_file_is_refused_and_nobody_waits_for_it() {
        for path in READ {
            let (folder, profiles) = written(path, GOOD);
            let file = folder.path().join(path);
            fs::rename(&file, folder.path().join("real")).unwrap();

            symlink(folder.path().join("real"), &file).unwrap();
            assert_eq!(reading(&profiles, path), Err(ErrorKind::NotARegularFile), "a link");
            fs::remove_file(&file).unwrap();
            mknodat(CWD, &file, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
            assert_eq!(reading(&profiles, path), Err(ErrorKind::NotARegularFile), "a pipe");
            fs::remove_file(&file).unwrap();
            fs::create_dir(&file).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).unwrap();
            assert_eq!(reading(&profiles, path), Err(ErrorKind::NotARegularFile), "a folder");
        }
    }
}
