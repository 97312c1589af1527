use std::{fs, path::Path};

use serde_json::json;

use super::*;

struct Rig {
    _outer: tempfile::TempDir,
    root: std::path::PathBuf,
    tool: MemoryTool<FileMemory>,
}

/// A memory in a folder beside a file that must not be reached.
fn rig() -> Rig {
    let outer = tempfile::tempdir().unwrap();
    fs::write(outer.path().join("secret"), "canary").unwrap();
    fs::create_dir(outer.path().join("memories-of-others")).unwrap();
    let root = outer.path().join("memories");
    let tool = MemoryTool::new(FileMemory::open(&root).unwrap());
    Rig { _outer: outer, root, tool }
}

impl Rig {
    async fn run(&self, command: Value) -> Result<String, String> {
        let told = self.tool.call(command).await;
        told.map(|content| content.text()).map_err(|error| error.content().text())
    }

    async fn ok(&self, command: Value) -> String {
        self.run(command).await.unwrap()
    }

    async fn refused(&self, command: Value) -> String {
        self.run(command).await.unwrap_err()
    }

    async fn create(&self, path: &str, text: &str) {
        self.ok(json!({"command": "create", "path": path, "file_text": text})).await;
    }
}

/// Every command, with `path` where a path goes.
fn commands(path: &str) -> Vec<Value> {
    vec![
        json!({"command": "view", "path": path}),
        json!({"command": "create", "path": path, "file_text": "x"}),
        json!({"command": "str_replace", "path": path, "old_str": "canary", "new_str": "x"}),
        json!({"command": "insert", "path": path, "insert_line": 0, "insert_text": "x"}),
        json!({"command": "delete", "path": path}),
        json!({"command": "rename", "old_path": path, "new_path": "/memories/taken"}),
        json!({"command": "rename", "old_path": "/memories/there", "new_path": path}),
    ]
}

