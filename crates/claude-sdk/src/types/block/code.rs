//! What the service's tools did in the container: code, shell, files; and the tools they found.

use super::tool_use::ServerToolError;
use crate::types::cache::CacheControl;

object! {
    /// What a run of code gave.
    ///
    /// ```
    /// use claude_sdk::types::{CodeOutcome, ContentBlock};
    ///
    /// let block = r#"{"type": "code_execution_tool_result", "tool_use_id": "1", "content":
    ///     {"type": "code_execution_result", "return_code": 0, "stdout": "42", "stderr": "", "content": []}}"#;
    /// if let ContentBlock::CodeExecutionToolResult(block) = serde_json::from_str(block)? {
    ///     match block.content {
    ///         CodeOutcome::Result(run) => assert_eq!((run.return_code, run.stdout.as_str()), (0, "42")),
    ///         CodeOutcome::Error(error) => println!("it could not run: {}", error.error_code),
    ///         other => println!("{}", other.type_name()),
    ///     }
    /// }
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    CodeExecutionToolResultBlock {
        /// The id of the call.
        tool_use_id: String,
        /// What it gave, or why it failed.
        content: CodeOutcome,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }
}

tagged! {
    /// What a run of code gave, or why it failed.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    CodeOutcome {
        /// It ran.
        Result(CodeResult) = "code_execution_result",
        /// It ran, and its output is for the service alone.
        Encrypted(EncryptedCodeResult) = "encrypted_code_execution_result",
        /// It did not run, for this reason.
        Error(ServerToolError) = "code_execution_tool_result_error",
    }
}

object! {
    /// What a run of code gave.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    CodeResult {
        /// Its exit code; 0 is success.
        return_code: i64,
        /// Its standard output.
        stdout: String,
        /// Its standard error.
        stderr: String,
        /// The files it wrote.
        content: Vec<OutputFile>,
    }
}

object! {
    /// What a run of code gave whose output is for the service alone.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    EncryptedCodeResult {
        /// Its exit code; 0 is success.
        return_code: i64,
        /// Its standard output, encrypted; to be sent back as it came.
        encrypted_stdout: String,
        /// Its standard error.
        stderr: String,
        /// The files it wrote.
        content: Vec<OutputFile>,
    }
}

object! {
    /// A file that code wrote.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    OutputFile {
        /// What kind of object this is: `code_execution_output` or `bash_code_execution_output`.
        kind as "type": String,
        /// The id of the file.
        file_id: String,
    }
}

object! {
    /// What a run of a shell gave.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    BashCodeExecutionToolResultBlock {
        /// The id of the call.
        tool_use_id: String,
        /// What it gave, or why it failed.
        content: BashOutcome,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }
}

tagged! {
    /// What a run of a shell gave, or why it failed.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    BashOutcome {
        /// It ran.
        Result(BashCodeResult) = "bash_code_execution_result",
        /// It did not run, for this reason.
        Error(ServerToolError) = "bash_code_execution_tool_result_error",
    }
}

object! {
    /// What a run of a shell gave.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    BashCodeResult {
        /// Its exit code; 0 is success.
        return_code: i64,
        /// Its standard output.
        stdout: String,
        /// Its standard error.
        stderr: String,
        /// The files it wrote.
        content: Vec<OutputFile>,
    }
}

object! {
    /// What an editor did to a file.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    TextEditorCodeExecutionToolResultBlock {
        /// The id of the call.
        tool_use_id: String,
        /// What it did, or why it failed.
        content: TextEditorOutcome,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }
}

tagged! {
    /// What an editor did to a file, or why it failed.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    TextEditorOutcome {
        /// It showed the file.
        View(FileView) = "text_editor_code_execution_view_result",
        /// It wrote the file.
        Create(FileCreated) = "text_editor_code_execution_create_result",
        /// It changed the file.
        Replace(FileEdited) = "text_editor_code_execution_str_replace_result",
        /// It did nothing, for this reason.
        Error(ServerToolError) = "text_editor_code_execution_tool_result_error",
    }
}

object! {
    /// A part of a file.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    FileView {
        /// What it says.
        content: String,
        /// What kind of file it is.
        file_type: FileType,
        /// The first line shown, from 1.
        start_line: Option<u64>,
        /// How many lines are shown.
        num_lines: Option<u64>,
        /// How many lines there are.
        total_lines: Option<u64>,
    }
}

open_enum! {
    /// The kinds of file that an editor shows.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    FileType {
        /// Text.
        Text = "text",
        /// An image.
        Image = "image",
        /// A PDF.
        Pdf = "pdf",
    }
}

object! {
    /// A file was written.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    FileCreated {
        /// Whether it was there before.
        is_file_update: bool,
    }
}

object! {
    /// A file was changed; the fields are a diff.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    FileEdited {
        /// The lines of the diff.
        lines: Option<Vec<String>>,
        /// The first line before the change, from 1.
        old_start: Option<u64>,
        /// How many lines they were.
        old_lines: Option<u64>,
        /// The first line after the change, from 1.
        new_start: Option<u64>,
        /// How many lines they are.
        new_lines: Option<u64>,
    }
}

object! {
    /// What a search for tools gave.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    ToolSearchToolResultBlock {
        /// The id of the call.
        tool_use_id: String,
        /// What was found, or why nothing was.
        content: ToolSearchOutcome,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }
}

tagged! {
    /// The tools that were found, or why none were.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    ToolSearchOutcome {
        /// Tools.
        Found(ToolsFound) = "tool_search_tool_search_result",
        /// None, for this reason.
        Error(ServerToolError) = "tool_search_tool_result_error",
    }
}

object! {
    /// The tools that a search gave, which the model may now call.
    ///
    /// Example: [`CodeExecutionToolResultBlock`](crate::types::CodeExecutionToolResultBlock).
    ToolsFound {
        /// The tools, as [`ContentBlockParam::ToolReference`](super::ContentBlockParam::ToolReference).
        tool_references: Vec<super::ContentBlockParam>,
    }
}

serde_object!(OutputFile);
