use super::{left::cleaned, modes::told, *};

#[test]
fn a_name_that_somebody_else_gave_a_file_is_one_word_of_the_command_that_is_told() {
    let next = |name: &str| told(Path::new(name), 0o644, 0o600, false).next_step.unwrap();
    assert_eq!(next("/k"), "chmod 600 /k, or run this with --fix");
    assert_eq!(next("/k;rm -r $HOME"), "chmod 600 '/k;rm -r $HOME', or run this with --fix");
    assert_eq!(next("/it's"), r"chmod 600 '/it'\''s', or run this with --fix");
    assert_eq!(next("-x/k"), "chmod 600 ./-x/k, or run this with --fix");
    assert_eq!(next("-x y"), "chmod 600 './-x y', or run this with --fix");
    let next = cleaned(Path::new("/.`id`.tmp"), false).next_step.unwrap();
    assert_eq!(next, "rm '/.`id`.tmp', or run this with --fix");
}

#[cfg(unix)]
#[test]
fn a_name_that_is_shown_as_another_is_in_no_command() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    let key = format!("/sk-ant-api03-{}", "A1b2C3d4".repeat(12));
    for name in [b"/a\nb".as_slice(), b"/\x1b[2J", "/\u{202e}k".as_bytes(), b"/caf\xe9", key.as_bytes()] {
        let path = Path::new(OsStr::from_bytes(name));
        for next in [told(path, 0o644, 0o600, false), cleaned(path, false)].map(|one| one.next_step) {
            assert_eq!(next.unwrap(), format!("run this with --fix: {UNSHOWN}"));
        }
        // There is no such file.
        for next in [told(path, 0o644, 0o600, true), cleaned(path, true)].map(|one| one.next_step) {
            let next = next.unwrap();
            assert!(next.ends_with(&format!("or do so as root; {UNSHOWN}")), "{next}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_in_the_place_of_the_folder_is_to_be_moved_away() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().as_os_str().to_owned();
    let env =
        Env::new(std::sync::Arc::new(move |name| (name == "ANTHROPIC_CONFIG_DIR").then(|| path.clone())));
    let found = look(&env, false);
    let [Finding { next_step: Some(next), .. }] = &found[..] else { panic!("{found:?}") };
    assert!(next.starts_with("it is no folder: move it away, `mv "), "{next}");
}
