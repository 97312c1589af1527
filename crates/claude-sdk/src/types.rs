//! The data of the Claude API as types: requests, replies, models, errors.
//!
//! These types hold values and nothing else; sending them is the client's work.
//!
//! # What is not known is kept
//!
//! The service grows faster than its clients. Three shapes carry what this version has no name for:
//!
//! - an open enum ([`Role`], [`StopReason`], [`ErrorType`], …) has a variant `Other` with the text as it came;
//! - a block of a type unknown here is `Unknown`, with its members as JSON ([`ContentBlock`], [`ContentBlockParam`]);
//! - every object has a map `extra` ([`Extra`]): members without a field of their own, and members whose value (a `null`, say)
//!   does not fit their field.
//!
//! One law follows, and is tested with arbitrary JSON: whatever one of these types accepts, it writes back value for
//! value, as [`serde_json::Value`] compares values. A field that is set wins over a member of the same name in `extra`.
//! Only a [`Page`], which nobody sends, may lose members that were `null`.
//!
//! ```
//! use claude_sdk::types::{ContentBlock, Message};
//!
//! let json = r#"{"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5-5",
//!     "content": [{"type": "text", "text": "Hello"}, {"type": "hologram", "depth": 3}],
//!     "stop_reason": "bored", "usage": {"input_tokens": 3, "output_tokens": 5}}"#;
//! let message: Message = serde_json::from_str(json)?;
//!
//! assert_eq!(message.text(), "Hello");
//! assert!(matches!(message.content.last(), Some(ContentBlock::Unknown(_))));
//! assert_eq!(serde_json::to_value(&message)?, serde_json::from_str::<serde_json::Value>(json)?);
//! # Ok::<(), serde_json::Error>(())
//! ```

#[macro_use]
pub(crate) mod wire;

mod batch;
mod beta;
mod block;
mod cache;
mod citation;
mod content;
mod error;
mod extra;
mod file;
mod message;
mod model;
mod page;
mod rate_limit;
mod request;
mod skill;
mod tool;
mod user_profile;

pub use batch::{
    BatchCanceled, BatchCounts, BatchExpired, BatchFailure, BatchOutcome, BatchRequest, BatchResult,
    BatchStatus, BatchSuccess, Deleted, MessageBatch,
};
pub use beta::Beta;
pub use block::{
    AdvisorAnswer, AdvisorOutcome, AdvisorToolResultBlock, BashCodeExecutionToolResultBlock, BashCodeResult,
    BashOutcome, BrowserChange, BrowserStateBlock, BrowserTab, Caller, CallerKind,
    CodeExecutionToolResultBlock, CodeOutcome, CodeResult, CompactionBlock, ContainerUploadBlock,
    ContentBlock, ContentBlockParam, DocumentBlock, DownloadCompleted, DownloadFailed, DownloadStarted,
    EncryptedCodeResult, FallbackBlock, FallbackModel, FallbackTrigger, FileCreated, FileEdited, FileType,
    FileView, ImageBlock, ImageTransformations, McpTool, McpToolListingBlock, McpToolReference,
    McpToolResultBlock, McpToolUseBlock, McpToolsetReference, OutputFile, OversizedImage,
    RedactedAdvisorAnswer, RedactedThinkingBlock, SearchResultBlock, ServerToolError, ServerToolErrorCode,
    ServerToolName, ServerToolUseBlock, TabOpened, TextBlock, TextEditorCodeExecutionToolResultBlock,
    TextEditorOutcome, ThinkingBlock, ToolAdditionBlock, ToolChange, ToolDefinition, ToolReference,
    ToolReferenceBlock, ToolRemovalBlock, ToolResultBlock, ToolSearchOutcome, ToolSearchToolResultBlock,
    ToolUseBlock, ToolsFound, WebFetchContent, WebFetchOutcome, WebFetchResult, WebFetchToolResultBlock,
    WebSearchFailure, WebSearchOutcome, WebSearchResult, WebSearchToolResultBlock,
};
pub use cache::{CacheControl, Ttl};
pub use citation::{
    CharLocation, Citation, Citations, ContentBlockLocation, PageLocation, SearchResultLocation,
    WebSearchResultLocation,
};
pub use content::{Content, Source, SourceKind};
pub use error::{ErrorBody, ErrorDetail, ErrorType};
pub use extra::Extra;
pub use file::FileMetadata;
pub use message::{
    AppliedEdit, AppliedEditKind, CacheCreation, CacheMiss, CacheMissReason, ClearAt, Container,
    ContainerSkill, ContextManagementReport, Diagnostics, FallbackCredit, FallbackCreditKind,
    FallbackCreditStatus, InputTransformation, InputTransformationKind, Iteration, IterationKind, Message,
    MessageChange, MessageKind, MessageParam, OutputTokensDetails, RefusalCategory, Role, ServerToolUsage,
    ServiceTier, SkillKind, Speed, StopDetails, StopReason, ThinkingMismatch, Usage, UsageDelta,
};
pub use model::{
    CompactionSupport, ContextManagementSupport, EffortSupport, Lifecycle, Model, ModelCapabilities,
    ModelInfo, ModelLine, ServerToolsSupport, Support, ThinkingSupport, ThinkingTypes,
};
pub use page::Page;
pub use rate_limit::{RateLimitEntry, RateLimitGroup, RateLimitValue};
pub use request::{
    AuthorizationToken, BillTo, BillingPolicy, BlockBinding, ClearInputs, CompactionConfig, ContainerConfig,
    ContainerParam, ContextEdit, ContextEditKind, ContextManagement, CountTokensRequest, CreditMode,
    DiagnosticsParam, Effort, Fallback, FallbackCreditToken, Fallbacks, IssuedCredit, Keep, McpServer,
    McpToolConfiguration, MessageRequest, Metadata, OutputConfig, OutputFormat, PrefixMismatch,
    RequestFields, RequestedTier, TaskBudget, Thinking, ThinkingDisplay, ThinkingKind, Thread, ThreadKind,
    Threshold, ThresholdKind, TokenCount,
};
pub use skill::{Skill, SkillSource, SkillSourceKind, SkillVersion};
pub use tool::{
    MemberConfig, ResponseInclusion, Tool, ToolChoice, ToolChoiceKind, ToolKind, UrlSource, UrlSourceKind,
    UrlSources, UserLocation,
};
pub use user_profile::{
    EnforcementAction, EnforcementStatus, ExternalUser, ProfileAccess, ProfileUrl, UserProfile,
    UserProfileParams,
};

pub(crate) use wire::{Care, Field, Fit, Misfit, from_bytes, members_in, place_in, value_of};

#[cfg(test)]
mod tests;
