//! `claudectl files`.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    sync::Mutex,
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use claude_sdk::{Client, FileUpload};
use serde_json::json;

use crate::{
    args::{DownloadArgs, FilesCommand, IdArgs, ListArgs, UploadArgs},
    connection,
    console::{plain, print, print_json},
    interrupt::{unless_interrupted, unless_interrupted_asking},
    progress::Bar,
    wording::at_a_terminal,
};

pub(crate) async fn run(command: FilesCommand) -> anyhow::Result<()> {
    match command {
        FilesCommand::Upload(args) => upload(args).await,
        FilesCommand::List(args) => list(args).await,
        FilesCommand::Download(args) => download(args).await,
        FilesCommand::Delete(args) => delete(args).await,
    }
}

async fn upload(args: UploadArgs) -> anyhow::Result<()> {
    let client = connection::client(&args.connection).await?;
    let bar = Mutex::new(Bar::new());
    let upload = match args.path.to_str() {
        Some("-") if io::stdin().is_terminal() => bail!("no content; pipe it in, or give a path"),
        Some("-") => FileUpload::reader("stdin", io::stdin(), None),
        _ => FileUpload::path(&args.path),
    };
    let mut upload = upload.on_progress(move |sent, total| {
        if let Ok(mut bar) = bar.lock() {
            bar.draw(sent, total, &format!("{sent} bytes"));
        }
    });
    if let Some(mime_type) = args.mime_type {
        upload = upload.mime_type(mime_type);
    }
    if let Some(seconds) = args.expires_in {
        upload = upload.expires_in(Duration::from_secs(seconds));
    }
    let file = unless_interrupted_asking(client.flush(), client.files().upload(upload)).await?;
    let file = file.map_err(at_a_terminal)?;
    if args.json { print_json(&*file) } else { Ok(print(format!("{}\n", file.id))?) }
}

async fn list(args: ListArgs) -> anyhow::Result<()> {
    let client = connection::client(&args.connection).await?;
    let listing = async {
        let mut files = client.files().list().items();
        while let Some(file) = files.next().await {
            let file = file.map_err(at_a_terminal)?;
            print(match args.json {
                true => serde_json::to_string(&file)? + "\n",
                false => {
                    let size = file.size_bytes.map(|size| size.to_string()).unwrap_or_default();
                    format!("{}  {size:>12}  {}\n", file.id, plain(&file.filename))
                }
            })?;
        }
        Ok(())
    };
    unless_interrupted(client.flush(), listing).await?
}

async fn download(args: DownloadArgs) -> anyhow::Result<()> {
    let client = connection::client(&args.connection).await?;
    unless_interrupted(client.flush(), fetch(&client, &args)).await?
}

async fn fetch(client: &Client, args: &DownloadArgs) -> anyhow::Result<()> {
    if let Some(path) = args.output.as_deref().filter(|path| path.symlink_metadata().is_ok()) {
        return Err(there_already(path));
    }
    let mut content = client.files().download(&args.id).await.map_err(at_a_terminal)?;
    let Some(path) = &args.output else {
        while let Some(piece) = content.next().await {
            print(piece.map_err(at_a_terminal)?)?;
        }
        return Ok(());
    };
    let failed = || format!("{} could not be written", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // What is not whole is never at the path, and goes away with the program.
    let mut file = tempfile::Builder::new();
    #[cfg(unix)]
    file.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = file.prefix(".claudectl-").tempfile_in(folder).with_context(failed)?;
    let (mut bar, mut got) = (Bar::new(), 0);
    while let Some(piece) = content.next().await {
        let piece = piece.map_err(at_a_terminal)?;
        file.write_all(&piece).with_context(failed)?;
        got += u64::try_from(piece.len()).unwrap_or_default();
        bar.draw(got, content.size(), &format!("{got} bytes"));
    }
    file.as_file().sync_all().with_context(failed)?;
    drop(bar);
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => there_already(path),
        _ => anyhow!(error.error).context(failed()),
    })?;
    if args.json {
        return print_json(&json!({"id": args.id, "path": path, "size_bytes": got}));
    }
    Ok(())
}

fn there_already(path: &Path) -> anyhow::Error {
    anyhow!("{} is there already; give another path", path.display())
}

async fn delete(args: IdArgs) -> anyhow::Result<()> {
    let client = connection::client(&args.connection).await?;
    let deleted = unless_interrupted_asking(client.flush(), client.files().delete(&args.id)).await?;
    let deleted = deleted.map_err(at_a_terminal)?;
    if args.json { print_json(&*deleted) } else { Ok(print(format!("{}\n", deleted.id))?) }
}
