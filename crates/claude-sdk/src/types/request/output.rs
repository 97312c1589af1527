//! How much effort the model makes, and in which form it answers.

use serde_json::Value;

object! {
    /// How much effort the model makes, and in which form it answers.
    ///
    /// [`MessageRequest::effort`](super::MessageRequest::effort) and
    /// [`MessageRequest::output_schema`](super::MessageRequest::output_schema) set its parts.
    ///
    /// ```
    /// use claude_sdk::types::{Effort, MessageRequest, Model, OutputConfig, OutputFormat, TaskBudget};
    /// use serde_json::json;
    ///
    /// let config = OutputConfig::default()
    ///     .effort(Effort::Low)
    ///     .format(OutputFormat::json_schema(json!({"type": "object", "properties": {}, "additionalProperties": false})))
    ///     .task_budget(TaskBudget::tokens(50_000));
    /// let request = MessageRequest::new(Model::CLAUDE_OPUS_5_5, 100).output_config(config).user("Hello!");
    /// ```
    #[derive(Default)]
    OutputConfig {
        /// How much effort it makes.
        effort: Option<Effort>,
        /// The form of the answer; text where unset.
        format: Option<OutputFormat>,
        /// How much a whole task may take; a beta.
        task_budget: Option<TaskBudget>,
    }
}

setters! { OutputConfig { effort: Effort, format: OutputFormat, task_budget: TaskBudget, } }

open_enum! {
    /// How much effort the model makes.
    ///
    /// Example: [`OutputConfig`](crate::types::OutputConfig).
    Effort {
        /// Little.
        Low = "low",
        /// Some.
        Medium = "medium",
        /// Much; what it makes where nothing is said.
        High = "high",
        /// More.
        XHigh = "xhigh",
        /// As much as it can.
        Max = "max",
    }
}

object! {
    /// The form of the answer.
    ///
    /// Example: [`OutputConfig`](crate::types::OutputConfig).
    OutputFormat {
        /// The kind of form: `json_schema`.
        kind as "type": String,
        /// A JSON Schema that the answer follows.
        schema: Value,
    }

    /// JSON that follows a JSON Schema.
    pub fn json_schema(schema: impl Into<Value>) where kind = "json_schema";
}

object! {
    /// How much a whole task may take.
    ///
    /// Example: [`OutputConfig`](crate::types::OutputConfig).
    TaskBudget {
        /// What is counted: `tokens`.
        kind as "type": String,
        /// How many there are for the task.
        total: u64,
        /// How many are left.
        remaining: Option<u64>,
    }

    /// So many tokens.
    pub fn tokens(total: u64) where kind = "tokens";
}

setters! { TaskBudget { remaining: u64, } }

serde_object!(OutputConfig, OutputFormat, TaskBudget);
