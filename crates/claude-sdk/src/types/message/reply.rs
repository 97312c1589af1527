//! What a reply says beside what the model said.

use crate::types::model::Model;

object! {
    /// More about why the model stopped, where it declined to answer.
    ///
    /// ```
    /// # use claude_sdk::types::{Message, StopReason};
    /// # fn show(message: &Message) {
    /// if message.stop_reason == Some(StopReason::Refusal) {
    ///     let details = message.stop_details.as_ref();
    ///     println!("{:?}", details.and_then(|details| details.explanation.as_deref()));
    /// }
    /// if let Some(container) = &message.container {
    ///     println!("name {} in the next request, before {:?}", container.id, container.expires_at);
    /// }
    /// # }
    /// ```
    StopDetails {
        /// What this is about: `refusal`.
        kind as "type": String,
        /// What the refusal was about.
        category: Option<RefusalCategory>,
        /// The refusal in words.
        explanation: Option<String>,
        /// A model that may answer.
        recommended_model: Option<Model>,
        /// What a request to another model brings along so that it costs less.
        fallback_credit_token: Option<String>,
        /// Whether another model may go on where this one stopped.
        fallback_has_prefill_claim: Option<bool>,
    }
}

open_enum! {
    /// What a refusal is about.
    ///
    /// Example: [`StopDetails`](crate::types::StopDetails).
    RefusalCategory {
        /// Attacks on computers.
        Cyber = "cyber",
        /// Dangers of biology.
        Bio = "bio",
        /// Work on language models themselves.
        FrontierLlm = "frontier_llm",
        /// The model's own thinking.
        ReasoningExtraction = "reasoning_extraction",
        /// Other harm.
        GeneralHarms = "general_harms",
    }
}

object! {
    /// The container that code ran in.
    ///
    /// Example: [`ContainerParam`](crate::types::ContainerParam).
    Container {
        /// The id by which the next request names it.
        id: String,
        /// When it goes away, as RFC 3339 text.
        expires_at: Option<String>,
        /// The skills it has.
        skills: Option<Vec<ContainerSkill>>,
    }
}

object! {
    /// A skill that a container has.
    ///
    /// Example: [`ContainerParam`](crate::types::ContainerParam).
    ContainerSkill {
        /// Whose skill it is.
        kind as "type": SkillKind,
        /// The id of the skill.
        skill_id: String,
        /// Its version; the latest where unset.
        version: Option<String>,
    }

    /// A skill that the service brings.
    pub fn anthropic(skill_id: impl Into<String>) where kind = SkillKind::Anthropic;

    /// A skill of your own.
    pub fn custom(skill_id: impl Into<String>) where kind = SkillKind::Custom;
}

setters! { ContainerSkill { version: impl Into<String>, } }

open_enum! {
    /// Whose skill it is.
    ///
    /// Example: [`ContainerParam`](crate::types::ContainerParam).
    SkillKind {
        /// The service's.
        Anthropic = "anthropic",
        /// Your own.
        Custom = "custom",
    }
}

object! {
    /// Why the cache did not help.
    ///
    /// Example: [`Message`](crate::types::Message).
    Diagnostics {
        /// The reason; `None` if it did help.
        cache_miss_reason: Option<CacheMiss>,
    }
}

object! {
    /// Why the cache did not help, and what that cost.
    ///
    /// Example: [`Message`](crate::types::Message).
    CacheMiss {
        /// The reason.
        kind as "type": CacheMissReason,
        /// How many tokens had to be read anew.
        cache_missed_input_tokens: Option<u64>,
    }
}

open_enum! {
    /// The reasons why the cache does not help.
    ///
    /// Example: [`Message`](crate::types::Message).
    CacheMissReason {
        /// Another model.
        ModelChanged = "model_changed",
        /// Another system prompt.
        SystemChanged = "system_changed",
        /// Other tools.
        ToolsChanged = "tools_changed",
        /// Earlier messages are not what they were.
        MessagesChanged = "messages_changed",
        /// The message to compare with is not known.
        PreviousMessageNotFound = "previous_message_not_found",
        /// The service cannot tell.
        Unavailable = "unavailable",
    }
}

object! {
    /// What the service has left out of the conversation.
    ///
    /// Example: [`ContextManagement`](crate::types::ContextManagement).
    ContextManagementReport {
        /// What it did.
        applied_edits: Vec<AppliedEdit>,
    }
}

object! {
    /// Something that the service has left out.
    ///
    /// Example: [`ContextManagement`](crate::types::ContextManagement).
    AppliedEdit {
        /// What it was.
        kind as "type": AppliedEditKind,
        /// How many tokens it was.
        cleared_input_tokens: Option<u64>,
        /// How many calls of tools.
        cleared_tool_uses: Option<u64>,
        /// How many turns of thinking.
        cleared_thinking_turns: Option<u64>,
    }
}

open_enum! {
    /// What the service leaves out.
    ///
    /// Example: [`ContextManagement`](crate::types::ContextManagement).
    AppliedEditKind {
        /// Old calls of tools.
        ClearToolUses20250919 = "clear_tool_uses_20250919",
        /// Old thinking.
        ClearThinking20251015 = "clear_thinking_20251015",
    }
}

object! {
    /// A change that the service has made to a request.
    ///
    /// Example: [`Message`](crate::types::Message).
    InputTransformation {
        /// What it did.
        kind as "type": InputTransformationKind,
        /// Where in the request.
        path: String,
        /// Why.
        reason: ThinkingMismatch,
    }
}

open_enum! {
    /// What the service does to a request.
    ///
    /// Example: [`Message`](crate::types::Message).
    InputTransformationKind {
        /// It left out thinking.
        ThinkingDropped = "thinking_dropped",
        /// It took thinking although it does not belong.
        ThinkingMismatchAllowed = "thinking_mismatch_allowed",
    }
}

open_enum! {
    /// Why thinking does not belong into a request.
    ///
    /// Example: [`Message`](crate::types::Message).
    ThinkingMismatch {
        /// It is another model's.
        Model = "model_binding_mismatch",
        /// What came before it is not what it was.
        Prefix = "prefix_binding_mismatch",
        /// It is another organisation's.
        Organization = "organization_binding_mismatch",
        /// It is another end user's.
        EndUser = "end_user_binding_mismatch",
    }
}

serde_object!(
    AppliedEdit,
    CacheMiss,
    Container,
    ContextManagementReport,
    Diagnostics,
    InputTransformation,
    ContainerSkill,
    StopDetails,
);
