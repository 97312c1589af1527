"""Makes one call after the other with the official Python SDK, each named by a header; what is answered does not matter.

Arguments: the base URL, a valid key, identifiers to look for, and some that should not be sent, both in JSON. Reports the names
of the calls in JSON, and which identifiers were refused.
"""

import json
import sys

import anthropic

MODEL = "claude-sonnet-5-5"
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
EPHEMERAL = {"type": "ephemeral"}


def user(content="hello"):
    return {"role": "user", "content": content}


def say(*content, **more):
    return {"model": MODEL, "max_tokens": 64, "messages": [user(one) for one in content or ["hello"]], **more}


def blocks(*blocks):
    return say(list(blocks))


def tools(*tools):
    return say(tools=list(tools))


def assistant(*blocks):
    return {"model": MODEL, "max_tokens": 64, "messages": [user(), {"role": "assistant", "content": list(blocks)}, user()]}


def text(text, **more):
    return {"type": "text", "text": text, **more}


def result(kind, **content):
    return {"type": kind, "tool_use_id": "srvtoolu_1", "content": content}


# What both SDKs have for everybody: client.messages.create.
CREATE = {
    "plain": say(),
    "turns": {
        "model": MODEL,
        "max_tokens": 64,
        "messages": [user("one"), {"role": "assistant", "content": "two"}, user("three")],
    },
    "prefill cache": say() | {"max_tokens": 0},
    "unicode": say("héllo \u2028 \U0001f600 \"quoted\" \\ \n"),
    "system text": say(system="Be brief."),
    "system blocks": say(system=[text("Be brief.", cache_control={"type": "ephemeral", "ttl": "1h"})]),
    "system message": {
        "model": MODEL,
        "max_tokens": 64,
        "messages": [user(), {"role": "assistant", "content": "hi"}, user(), {"role": "system", "content": "In French."}],
    },
    "stop sequences": say(stop_sequences=["END", "###"]),
    "metadata": say(metadata={"user_id": "u-1"}),
    "service tier": say(service_tier="standard_only"),
    "speed": say(speed="fast"),
    "inference geo": say(inference_geo="eu"),
    "top cache control": say(cache_control=EPHEMERAL),
    "container id": say(container="container_1"),
    "container skills": say(
        container={
            "id": "container_1",
            "skills": [
                {"type": "anthropic", "skill_id": "xlsx", "version": "latest"},
                {"type": "custom", "skill_id": "skill_1"},
            ],
        }
    ),
    "diagnostics": say(diagnostics={"previous_message_id": "msg_0"}),
    "effort": say(output_config={"effort": "xhigh"}),
    "json schema": say(output_config={"effort": "low", "format": {"type": "json_schema", "schema": WEATHER}}),
    "thinking adaptive": say(thinking={"type": "adaptive", "display": "summarized"}),
    "thinking enabled": say(thinking={"type": "enabled", "budget_tokens": 2048, "display": "omitted"}) | {"max_tokens": 4096},
    "thinking between tools": say(thinking={"type": "between_tools"}),
    "thinking disabled": say(thinking={"type": "disabled"}),
    "image base64": blocks(
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        text("What is it?"),
    ),
    "image url": blocks(
        {
            "type": "image",
            "source": {"type": "url", "url": "https://example.com/a.png"},
            "transformations": {"oversized_image": "error"},
            "cache_control": EPHEMERAL,
        }
    ),
    "image file": blocks({"type": "image", "source": {"type": "file", "file_id": "file_1"}}),
    "document pdf": blocks(
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
            "title": "T",
            "context": "C",
            "citations": {"enabled": True},
        }
    ),
    "document text": blocks({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}),
    "document url": blocks({"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}),
    "document file": blocks({"type": "document", "source": {"type": "file", "file_id": "file_1"}, "cache_control": EPHEMERAL}),
    "document content": blocks({"type": "document", "source": {"type": "content", "content": [text("one"), text("two")]}}),
    "search result": blocks(
        {
            "type": "search_result",
            "source": "https://example.com",
            "title": "S",
            "content": [text("found")],
            "citations": {"enabled": True},
        }
    ),
    "container upload": blocks({"type": "container_upload", "file_id": "file_1"}),
    "tool": tools({"name": "weather", "description": "The weather", "input_schema": WEATHER}),
    "tool in full": tools(
        {
            "type": "custom",
            "name": "weather",
            "input_schema": WEATHER,
            "strict": True,
            "defer_loading": True,
            "allowed_callers": ["direct", "code_execution_20260521"],
            "input_examples": [{"city": "Ghent"}],
            "eager_input_streaming": True,
            "cache_control": EPHEMERAL,
        }
    ),
    "tool choice": tools({"name": "weather", "input_schema": WEATHER})
    | {"tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": True}},
    "tool choice none": tools({"name": "weather", "input_schema": WEATHER}) | {"tool_choice": {"type": "none"}},
    "web tools": tools(
        {
            "type": "web_search_20260318",
            "name": "web_search",
            "max_uses": 3,
            "allowed_domains": ["example.com"],
            "response_inclusion": "excluded",
            "user_location": {"type": "approximate", "city": "Ghent", "country": "BE", "timezone": "Europe/Brussels"},
        },
        {
            "type": "web_fetch_20260318",
            "name": "web_fetch",
            "blocked_domains": ["example.org"],
            "citations": {"enabled": True},
            "max_content_tokens": 1000,
            "use_cache": False,
            "url_sources": {
                "user_input": {"type": "all"},
                "client_tool_results": {"type": "only", "tools": [{"type": "tool_reference", "name": "weather"}]},
            },
        },
    ),
    "local tools": tools(
        {"type": "bash_20250124", "name": "bash"},
        {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 1000},
        {"type": "memory_20250818", "name": "memory"},
        {"type": "code_execution_20260521", "name": "code_execution"},
    ),
    "older tools": tools(
        {"type": "text_editor_20250124", "name": "str_replace_editor"},
        {"type": "code_execution_20250825", "name": "code_execution"},
        {"type": "web_search_20250305", "name": "web_search"},
    ),
    "tool search": tools(
        {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"},
        {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
        {"name": "weather", "input_schema": WEATHER, "defer_loading": True},
    ),
    "toolsets": tools(
        {"type": "computer_toolset_20260801", "configs": {"zoom": {"enabled": False}}},
        {"type": "browser_toolset_20260801", "cache_control": EPHEMERAL},
    ),
    "tool results": {
        "model": MODEL,
        "max_tokens": 64,
        "messages": [
            user(),
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                    {"type": "redacted_thinking", "data": "eA=="},
                    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Ghent"}},
                    {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {}},
                    {"type": "tool_use", "id": "toolu_3", "name": "find", "input": {"q": 1.5}},
                ],
            },
            user(
                [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "Rain"},
                    {"type": "tool_result", "tool_use_id": "toolu_2", "content": "no such city", "is_error": True},
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_3",
                        "content": [text("found"), {"type": "tool_reference", "tool_name": "weather"}],
                    },
                ]
            ),
        ],
    },
    "browser state": {
        "model": MODEL,
        "max_tokens": 64,
        "messages": [
            user(),
            {
                "role": "assistant",
                "content": [
                    {
                        "type": "tool_use",
                        "id": "toolu_1",
                        "name": "navigate",
                        "input": {"url": "https://example.com"},
                        "toolset_name": "browser",
                    }
                ],
            },
            user(
                [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1",
                        "toolset_name": "browser",
                        "content": [
                            {
                                "type": "browser_state",
                                "tabs": [{"tab_id": "1", "title": "E", "url": "https://example.com", "active": True}],
                                "state_changes": [{"type": "tab_opened", "tab_id": "1"}],
                            }
                        ],
                    }
                ]
            ),
        ],
    },
    "citations": assistant(
        text(
            "So it is.",
            citations=[
                {
                    "type": "char_location",
                    "cited_text": "c",
                    "document_index": 0,
                    "document_title": "T",
                    "start_char_index": 0,
                    "end_char_index": 1,
                },
                {
                    "type": "web_search_result_location",
                    "cited_text": "c",
                    "encrypted_index": "eA==",
                    "title": None,
                    "url": "https://example.com",
                },
            ],
        )
    ),
    "server results": assistant(
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "srvtoolu_1",
            "content": [
                {"type": "web_search_result", "url": "https://example.com", "title": "E", "encrypted_content": "eA=="}
            ],
        },
        result("web_search_tool_result", type="web_search_tool_result_error", error_code="unavailable"),
        result(
            "web_fetch_tool_result",
            type="web_fetch_result",
            url="https://example.com",
            content={"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        ),
        result("code_execution_tool_result", type="code_execution_result", return_code=0, stdout="o", stderr="", content=[]),
        result(
            "bash_code_execution_tool_result",
            type="bash_code_execution_result",
            return_code=1,
            stdout="",
            stderr="e",
            content=[{"type": "bash_code_execution_output", "file_id": "file_1"}],
        ),
        result(
            "text_editor_code_execution_tool_result",
            type="text_editor_code_execution_create_result",
            is_file_update=True,
        ),
        result(
            "tool_search_tool_result",
            type="tool_search_tool_search_result",
            tool_references=[{"type": "tool_reference", "tool_name": "weather"}],
        ),
    ),
}

