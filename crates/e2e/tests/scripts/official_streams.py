"""Reads captures of streams with the official Python SDK and reports in JSON the messages it makes of them.

Arguments: a folder of captures, and sizes of the pieces in which their bytes come.
"""

import json
import pathlib
import sys

import anthropic
import httpx2


class Captures:
    """Answers every request with the capture at hand."""

    def __init__(self):
        self.pieces = []
        http = anthropic.DefaultHttpxClient(transport=httpx2.MockTransport(self.answer))
        self.client = anthropic.Anthropic(
            api_key="unused", base_url="http://localhost", http_client=http, max_retries=0
        )

    def answer(self, _request):
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=iter(self.pieces))

    def message(self, data, size):
        self.pieces = [data[at : at + size] for at in range(0, len(data), size)]
        request = {"model": "claude-sonnet-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "hello"}]}
        try:
            with self.client.beta.messages.stream(**request) as stream:
                return stream.get_final_message().to_dict(mode="json")
        except Exception as error:
            return type(error).__name__


def main(folder, *sizes):
    captures = {path.stem: path.read_bytes() for path in sorted(pathlib.Path(folder).glob("*.sse"))}
    reader = Captures()
    return {name: [reader.message(data, int(size)) for size in sizes] for name, data in captures.items()}


print(json.dumps(main(*sys.argv[1:])))
