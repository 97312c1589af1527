"""Reads captures of streams with the official Python SDK and reports in JSON the messages it makes of them.

Argument: a folder of captures.
"""

import json
import pathlib
import sys

import anthropic
import httpx2


class Captures:
    """Answers every request with the capture at hand."""

    def __init__(self):
        self.capture = b""
        http = anthropic.DefaultHttpxClient(transport=httpx2.MockTransport(self.answer))
        self.client = anthropic.Anthropic(
            api_key="unused", base_url="http://localhost", http_client=http, max_retries=0
        )

    def answer(self, _request):
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=self.capture)

    def message(self, capture):
        self.capture = capture
        request = {"model": "claude-sonnet-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "hello"}]}
        try:
            with self.client.beta.messages.stream(**request) as stream:
                return stream.get_final_message().to_dict(mode="json")
        except Exception as error:
            return type(error).__name__


def main(folder):
    captures = sorted(pathlib.Path(folder).glob("*.sse"))
    reader = Captures()
    return {path.stem: reader.message(path.read_bytes()) for path in captures}


print(json.dumps(main(*sys.argv[1:])))
