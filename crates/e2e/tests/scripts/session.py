"""Makes calls with the official Python SDK as the active profile, and reports in JSON how each went.

It says `ready`, and then makes one call for each line of its standard input, with a client that knows nothing yet.
"""

import json
import sys

import anthropic

print("ready", flush=True)
for _ in sys.stdin:
    try:
        anthropic.Anthropic(max_retries=0).models.retrieve("claude-haiku-4-5")
        report = {"ok": True}
    except Exception as error:
        report = {"ok": False, "kind": type(error).__name__, "error": str(error)}
    print(json.dumps(report), flush=True)
