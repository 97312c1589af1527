//! The memory tool (`memory_20250818`): files that the model keeps from one conversation to the next.
//!
//! ```
//! use claude_sdk::{memory::{FileMemory, MemoryTool}, tools::ToolHandler};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let memory = MemoryTool::new(FileMemory::open(folder.join("memories"))?);
//! // let runner = client.messages().tool_runner(request).tool(memory);
//!
//! // What the runner does when the model calls:
//! let write = json!({"command": "create", "path": "/memories/tea.md", "file_text": "Ada drinks tea."});
//! memory.call(write).await.map_err(|error| error.content().text())?;
//! assert_eq!(std::fs::read_to_string(folder.join("memories/tea.md"))?, "Ada drinks tea.");
//! # Ok(())
//! # }
//! ```
//!
//! The model chooses the paths, and whoever can make it read something can have a say in them. So a [`MemoryPath`] is
//! below `/memories` or is none, whatever keeps it; and [`FileMemory`] follows no link. What the model writes down it will
//! read again: memories of one user do not belong before another.

use std::fmt;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    tools::{ToolError, ToolHandler},
    types::{Content, Tool},
};

mod disk;
mod files;
mod folder;
mod path;
mod text;

#[cfg(test)]
mod tests;

pub use files::FileMemory;
pub use path::{BadPath, MemoryPath};

/// The tool as a request offers it, over any store.
///
/// Example: [`memory`](crate::memory).
#[derive(Debug)]
pub struct MemoryTool<S>(S);

impl<S: MemoryStore> MemoryTool<S> {
    /// The tool over `store`.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self(store)
    }
}

#[async_trait]
impl<S: MemoryStore> ToolHandler for MemoryTool<S> {
    fn tool(&self) -> Tool {
        Tool::predefined("memory_20250818", "memory")
    }

    async fn call(&self, input: Value) -> Result<Content, ToolError> {
        let command = serde_json::from_value(input)?;
        self.0.run(command).await.map(Content::from)
    }
}

/// Where memories are kept.
///
/// Example: [`memory`](crate::memory).
#[async_trait]
pub trait MemoryStore: fmt::Debug + Send + Sync + 'static {
    /// Carries out a command and says what has become of it.
    ///
    /// # Errors
    ///
    /// A [`ToolError`], which the model is told.
    async fn run(&self, command: MemoryCommand) -> Result<String, ToolError>;
}

/// What the model wants of its memory.
///
/// Example: [`memory`](crate::memory).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
#[non_exhaustive]
pub enum MemoryCommand {
    /// Show a file with the numbers of its lines, or what is in a folder.
    View {
        /// The file or folder.
        path: MemoryPath,
        /// The first and the last line to show, counted from 1; a last line of -1 is the end.
        #[serde(default)]
        view_range: Option<(i64, i64)>,
    },
    /// Write a file that is not there yet.
    Create {
        /// The file.
        path: MemoryPath,
        /// What to write.
        file_text: String,
    },
    /// Replace a text that is in a file exactly once.
    StrReplace {
        /// The file.
        path: MemoryPath,
        /// What is there.
        old_str: String,
        /// What takes its place.
        #[serde(default)]
        new_str: String,
    },
    /// Insert lines into a file.
    Insert {
        /// The file.
        path: MemoryPath,
        /// After which line; 0 is the beginning.
        insert_line: usize,
        /// What to insert.
        insert_text: String,
    },
    /// Delete a file, or a folder with all that is in it.
    Delete {
        /// The file or folder.
        path: MemoryPath,
    },
    /// Give a file or a folder another path that is not there yet.
    Rename {
        /// Its path.
        old_path: MemoryPath,
        /// Its new path.
        new_path: MemoryPath,
    },
}