# What is a beta: client.beta.messages.create.
BETA = {
    "beta twice": (["context-1m-2025-08-07", "fast-mode-2026-02-01"], say()),
    "mcp servers": (
        ["mcp-client-2025-11-20"],
        tools({"type": "mcp_toolset", "mcp_server_name": "library", "default_config": {"enabled": False}})
        | {
            "mcp_servers": [
                {
                    "type": "url",
                    "name": "library",
                    "url": "https://mcp.example.com",
                    "authorization_token": "token",
                    "tool_configuration": {"allowed_tools": ["find"], "enabled": True},
                }
            ]
        },
    ),
    "context management": (
        ["context-management-2025-06-27"],
        say(
            context_management={
                "edits": [
                    {"type": "clear_thinking_20251015", "keep": {"type": "thinking_turns", "value": 2}},
                    {
                        "type": "clear_tool_uses_20250919",
                        "trigger": {"type": "input_tokens", "value": 1000},
                        "keep": {"type": "tool_uses", "value": 3},
                        "clear_at_least": {"type": "input_tokens", "value": 10},
                        "clear_tool_inputs": True,
                        "exclude_tools": ["memory"],
                    },
                    {"type": "compact_20260112", "pause_after_compaction": True},
                ]
            }
        ),
    ),
    "compaction": (["compact-2026-09-04"], say(compaction={"type": "summarize", "instructions": "Keep names."})),
    "compacted": (
        ["compact-2026-09-04"],
        assistant(
            {
                "type": "compaction",
                "content": "short",
                "encrypted_content": "eA==",
                "signature": "c2ln",
                "tool_changes": [{"type": "tool_addition", "tool": {"type": "tool_reference", "name": "weather"}}],
            }
        ),
    ),
    "fallbacks default": (["server-side-fallback-2026-07-01"], say(fallbacks="default")),
    "fallbacks": (
        ["server-side-fallback-2026-07-01"],
        say(fallbacks=[{"model": "claude-opus-5-5", "max_tokens": 32, "thinking": {"type": "disabled"}}]),
    ),
    "fallback credit": (["fallback-credit-2026-07-01"], say(fallback_credit_token={"token": "t", "mode": "best_effort"})),
    "fallen back": (
        ["server-side-fallback-2026-07-01"],
        assistant(
            {
                "type": "fallback",
                "from": {"model": "claude-mythos-5-2"},
                "to": {"model": "claude-opus-5-5"},
                "trigger": {"type": "refusal", "category": "cyber"},
            },
            text("hi"),
        ),
    ),
    "thread": (["message-threads-2026-08-12"], say(thread={"type": "continue", "previous_message_id": "msg_0"})),
    "billing policy": (
        ["user-profiles-billing-2026-10-01"],
        say(billing_policy={"type": "billing_policy", "bill_to": "user_profile"}, user_profile_id="uprof_1"),
    ),
    "workspace": ([], say(workspace_id="wrkspc_1")),
    "task budget": (
        ["task-budgets-2026-03-13"],
        say(output_config={"task_budget": {"type": "tokens", "total": 1000, "remaining": 10}}),
    ),
    "thinking binding": (
        ["thinking-binding-controls-2026-08-01", "thinking-display-updates-2026-08-18"],
        say(
            thinking={
                "type": "adaptive",
                "display": "updates",
                "block_binding": {"prefix_mismatch_behavior": "drop_block"},
            }
        ),
    ),
    "tool changes": (
        [
            "mid-conversation-tool-changes-2026-07-01",
            "inline-tools-2026-09-15",
            "mid-conversation-system-clear-at-2026-08-21",
            "mid-conversation-output-config-2026-07-01",
        ],
        {
            "model": MODEL,
            "max_tokens": 64,
            "messages": [
                user(),
                {
                    "role": "system",
                    "clear_at": "next_user_message",
                    "output_config": {"effort": "low"},
                    "content": [
                        {
                            "type": "tool_addition",
                            "tool": {
                                "type": "tool_definition",
                                "definition": {"name": "weather", "input_schema": WEATHER},
                            },
                        },
                        {"type": "tool_removal", "tool": {"type": "mcp_toolset_reference", "server_name": "library"}},
                    ],
                },
            ],
        },
    ),
    "advisor": (
        ["advisor-tool-2026-03-01"],
        tools({"type": "advisor_20260301", "name": "advisor", "model": "claude-opus-5-5", "max_uses": 1, "caching": EPHEMERAL}),
    ),
    "computer": (
        ["computer-use-2025-11-24"],
        tools(
            {
                "type": "computer_20251124",
                "name": "computer",
                "display_width_px": 1024,
                "display_height_px": 768,
                "enable_zoom": True,
            }
        ),
    ),
    "mcp results": (
        ["mcp-client-2026-09-15"],
        assistant(
            {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "find", "server_name": "library", "input": {"q": "x"}},
            {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": [text("found")]},
            {
                "type": "mcp_tool_listing",
                "mcp_server_name": "library",
                "tools": [{"name": "find", "input_schema": {"type": "object"}}],
            },
            result("advisor_tool_result", type="advisor_result", text="Wait."),
        ),
    ),
}


# Identifiers that need care in a path.
ODD_IDS = json.loads(sys.argv[3])


def refused(client):
    """Those of the identifiers that lead out of their route, which this SDK does not send."""
    refused = []
    for id in json.loads(sys.argv[4]):
        try:
            client.files.retrieve_metadata(id, extra_headers=named("refused"))
        except ValueError:
            refused.append(id)
    return refused


def named(name):
    return {"x-case": name}


def streamed(client, name, **request):
    with client.messages.stream(**request, extra_headers=named(name)) as stream:
        stream.until_done()


def reply(client, name):
    """A reply, and the conversation that goes on with it."""
    first = client.messages.create(**say("good morning"), extra_headers=named(f"{name}: asked"))
    turn = {"role": "assistant", "content": first.content}
    client.messages.create(
        model=MODEL,
        max_tokens=64,
        messages=[user("good morning"), turn, user("and now?")],
        extra_headers=named(f"{name}: gone on"),
    )


def calls(client):
    """Each call, by its name."""
    for name, request in CREATE.items():
        yield name, lambda name=name, request=request: client.messages.create(**request, extra_headers=named(name))
    for name, (betas, request) in BETA.items():
        betas = {"betas": betas} if betas else {}
        yield name, lambda name=name, betas=betas, request=request: client.beta.messages.create(
            **request, **betas, extra_headers=named(name)
        )
    yield "streamed", lambda: streamed(client, "streamed", **say())
    yield "streamed with tools", lambda: streamed(
        client, "streamed with tools", **tools({"name": "weather", "input_schema": WEATHER})
    )
    yield "counted", lambda: client.messages.count_tokens(
        model=MODEL, messages=[user()], system="Be brief.", extra_headers=named("counted")
    )
    yield "counted in full", lambda: client.messages.count_tokens(
        model=MODEL,
        messages=[user()],
        tools=[{"name": "weather", "input_schema": WEATHER}],
        tool_choice={"type": "any"},
        thinking={"type": "adaptive"},
        cache_control=EPHEMERAL,
        output_config={"effort": "high"},
        speed="fast",
        extra_headers=named("counted in full"),
    )
    yield "reply", lambda: reply(client, "reply")
    yield "models", lambda: client.models.list(limit=2, extra_headers=named("models"))
    yield "models after", lambda: client.models.list(limit=2, after_id=MODEL, extra_headers=named("models after"))
    yield "model", lambda: client.models.retrieve(MODEL, extra_headers=named("model"))
    yield from resources(client)


def resources(client):
    batches, files, skills, profiles = client.messages.batches, client.files, client.skills, client.user_profiles
    haiku = [
        ("haiku/SKILL.md", b"---\nname: haiku\ndescription: Writes haiku.\n---\n", "text/markdown"),
        ("haiku/words.txt", "sch\u00f6n\r\n".encode(), "text/plain"),
    ]
    one = {"custom_id": "one", "params": CREATE["system text"]}
    two = {"custom_id": "two", "params": CREATE["web tools"]}
    for name, call in {
        "batch created": lambda h: batches.create(requests=[one, two], extra_headers=h),
        "batches": lambda h: batches.list(limit=5, before_id="msgbatch_9", extra_headers=h),
        "batch": lambda h: batches.retrieve("msgbatch_1", extra_headers=h),
        "batch cancelled": lambda h: batches.cancel("msgbatch_1", extra_headers=h),
        "batch deleted": lambda h: batches.delete("msgbatch_1", extra_headers=h),
        "batch results": lambda h: list(batches.results("msgbatch_7", extra_headers=h)),
        "file sent": lambda h: files.upload(file=("a b.txt", b"words\r\n--", "text/plain"), extra_headers=h),
        "files": lambda h: files.list(limit=5, extra_headers=h),
        "file": lambda h: files.retrieve_metadata("file_1", extra_headers=h),
        "file content": lambda h: files.download("file_1", extra_headers=h),
        "file deleted": lambda h: files.delete("file_1", extra_headers=h),
        "skills": lambda h: skills.list(limit=5, extra_headers=h),
        "skill": lambda h: skills.retrieve("skill_1", extra_headers=h),
        "skill created": lambda h: skills.create(display_name="Ha\u00efku", files=haiku, extra_headers=h),
        "skill version created": lambda h: skills.versions.create("skill_1", files=haiku, extra_headers=h),
        "skill deleted": lambda h: skills.delete("skill_1", extra_headers=h),
        "skill versions": lambda h: skills.versions.list("skill_1", limit=5, extra_headers=h),
        "skill version": lambda h: skills.versions.retrieve("1", skill_id="skill_1", extra_headers=h),
        "skill version deleted": lambda h: skills.versions.delete("1", skill_id="skill_1", extra_headers=h),
        "profile created": lambda h: profiles.create(name="N", metadata={"a": "b"}, extra_headers=h),
        "profiles": lambda h: profiles.list(limit=5, extra_headers=h),
        "profile": lambda h: profiles.retrieve("uprof_1", extra_headers=h),
        "profile changed": lambda h: profiles.update("uprof_1", name="M", extra_headers=h),
        "profile deleted": lambda h: profiles.delete("uprof_1", extra_headers=h),
        "profile action": lambda h: profiles.action_urls.create(
            "uprof_1", action={"type": "enroll_end_user"}, extra_headers=h
        ),
        "profile enrolled": lambda h: client.beta.user_profiles.create_enrollment_url("uprof_1", extra_headers=h),
    }.items():
        yield name, lambda name=name, call=call: call(named(name))
    for number, id in enumerate(ODD_IDS):
        name = f"odd {number}"
        yield name, lambda name=name, id=id: files.retrieve_metadata(id, extra_headers=named(name))


def main(base_url, key):
    client = anthropic.Anthropic(base_url=base_url, api_key=key, max_retries=0)
    for _, call in calls(client):
        try:
            call()
        except (anthropic.APIStatusError, anthropic.APIResponseValidationError):
            pass
    return {"names": [name for name, _ in calls(client)], "refused": refused(client)}


print(json.dumps(main(*sys.argv[1:3])))