#[tokio::test]
async fn no_path_leads_out_of_the_memory() {
    let rig = rig();
    rig.create("/memories/there", "x").await;
    for path in [
        "",
        "/",
        "/etc/passwd",
        "secret",
        "memories/secret",
        "/memories/../secret",
        "/memories/a/../../secret",
        "/memories/..",
        "/memories/.",
        "/memories/./../secret",
        "/memories/%2e%2e/secret",
        "/memories/%2E%2e%2Fsecret",
        "/memories/..%2fsecret",
        "/memories/%252e%252e/secret",
        "/memories/..\\secret",
        "/memories\\..\\secret",
        "/memories/a\\b",
        "/memories/\u{0}",
        "/memories/secret\u{0}.md",
        "/memories/a\nb",
        "/memories-of-others/x",
        "/memoriesx",
        "/Memories/x",
        "//memories/x",
        "/memories//x",
        "/memories/x//",
        " /memories/x",
        "/memories/.hidden",
        "/memories/.writing",
        "/memories/a/.ssh/keys",
        "/memories/c:",
        "/memories/file:stream",
        "/memories/trailing.",
        "/memories/trailing ",
        "file:///memories/x",
        "~/memories/x",
    ] {
        for command in commands(path) {
            rig.refused(command.clone()).await;
        }
        assert!(MemoryPath::parse(path).is_err(), "{path:?}");
    }
    let long = format!("/memories/{}", "a".repeat(129));
    let longer = format!("/memories{}", "/abcdefg".repeat(150));
    let deep = format!("/memories{}", "/a".repeat(13));
    for path in [long, longer, deep] {
        assert!(MemoryPath::parse(&path).is_err(), "{path:?}");
    }
    let outer = rig.root.parent().unwrap();
    assert_eq!(fs::read_to_string(outer.join("secret")).unwrap(), "canary");
    assert_eq!(fs::read_dir(outer).unwrap().count(), 3);
    assert_eq!(fs::read_dir(&rig.root).unwrap().count(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn no_link_is_followed_whatever_the_command() {
    use std::os::unix::fs::symlink;

    let rig = rig();
    rig.create("/memories/there", "x").await;
    let outer = rig.root.parent().unwrap();
    symlink(outer.join("secret"), rig.root.join("file")).unwrap();
    symlink(outer, rig.root.join("folder")).unwrap();
    symlink(outer.join("new"), rig.root.join("dangling")).unwrap();
    symlink(rig.root.join("there"), rig.root.join("inside")).unwrap();
    symlink(outer.join("secret"), rig.root.join(".writing")).unwrap();
    for path in ["file", "folder", "folder/secret", "folder/new", "dangling", "inside"] {
        for command in commands(&format!("/memories/{path}")) {
            let told = rig.refused(command.clone()).await;
            assert!(!told.contains("canary"), "{command}: {told}");
        }
    }
    rig.create("/memories/new", "fine").await; // over the link that stands where files are written
    let listed = rig.ok(json!({"command": "view", "path": "/memories"})).await;
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert_eq!(fs::read_to_string(outer.join("secret")).unwrap(), "canary");
    assert!(!outer.join("new").exists());
}

/// Somebody else swaps a folder for a link to one outside again and again, while the model reads, writes and deletes in it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_link_is_followed_that_is_put_there_meanwhile() {
    use std::{
        os::unix::fs::symlink,
        sync::{
            Arc,
            atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
        },
    };

    use rustix::fs::{CWD, RenameFlags, renameat_with};

    let rig = rig();
    let outer = rig.root.parent().unwrap().to_owned();
    rig.create("/memories/folder/deep/x", "inside").await;
    fs::create_dir(outer.join("deep")).unwrap();
    fs::write(outer.join("deep/x"), "canary").unwrap();
    symlink(&outer, rig.root.join(".link")).unwrap();
    let (folder, link) = (rig.root.join("folder"), rig.root.join(".link"));
    let done = Arc::new(AtomicBool::new(false));
    let swaps = Arc::new(AtomicU32::new(0));
    let (until, count) = (Arc::clone(&done), Arc::clone(&swaps));
    let swapping = std::thread::spawn(move || {
        while !until.load(Relaxed) {
            renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            count.fetch_add(1, Relaxed);
        }
    });
    let (mut done_inside, mut refused) = (0, 0);
    // On a machine with other work the two may take turns: so often, and then until both have met both.
    for number in 0.. {
        if number >= 400 && swaps.load(Relaxed) > 100 && done_inside > 10 && refused > 10 {
            break;
        }
        let new = format!("/memories/folder/new-{number}");
        for command in [
            json!({"command": "view", "path": "/memories/folder/deep/x"}),
            json!({"command": "view", "path": "/memories/folder"}),
            json!({"command": "create", "path": &new, "file_text": "x"}),
            json!({"command": "str_replace", "path": "/memories/folder/deep/x", "old_str": "canary", "new_str": "x"}),
            json!({"command": "rename", "old_path": &new, "new_path": "/memories/folder/deep/y"}),
            json!({"command": "delete", "path": "/memories/folder/deep/y"}),
        ] {
            match rig.run(command.clone()).await {
                Ok(told) => {
                    assert!(!told.contains("canary") && !told.contains("secret"), "{command}: {told}");
                    done_inside += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    done.store(true, Relaxed);
    swapping.join().unwrap();
    assert_eq!(fs::read_to_string(outer.join("deep/x")).unwrap(), "canary");
    assert_eq!(fs::read_dir(outer.join("deep")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(&outer).unwrap().count(), 4);
}

#[cfg(unix)]
#[tokio::test]
async fn files_and_folders_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let rig = rig();
    rig.create("/memories/a/b/c.md", "x").await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for (path, expected) in [("", 0o700), ("a", 0o700), ("a/b", 0o700), ("a/b/c.md", 0o600)] {
        assert_eq!(mode(&rig.root.join(path)), expected, "{path}");
    }
    rig.ok(json!({"command": "insert", "path": "/memories/a/b/c.md", "insert_line": 1, "insert_text": "y"}))
        .await;
    assert_eq!(mode(&rig.root.join("a/b/c.md")), 0o600);
}

#[tokio::test]
async fn a_file_is_written_shown_changed_moved_and_deleted() {
    let rig = rig();
    rig.create("/memories/notes/tea.md", "one\ntwo\nthree\n").await;
    let view =
        |range: Value| json!({"command": "view", "path": "/memories/notes/tea.md", "view_range": range});
    let shown = rig.ok(view(Value::Null)).await;
    assert!(shown.ends_with(":\n     1\tone\n     2\ttwo\n     3\tthree\n"), "{shown}");
    assert!(rig.ok(view(json!([2, -1]))).await.ends_with(":\n     2\ttwo\n     3\tthree\n"));
    assert!(rig.ok(view(json!([2, 99]))).await.ends_with(":\n     2\ttwo\n     3\tthree\n"));
    for range in [json!([0, 1]), json!([3, 2]), json!([1, -2]), json!([9, -1])] {
        assert!(rig.refused(view(range.clone())).await.contains("the file has 3"), "{range}");
    }

    let change =
        json!({"command": "str_replace", "path": "/memories/notes/tea.md", "old_str": "two", "new_str": "2"});
    assert!(rig.ok(change.clone()).await.contains("     2\t2\n"));
    assert!(rig.refused(change).await.contains("nothing was changed"));
    let twice =
        json!({"command": "str_replace", "path": "/memories/notes/tea.md", "old_str": "e", "new_str": "E"});
    assert!(rig.refused(twice).await.contains("in lines 1, 3, 3"));
    let insert = |line: u64| json!({"command": "insert", "path": "/memories/notes/tea.md", "insert_line": line, "insert_text": "zero\n"});
    rig.ok(insert(0)).await;
    assert!(rig.refused(insert(5)).await.contains("between 0 and 4"));
    assert_eq!(fs::read_to_string(rig.root.join("notes/tea.md")).unwrap(), "zero\none\n2\nthree\n");

    let again = json!({"command": "create", "path": "/memories/notes/tea.md", "file_text": ""});
    assert!(rig.refused(again).await.contains("there already"));
    rig.create("/memories/z.md", "").await;
    let listed = rig.ok(json!({"command": "view", "path": "/memories/"})).await;
    let names: Vec<&str> = listed.lines().skip(1).map(|line| line.split('\t').nth(1).unwrap()).collect();
    assert_eq!(names, ["/memories/notes/", "/memories/notes/tea.md", "/memories/z.md"]);

    let rename = |from: &str, to: &str| json!({"command": "rename", "old_path": from, "new_path": to});
    assert!(rig.refused(rename("/memories/z.md", "/memories/notes/tea.md")).await.contains("there already"));
    assert!(rig.refused(rename("/memories/notes", "/memories/notes/deeper")).await.contains("into itself"));
    assert!(rig.refused(rename("/memories/nothing", "/memories/x")).await.contains("is not there"));
    rig.ok(rename("/memories/notes", "/memories/old/notes")).await;
    assert!(rig.root.join("old/notes/tea.md").exists());

    rig.ok(json!({"command": "delete", "path": "/memories/old"})).await;
    assert!(
        rig.refused(json!({"command": "delete", "path": "/memories/old"})).await.contains("is not there")
    );
    assert!(!rig.root.join("old").exists());
}

#[tokio::test]
async fn the_root_is_neither_deleted_nor_renamed_nor_written() {
    let rig = rig();
    for path in ["/memories", "/memories/"] {
        assert!(rig.ok(json!({"command": "view", "path": path})).await.contains("is empty"));
        for command in commands(path).into_iter().skip(1) {
            rig.refused(command).await;
        }
    }
    assert!(rig.root.is_dir());
}

#[tokio::test]
async fn a_file_is_no_folder_and_a_folder_no_file() {
    let rig = rig();
    rig.create("/memories/folder/file", "x").await;
    for command in commands("/memories/folder/file/below") {
        if command["old_path"] != "/memories/there" {
            assert!(rig.refused(command.clone()).await.contains("not a folder"), "{command}");
        }
    }
    let edit = json!({"command": "insert", "path": "/memories/folder", "insert_line": 0, "insert_text": "x"});
    assert!(rig.refused(edit).await.contains("not a file"));
}

#[tokio::test]
async fn what_is_too_large_or_no_text_is_refused() {
    let rig = rig();
    let huge = "x".repeat(1024 * 1024 + 1);
    let create = json!({"command": "create", "path": "/memories/huge", "file_text": huge});
    assert!(rig.refused(create).await.contains("1 MiB"));
    assert!(!rig.root.join("huge").exists());

    rig.create("/memories/full", &huge[1..]).await;
    let more = json!({"command": "insert", "path": "/memories/full", "insert_line": 0, "insert_text": "x"});
    assert!(rig.refused(more).await.contains("1 MiB"));
    assert_eq!(fs::metadata(rig.root.join("full")).unwrap().len(), 1024 * 1024);

    fs::write(rig.root.join("large"), &huge).unwrap();
    assert!(rig.refused(json!({"command": "view", "path": "/memories/large"})).await.contains("1 MiB"));
    fs::write(rig.root.join("binary"), [0xff, 0xfe]).unwrap();
    assert!(rig.refused(json!({"command": "view", "path": "/memories/binary"})).await.contains("no text"));

    let sparse = fs::File::create(rig.root.join("sparse")).unwrap();
    sparse.set_len(64 * 1024 * 1024).unwrap();
    let create = json!({"command": "create", "path": "/memories/x", "file_text": "x"});
    assert!(rig.refused(create).await.contains("full"));
}

#[tokio::test]
async fn a_command_that_is_none_is_told_as_such() {
    let rig = rig();
    for command in [
        json!({}),
        json!({"command": "shred", "path": "/memories/x"}),
        json!({"command": "view"}),
        json!({"command": "insert", "path": "/memories/x", "insert_line": -1, "insert_text": ""}),
        json!({"command": "view", "path": "/memories", "view_range": [1]}),
        json!({"command": "str_replace", "path": "/memories/x", "old_str": ""}),
    ] {
        assert!(!rig.refused(command.clone()).await.is_empty(), "{command}");
    }
    assert_eq!(
        serde_json::to_value(rig.tool.tool()).unwrap(),
        json!({"type": "memory_20250818", "name": "memory"})
    );
}

/// As many handles as there are conversations may be open on one folder.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn handles_on_one_folder_do_not_get_into_each_other_s_way() {
    let rig = rig();
    let tasks: Vec<_> = (0..4)
        .map(|handle| {
            let tool = MemoryTool::new(FileMemory::open(&rig.root).unwrap());
            tokio::spawn(async move {
                for number in 0..25 {
                    let (path, text) =
                        (format!("/memories/{handle}-{number}"), format!("{handle} wrote {number}"));
                    let command = json!({"command": "create", "path": path, "file_text": text});
                    tool.call(command).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for handle in 0..4 {
        for number in 0..25 {
            let kept = fs::read_to_string(rig.root.join(format!("{handle}-{number}"))).unwrap();
            assert_eq!(kept, format!("{handle} wrote {number}"));
        }
    }
}
