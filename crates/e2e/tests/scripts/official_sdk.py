"""Drives a server with the official Python SDK and reports in JSON what the SDK understood.

Arguments: the base URL and a valid key.
"""

import json
import sys

import anthropic

MODEL = "claude-sonnet-5-5"


def say(text):
    return {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": text}]}


def created(client):
    message = client.messages.create(**say("good morning"))
    return {
        "type": message.type,
        "role": message.role,
        "model": message.model,
        "text": message.content[0].text,
        "stop_reason": message.stop_reason,
        "input_tokens": message.usage.input_tokens,
        "output_tokens": message.usage.output_tokens,
        "request_id": message._request_id,
    }


def streamed(client):
    with client.messages.stream(**say("one two three")) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    return {
        "pieces": len(pieces),
        "text": "".join(pieces),
        "final": final.content[0].text,
        "stop_reason": final.stop_reason,
        "output_tokens": final.usage.output_tokens,
    }


def refused(base_url, key, **request):
    try:
        anthropic.Anthropic(base_url=base_url, api_key=key, max_retries=0).messages.create(**request)
    except anthropic.APIStatusError as error:
        return {
            "class": type(error).__name__,
            "status": error.status_code,
            "type": error.body["error"]["type"],
            "request_id": error.request_id,
        }
    return None


def main(base_url, key):
    client = anthropic.Anthropic(base_url=base_url, api_key=key, max_retries=0)
    older = anthropic.Anthropic(
        base_url=base_url,
        api_key="unused",
        max_retries=0,
        default_headers={"anthropic-version": "2023-06-01", "x-api-key": key, "Authorization": anthropic.Omit()},
    )
    models = [model.id for model in client.models.list(limit=3)]
    return {
        "created": created(client),
        "streamed": streamed(client),
        "models": models,
        "model": client.models.retrieve(MODEL).id,
        "input_tokens": client.messages.count_tokens(
            model=MODEL, messages=[{"role": "user", "content": "good morning"}]
        ).input_tokens,
        "older": created(older)["text"],
        "wrong_key": refused(base_url, "sk-ant-api03-wrong", **say("hello")),
        "unknown_model": refused(base_url, key, **(say("hello") | {"model": "claude-nobody"})),
        "no_messages": refused(base_url, key, **(say("hello") | {"messages": []})),
    }


print(json.dumps(main(*sys.argv[1:])))
