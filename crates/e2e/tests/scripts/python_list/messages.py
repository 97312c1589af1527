"""Messages: whole, as streams, and counted."""

from calls import say


def messages(calls, client):
    calls.about("messages")
    calls.expect("messages.create", lambda: client.messages.create(**say("hi")), lambda m: m.stop_reason == "end_turn")
    blocks = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    rows = {
        "system text": {"system": "be brief"},
        "system blocks": {"system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}]},
        "stop sequence": {"stop_sequences": ["You"]},
        "metadata": {"metadata": {"user_id": "u-1"}},
        "tool": {"tools": [{"name": "t", "input_schema": {"type": "object"}}]},
        "tool choice": {
            "tools": [{"name": "t", "input_schema": {"type": "object"}}],
            "tool_choice": {"type": "any"},
        },
        "thinking": {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048},
        "blocks": {"messages": [{"role": "user", "content": blocks}]},
        "turns": {
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
                {"role": "user", "content": "c"},
            ]
        },
        "image": {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
                        },
                        blocks[0],
                    ],
                }
            ]
        },
        "tool result": {
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "t", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}]},
            ]
        },
        "system role": {"messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]},
    }
    for name, more in rows.items():
        asked = {**say("hello"), **more}
        calls.about("messages")
        calls.expect(f"messages.create {name}", lambda: client.messages.create(**asked), lambda m: m.content)
        calls.about("streams")
        calls.expect(f"messages.stream {name}", lambda: stream(client, asked), lambda m: m.content)
        counted = {key: value for key, value in asked.items() if key not in ("max_tokens", "metadata", "stop_sequences")}
        count = lambda: client.messages.count_tokens(**counted)
        calls.about("count_tokens")
        calls.expect(f"messages.count_tokens {name}", count, lambda c: c.input_tokens > 0)
    calls.about("messages")
    raw = calls.expect("messages.with_raw_response", lambda: client.messages.with_raw_response.create(**say("hi")))
    calls.check("raw.parse", raw.parse().type == "message")
    calls.refused("messages.create without messages", lambda: client.messages.create(**{**say(""), "messages": []}), 400)
    calls.refused("messages.create of nobody", lambda: client.messages.create(**say("hi", model="claude-nobody")), 404)
    calls.about("count_tokens")
    calls.refused("count of nobody", lambda: client.messages.count_tokens(model="nobody", messages=say("a")["messages"]), 404)
    calls.about("streams")
    calls.expect("events", lambda: list(client.messages.create(**say("hi"), stream=True)), lambda e: len(e) > 5)


def stream(client, asked):
    with client.messages.stream(**asked) as events:
        return events.get_final_message()
