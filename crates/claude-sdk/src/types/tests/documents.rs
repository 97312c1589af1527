//! What the API's documentation shows, every block and every field of it once.

use serde_json::{Value, json};

/// A reply with every block that a reply may have.
pub(super) fn message() -> Value {
    json!({
        "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-opus-5-5",
        "content": blocks(),
        "container": {"id": "container_1", "expires_at": "2026-11-01T00:00:00Z",
            "skills": [{"type": "anthropic", "skill_id": "xlsx", "version": "latest"}]},
        "stop_reason": "tool_use", "stop_sequence": null,
        "stop_details": {"type": "refusal", "category": "bio", "explanation": "No.", "fallback_credit_token": "t",
            "fallback_has_prefill_claim": true, "recommended_model": "claude-opus-5-5"},
        "diagnostics": {"cache_miss_reason": {"type": "tools_changed", "cache_missed_input_tokens": 7}},
        "context_management": {"applied_edits": [
            {"type": "clear_tool_uses_20250919", "cleared_input_tokens": 9, "cleared_tool_uses": 1},
            {"type": "clear_thinking_20251015", "cleared_input_tokens": 9, "cleared_thinking_turns": 1}]},
        "input_transformations": [
            {"type": "thinking_dropped", "path": "messages.1.content.0", "reason": "prefix_binding_mismatch"}],
        "usage": usage(),
    })
}

/// Every block that a reply may have, with each of its outcomes.
fn blocks() -> Value {
    let error = |kind: &str, code: &str| json!({"type": kind, "error_code": code});
    let output = |kind: &str| json!([{"type": kind, "file_id": "file_1"}]);
    Value::from(vec![
        json!({"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}),
        json!({"type": "redacted_thinking", "data": "ZGF0YQ=="}),
        json!({"type": "text", "text": "Let me look.", "citations": null}),
        json!({"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Ghent", "days": 1.5},
                "caller": {"type": "direct"}, "toolset_name": null}),
        json!({"type": "text", "text": "It says so.", "citations": citations()}),
        json!({"type": "server_tool_use", "id": "srvtoolu_01", "name": "web_search", "input": {"query": "x"},
                "caller": {"type": "code_execution_20260120", "tool_id": "srvtoolu_00"}}),
        json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_01", "caller": {"type": "direct"}, "content": [
            {"type": "web_search_result", "url": "https://example.com", "title": "E", "page_age": "1 day",
                "encrypted_content": "eA=="},
        ]}),
        json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_02",
                "content": error("web_search_tool_result_error", "max_uses_exceeded")}),
        json!({"type": "web_fetch_tool_result", "tool_use_id": "srvtoolu_03", "caller": null, "content": {
            "type": "web_fetch_result", "url": "https://example.com", "retrieved_at": "2026-11-01T00:00:00Z",
            "content": {"type": "document", "title": "E", "citations": {"enabled": true},
                "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        }}),
        json!({"type": "web_fetch_tool_result", "tool_use_id": "srvtoolu_04",
                "content": error("web_fetch_tool_result_error", "url_not_allowed")}),
        json!({"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_05", "content": {
                "type": "code_execution_result", "return_code": -1, "stdout": "o", "stderr": "e",
                "content": output("code_execution_output")}}),
        json!({"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_06", "content": {
                "type": "encrypted_code_execution_result", "return_code": 0, "encrypted_stdout": "eA==", "stderr": "",
                "content": []}}),
        json!({"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_07",
                "content": error("code_execution_tool_result_error", "execution_time_exceeded")}),
        json!({"type": "bash_code_execution_tool_result", "tool_use_id": "srvtoolu_08", "content": {
                "type": "bash_code_execution_result", "return_code": 0, "stdout": "o", "stderr": "",
                "content": output("bash_code_execution_output")}}),
        json!({"type": "bash_code_execution_tool_result", "tool_use_id": "srvtoolu_09",
                "content": error("bash_code_execution_tool_result_error", "output_file_too_large")}),
        json!({"type": "text_editor_code_execution_tool_result", "tool_use_id": "srvtoolu_10", "content": {
                "type": "text_editor_code_execution_view_result", "content": "a\n", "file_type": "text",
                "num_lines": 1, "start_line": 1, "total_lines": 2}}),
        json!({"type": "text_editor_code_execution_tool_result", "tool_use_id": "srvtoolu_11", "content": {
                "type": "text_editor_code_execution_create_result", "is_file_update": false}}),
        json!({"type": "text_editor_code_execution_tool_result", "tool_use_id": "srvtoolu_12", "content": {
                "type": "text_editor_code_execution_str_replace_result", "lines": ["-a", "+b"], "old_start": 1,
                "old_lines": 1, "new_start": 1, "new_lines": 1}}),
        json!({"type": "text_editor_code_execution_tool_result", "tool_use_id": "srvtoolu_13", "content": {
                "type": "text_editor_code_execution_tool_result_error", "error_code": "file_not_found",
                "error_message": "no such file"}}),
        json!({"type": "tool_search_tool_result", "tool_use_id": "srvtoolu_14", "content": {
                "type": "tool_search_tool_search_result",
                "tool_references": [{"type": "tool_reference", "tool_name": "weather"}]}}),
        json!({"type": "tool_search_tool_result", "tool_use_id": "srvtoolu_15", "content": {
                "type": "tool_search_tool_result_error", "error_code": "unavailable", "error_message": null}}),
        json!({"type": "container_upload", "file_id": "file_1"}),
        json!({"type": "advisor_tool_result", "tool_use_id": "srvtoolu_16", "content": {
                "type": "advisor_result", "text": "Wait.", "stop_reason": "end_turn"}}),
        json!({"type": "advisor_tool_result", "tool_use_id": "srvtoolu_17", "content": {
                "type": "advisor_redacted_result", "encrypted_content": "eA==", "stop_reason": null}}),
        json!({"type": "advisor_tool_result", "tool_use_id": "srvtoolu_18",
                "content": error("advisor_tool_result_error", "model_not_found")}),
        json!({"type": "mcp_tool_use", "id": "mcptoolu_01", "name": "find", "server_name": "library",
                "input": {"author": "Borges"}}),
        json!({"type": "mcp_tool_result", "tool_use_id": "mcptoolu_01", "is_error": false,
                "content": [{"type": "text", "text": "Ficciones"}]}),
        json!({"type": "mcp_tool_listing", "mcp_server_name": "library", "tools": [
                {"name": "find", "description": null, "input_schema": {"type": "object"}}]}),
        json!({"type": "compaction", "content": "short", "encrypted_content": "eA==", "signature": "c2ln", "tool_changes": [
                {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "weather"}},
                {"type": "tool_removal", "tool": {"type": "mcp_toolset_reference", "server_name": "library"}}]}),
        json!({"type": "fallback", "from": {"model": "claude-mythos-5-2"}, "to": {"model": "claude-opus-5-5"},
                "trigger": {"type": "refusal", "category": "cyber"}}),
    ])
}

