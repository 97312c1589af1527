"""Makes a list of calls with the official Python SDK, its strict response validation on, and reports in JSON.

Argument: in JSON, where the server is, what it accepts, and a folder with a session of it. The report counts the calls by
what they are about, and says nothing of those that gave what they should.
"""

import json
import sys

import anthropic
from calls import Calls
from credentials import credentials
from failures import error_classes, error_codes, retries
from messages import messages
from resources import batches, files, models, profiles, skills
from scripted import blocks, structured_output, tool_runner


def main(given):
    client = anthropic.Anthropic(
        base_url=given["base_url"], api_key=given["key"], max_retries=0, _strict_response_validation=True
    )
    calls = Calls()
    for part in (tool_runner, structured_output, blocks, messages, models, batches):
        part(calls, client)
    files(calls, client, given["file"])
    for part in (skills, profiles, error_classes, error_codes, retries):
        part(calls, client)
    credentials(calls, given)
    return {"calls": calls.count, "wrong": calls.wrong}


print(json.dumps(main(json.loads(sys.argv[1]))))
