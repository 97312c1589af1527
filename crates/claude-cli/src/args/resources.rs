//! What can be typed about batches, files, models, and any other route.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use claude_sdk::http::Method;

use super::{ConnectionArgs, ENVIRONMENT};

/// The commands on batches.
#[derive(Debug, Subcommand)]
pub enum BatchesCommand {
    /// Send the messages of a file in as many batches as it takes; the same command again goes on where it was left.
    #[command(after_help = ENVIRONMENT)]
    Submit(SubmitArgs),
    /// Say how far a batch or a job is.
    #[command(after_help = ENVIRONMENT)]
    Status(BatchArgs),
    /// Print the results of a batch or a job, one JSON document a line.
    #[command(after_help = ENVIRONMENT)]
    Results(BatchArgs),
    /// Ask to cancel a batch, or all batches of a job.
    #[command(after_help = ENVIRONMENT)]
    Cancel(BatchArgs),
}

/// The messages of a job.
#[derive(Debug, ClapArgs)]
pub struct SubmitArgs {
    /// A file of JSON Lines: `{"custom_id": "…", "params": {…}}`. Not `-`: a job that goes on reads it again.
    pub file: PathBuf,
    /// Where to note what was sent; the file's name with `.job` is the default.
    #[arg(long, value_name = "PATH")]
    pub job: Option<PathBuf>,
    /// Wait until all batches have ended. The exit status is 5 where not every message was answered then.
    #[arg(long)]
    pub wait: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Where to send it, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// A batch, or the batches of a job.
#[derive(Debug, ClapArgs)]
pub struct BatchArgs {
    /// The batch's identifier.
    pub id: Option<String>,
    /// The note of a job, as `batches submit` left it.
    #[arg(long, value_name = "PATH", conflicts_with = "id")]
    pub job: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// The commands on files.
#[derive(Debug, Subcommand)]
pub enum FilesCommand {
    /// Send a file and print its identifier.
    #[command(after_help = ENVIRONMENT)]
    Upload(UploadArgs),
    /// List the files.
    #[command(after_help = ENVIRONMENT)]
    List(ListArgs),
    /// Get the content of a file that a tool has made.
    #[command(after_help = ENVIRONMENT)]
    Download(DownloadArgs),
    /// Delete a file.
    #[command(after_help = ENVIRONMENT)]
    Delete(IdArgs),
}

/// A file to send.
#[derive(Debug, ClapArgs)]
pub struct UploadArgs {
    /// The file; `-` reads standard input, which is called `stdin`.
    pub path: PathBuf,
    /// Its media type, such as text/csv; the default goes by its name.
    #[arg(long, value_name = "TYPE")]
    pub mime_type: Option<String>,
    /// After how many seconds the service throws it away.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(3600..=7_776_000))]
    pub expires_in: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Where to send it, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// A list.
#[derive(Debug, ClapArgs)]
pub struct ListArgs {
    /// Print JSON, one document a line.
    #[arg(long)]
    pub json: bool,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// One thing of the service's.
#[derive(Debug, ClapArgs)]
pub struct IdArgs {
    /// Its identifier.
    pub id: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// A file to get.
#[derive(Debug, ClapArgs)]
pub struct DownloadArgs {
    /// The file's identifier.
    pub id: String,
    /// Where to write it; standard output is the default. There must be nothing yet.
    #[arg(long, short, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Print what was written as JSON.
    #[arg(long, requires = "output")]
    pub json: bool,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// The commands on models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the models.
    #[command(after_help = ENVIRONMENT)]
    List(ListArgs),
    /// Say what is known of a model.
    #[command(after_help = ENVIRONMENT)]
    Get(IdArgs),
}

/// Any route of the API.
#[derive(Debug, ClapArgs)]
pub struct ApiArgs {
    /// The method, such as GET.
    #[arg(value_parser = method)]
    pub method: Method,
    /// The path, such as `/v1/models`.
    pub path: String,
    /// A parameter of the query, such as `limit=5`; for a list, give `ids[]=…` several times.
    #[arg(long, short, value_name = "NAME=VALUE")]
    pub query: Vec<String>,
    /// The body as JSON; `-` reads it from standard input.
    #[arg(long, value_name = "JSON", conflicts_with = "pages")]
    pub body: Option<String>,
    /// A field of a form, in place of a body of JSON: `NAME=TEXT`, or with the content of a file `NAME=@PATH`, `@-` for standard
    /// input; after the path perhaps `;type=text/csv` and `;filename=skill/SKILL.md`. May be given several times.
    #[arg(long, short = 'F', value_name = "NAME=VALUE", conflicts_with_all = ["body", "pages"])]
    pub form: Vec<String>,
    /// A header, such as `anthropic-beta: NAME`.
    #[arg(long, short = 'H', value_name = "NAME: VALUE")]
    pub header: Vec<String>,
    /// Walk the list page by page and print its items, one a line. A list that has pages and is walked in another way is an error.
    #[arg(long, value_name = "WAY")]
    pub pages: Option<PagesBy>,
    /// Print JSON, which it does without being told, and tell errors as JSON too.
    #[arg(long)]
    pub json: bool,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// How a list says where its next page is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PagesBy {
    /// By the id of its last item: `after_id`.
    Id,
    /// By a cursor: `page`.
    Cursor,
    /// By a token: `page_token`.
    Token,
}

/// The commands on recorded streams.
#[derive(Debug, Subcommand)]
pub enum StreamCommand {
    /// Read a stream of events from standard input, or what `messages stream --json` printed, and print the message it adds up to, or
    /// its error.
    ///
    /// Events may be without names: their data have a `type`. A message that has not come to its end is printed as far as it came,
    /// and the exit status is 1. Arguments of a call that are no JSON, and a `usage` of a `message_delta`, a block or a delta of another
    /// shape are warnings: the exit status is 0. A second message after the first is an error, and so is any other event of another
    /// shape, such as a `message_start` whose `usage` is.
    Decode {
        /// Print the whole message as JSON; warnings are its member `warnings`.
        #[arg(long)]
        json: bool,
    },
}

fn method(text: &str) -> Result<Method, String> {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let text = text.to_ascii_uppercase();
    let refusal = || format!("one of {}", known.join(", "));
    if !known.contains(&text.as_str()) {
        return Err(refusal());
    }
    text.parse().map_err(|_| refusal())
}