pub(super) fn usage() -> Value {
    json!({
        "input_tokens": 10, "output_tokens": 20, "cache_creation_input_tokens": null,
        "cache_read_input_tokens": 3, "service_tier": "standard", "speed": "fast", "inference_geo": "eu",
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 2},
        "output_tokens_details": {"thinking_tokens": 5},
        "iterations": [
            {"type": "message", "input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0, "cache_creation": null, "model": "claude-opus-5-5"},
            {"type": "advisor_message", "input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0, "model": "claude-opus-5-5"}],
        "fallback_credit": {"status": {"type": "not_applied", "reason": "expired", "remove_to_redeem": ["tools"]}},
    })
}

pub(super) fn citations() -> Value {
    json!([
        {"type": "char_location", "cited_text": "c", "document_index": 0, "document_title": "T", "file_id": null,
            "start_char_index": 0, "end_char_index": 1},
        {"type": "page_location", "cited_text": "c", "document_index": 0, "document_title": null, "file_id": "file_1",
            "start_page_number": 1, "end_page_number": 2},
        {"type": "content_block_location", "cited_text": "c", "document_index": 0, "document_title": null,
            "start_block_index": 0, "end_block_index": 1},
        {"type": "web_search_result_location", "cited_text": "c", "url": "https://example.com", "title": "T",
            "encrypted_index": "eA=="},
        {"type": "search_result_location", "cited_text": "c", "search_result_index": 0, "source": "s", "title": null,
            "start_block_index": 0, "end_block_index": 1},
    ])
}

/// A request of the parts that a program writes itself, which a test builds once more.
pub(super) fn request() -> Value {
    json!({
        "model": "claude-opus-5-5", "max_tokens": 1024, "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Ghent"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_01", "content": [{"type": "text", "text": "Rain"}]},
                {"type": "tool_result", "tool_use_id": "toolu_02", "content": "no such city", "is_error": true},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBOR"},
                    "transformations": {"oversized_image": "downsize"}},
                {"type": "document", "source": {"type": "file", "file_id": "file_1"}, "title": "T", "context": "C",
                    "citations": {"enabled": true}, "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "search_result", "source": "https://example.com", "title": "S", "content": []},
            ]},
            {"role": "system", "content": "From here on in French.", "clear_at": "next_user_message"},
        ],
        "tools": [
            {"name": "weather", "description": "The weather", "input_schema": {"type": "object"}, "strict": true},
            {"type": "web_search_20260318", "name": "web_search", "max_uses": 5},
        ],
        "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 2048, "display": "omitted"},
        "stop_sequences": ["END"], "metadata": {"user_id": "u-1"},
        "output_config": {"effort": "low"}, "service_tier": "auto",
    })
}

