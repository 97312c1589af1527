//! What is sent for a count of tokens, and the count.

use serde_json::{Map, Value};

use super::{
    BillingPolicy, CompactionConfig, ContextManagement, McpServer, MessageRequest, OutputConfig,
    RequestFields, Thinking,
};
use crate::types::cache::CacheControl;
use crate::types::content::Content;
use crate::types::message::{MessageParam, Speed};
use crate::types::model::Model;
use crate::types::tool::{Tool, ToolChoice};
use crate::types::wire::{Nulls, value_of};

object! {
    /// A request for the number of tokens that a message request would send (`POST /v1/messages/count_tokens`).
    ///
    /// Made from a [`MessageRequest`], by leaving out what does not count.
    ///
    /// Example: [`Messages`](crate::Messages).
    CountTokensRequest {
        /// The model whose tokens are counted.
        model: Model,
        /// The conversation so far.
        messages: Vec<MessageParam>,
        /// The system prompt.
        system: Option<Content>,
        /// The tools the model may call.
        tools: Option<Vec<Tool>>,
        /// Whether and which tools it is to call.
        tool_choice: Option<ToolChoice>,
        /// Whether and how much it thinks first.
        thinking: Option<Thinking>,
        /// As [`RequestFields::cache_control`](field@RequestFields::cache_control).
        cache_control: Option<CacheControl>,
        /// As [`RequestFields::output_config`](field@RequestFields::output_config).
        output_config: Option<OutputConfig>,
        /// As [`RequestFields::speed`](field@RequestFields::speed).
        speed: Option<Speed>,
        /// As [`RequestFields::billing_policy`](field@RequestFields::billing_policy).
        billing_policy: Option<BillingPolicy>,
        /// As [`RequestFields::compaction`](field@RequestFields::compaction).
        compaction: Option<CompactionConfig>,
        /// As [`RequestFields::context_management`](field@RequestFields::context_management).
        context_management: Option<ContextManagement>,
        /// As [`RequestFields::mcp_servers`].
        mcp_servers: Option<Vec<McpServer>>,
    }
}

/// Members of a message request that the count does not take. Any other in `extra` goes along.
const NOT_COUNTED: [&str; 14] = [
    "container",
    "diagnostics",
    "fallback_credit_token",
    "fallbacks",
    "inference_geo",
    "max_tokens",
    "metadata",
    "service_tier",
    "stop_sequences",
    "stream",
    "temperature",
    "thread",
    "top_k",
    "top_p",
];

impl CountTokensRequest {
    /// What of a request counts, as JSON, with more members that may: each takes the place of one that is there.
    #[inline]
    pub(crate) fn body(
        request: &MessageRequest,
        extra: &Map<String, Value>,
    ) -> Result<Vec<u8>, serde_json::Error> {
        let body = Self::from(request);
        if extra.is_empty() {
            return serde_json::to_vec(&body);
        }
        let mut body = value_of(&body)?;
        if let Value::Object(members) = &mut body {
            let counted = extra.iter().filter(|(name, _)| !NOT_COUNTED.contains(&name.as_str()));
            members.extend(counted.map(|(name, value)| (name.clone(), value.clone())));
        }
        serde_json::to_vec(&body)
    }
}

impl From<MessageRequest> for CountTokensRequest {
    #[inline]
    fn from(request: MessageRequest) -> Self {
        let RequestFields {
            model,
            messages,
            system,
            tools,
            tool_choice,
            thinking,
            cache_control,
            output_config,
            speed,
            billing_policy,
            compaction,
            context_management,
            mcp_servers,
            mut extra,
            ..
        } = request.into_fields();
        extra.retain(|name, _| !NOT_COUNTED.contains(&name.as_str()));
        Self {
            model,
            messages,
            system,
            tools,
            tool_choice,
            thinking,
            cache_control,
            output_config,
            speed,
            billing_policy,
            compaction,
            context_management,
            mcp_servers,
            extra,
            nulls: Nulls::default(),
        }
    }
}

impl From<&MessageRequest> for CountTokensRequest {
    #[inline]
    fn from(request: &MessageRequest) -> Self {
        request.clone().into()
    }
}

object! {
    /// The number of tokens that a message request would send.
    ///
    /// Example: [`Messages`](crate::Messages).
    TokenCount {
        /// The number of tokens.
        input_tokens: u64,
    }
}

serde_object!(CountTokensRequest, TokenCount);