/// A request with every block and every field that a request may have beside those of [`request`].
pub(super) fn full_request() -> Value {
    let blocks = message()["content"].take();
    json!({
        "model": "claude-opus-5-5", "max_tokens": 0, "cache_control": {"type": "ephemeral"},
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "5m"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "t"}]}},
                {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
                {"type": "container_upload", "file_id": "file_1", "cache_control": null},
            ]},
            {"role": "assistant", "content": blocks},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_01", "toolset_name": "browser", "content": [
                    {"type": "tool_reference", "tool_name": "weather"},
                    {"type": "browser_state", "tabs": [{"tab_id": "1", "title": "T", "url": "u", "active": true}],
                        "state_changes": [
                            {"type": "tab_opened", "tab_id": "1"},
                            {"type": "download_started", "download_id": "d", "url": "u"},
                            {"type": "download_completed", "download_id": "d", "url": "u", "path": "/a", "size_bytes": 1},
                            {"type": "download_failed", "download_id": "d", "url": "u", "error": null}]},
                ]},
            ]},
            {"role": "system", "clear_at": "never", "output_config": {"effort": "max"}, "content": [
                {"type": "tool_addition", "tool": {"type": "tool_definition",
                    "definition": {"name": "t", "input_schema": {"type": "object"}}}},
                {"type": "tool_removal", "tool": {"type": "mcp_tool_reference", "server_name": "library", "name": "find"}},
            ]},
        ],
        "tools": tools(),
        "tool_choice": {"type": "none"},
        "thinking": {"type": "adaptive", "display": "summarized",
            "block_binding": {"prefix_mismatch_behavior": "drop_block"}},
        "container": {"id": null, "skills": [{"type": "custom", "skill_id": "s", "version": "1"}]},
        "diagnostics": {"previous_message_id": "msg_00"}, "inference_geo": "eu", "speed": "standard",
        "service_tier": "standard_only", "metadata": {"user_id": null},
        "output_config": {"effort": "xhigh", "format": {"type": "json_schema", "schema": {"type": "object"}},
            "task_budget": {"type": "tokens", "total": 9, "remaining": 3}},
        "billing_policy": {"type": "billing_policy", "bill_to": "user_profile"},
        "compaction": {"type": "summarize", "instructions": "Keep names."},
        "context_management": {"edits": [
            {"type": "clear_tool_uses_20250919", "trigger": {"type": "input_tokens", "value": 9},
                "keep": {"type": "tool_uses", "value": 3}, "clear_at_least": {"type": "input_tokens", "value": 1},
                "clear_tool_inputs": ["weather"], "exclude_tools": ["memory"]},
            {"type": "clear_tool_uses_20250919", "clear_tool_inputs": true},
            {"type": "clear_thinking_20251015", "keep": "all"},
            {"type": "clear_thinking_20251015", "keep": {"type": "thinking_turns", "value": 2}},
            {"type": "compact_20260112", "instructions": null, "pause_after_compaction": true}]},
        "fallback_credit_token": {"token": "t", "mode": "strict"},
        "fallbacks": [{"model": "claude-opus-5-5", "max_tokens": 9, "output_config": {"effort": "low"},
            "speed": "fast", "thinking": {"type": "between_tools"}}],
        "mcp_servers": [{"type": "url", "name": "library", "url": "https://mcp.example.com",
            "authorization_token": "t", "tool_configuration": {"allowed_tools": ["find"], "enabled": true}}],
        "thread": {"type": "continue", "previous_message_id": "msg_00"},
    })
}

/// Every kind of tool, the fields of each once.
pub(super) fn tools() -> Value {
    let cache = || json!({"type": "ephemeral"});
    let mut tools = vec![
        json!({"type": "custom", "name": "a", "description": "d", "input_schema": {"type": "object"}, "strict": true,
            "defer_loading": true, "allowed_callers": ["direct", "code_execution_20260521"], "input_examples": [{"x": 1}],
            "eager_input_streaming": true, "cache_control": cache()}),
        json!({"type": "browser_toolset_20260801", "configs": {"navigate": {"enabled": true, "defer_loading": false}}}),
        json!({"type": "computer_toolset_20260801", "configs": null, "cache_control": cache()}),
        json!({"type": "mcp_toolset", "mcp_server_name": "library", "default_config": {"enabled": false},
            "configs": {"find": {"enabled": true}},
            "tools": [{"name": "find", "description": "d", "input_schema": {"type": "object"}}]}),
        json!({"type": "advisor_20260301", "name": "advisor", "model": "claude-opus-5-5", "max_tokens": 9, "max_uses": 1,
            "caching": cache()}),
    ];
    let named = [
        ("bash", vec!["bash_20241022", "bash_20250124"]),
        (
            "code_execution",
            vec![
                "code_execution_20250522",
                "code_execution_20250825",
                "code_execution_20260120",
                "code_execution_20260521",
            ],
        ),
        ("memory", vec!["memory_20250818"]),
        ("str_replace_editor", vec!["text_editor_20241022", "text_editor_20250124"]),
        ("str_replace_based_edit_tool", vec!["text_editor_20250429", "text_editor_20250728"]),
        ("web_search", vec!["web_search_20250305", "web_search_20260209", "web_search_20260318"]),
        (
            "web_fetch",
            vec!["web_fetch_20250910", "web_fetch_20260209", "web_fetch_20260309", "web_fetch_20260318"],
        ),
        ("computer", vec!["computer_20241022", "computer_20250124", "computer_20251124"]),
        ("tool_search_tool_bm25", vec!["tool_search_tool_bm25_20251119"]),
        ("tool_search_tool_regex", vec!["tool_search_tool_regex_20251119"]),
    ];
    for (name, kinds) in named {
        for kind in kinds {
            let mut tool = json!({"type": kind, "name": name});
            let members = match name {
                "web_search" => json!({"max_uses": 3, "allowed_domains": ["a"], "blocked_domains": null,
                    "response_inclusion": "excluded", "user_location": {"type": "approximate", "city": "Ghent",
                    "region": null, "country": "BE", "timezone": "Europe/Brussels"}}),
                "web_fetch" => {
                    json!({"max_content_tokens": 9, "citations": {"enabled": true}, "use_cache": false,
                    "url_sources": {"user_input": {"type": "all"}, "server_tool_results": {"type": "none"},
                    "client_tool_results": {"type": "only", "tools": [{"type": "tool_reference", "name": "a"}]}}})
                }
                "computer" => json!({"display_width_px": 1, "display_height_px": 2, "display_number": null,
                    "enable_zoom": true}),
                "str_replace_based_edit_tool" => json!({"max_characters": 9}),
                _ => json!({}),
            };
            tool.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            tools.push(tool);
        }
    }
    Value::from(tools)
}

pub(super) fn error() -> Value {
    json!({
        "type": "error",
        "error": {
            "type": "rate_limit_error", "message": "Slow down.",
            "details": {"error_code": "ramp_limit_exceeded", "limit": 3},
        },
        "request_id": "req_01",
    })
}

pub(super) fn model() -> Value {
    let yes = || json!({"supported": true});
    json!({
        "type": "model", "id": "claude-opus-5-5", "display_name": "Claude Opus 5.5",
        "created_at": "2026-09-01T00:00:00Z", "lifecycle": "active", "line": "opus", "retires_at": null,
        "deprecated_at": "2027-09-01T00:00:00Z", "allowed_fallback_models": ["claude-sonnet-5-5"],
        "max_input_tokens": 1_000_000, "max_tokens": 128_000, "capabilities": {
            "batch": yes(), "citations": yes(), "code_execution": yes(),
            "compaction": {"supported": true, "summarize": yes()},
            "context_management": {"supported": true, "clear_thinking_20251015": yes(),
                "clear_tool_uses_20250919": yes(), "compact_20260112": null},
            "effort": {"supported": true, "low": yes(), "medium": yes(), "high": yes(), "xhigh": null, "max": yes()},
            "image_input": yes(), "pdf_input": yes(),
            "server_tools": {"supported": true, "code_execution": yes(), "web_search": {"supported": false}},
            "structured_outputs": yes(),
            "thinking": {"supported": true, "types":
                {"adaptive": yes(), "between_tools": yes(), "disabled": yes(), "enabled": yes()}},
        },
    })
}
