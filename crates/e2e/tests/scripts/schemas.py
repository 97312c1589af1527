"""What the official SDK makes of schemas: a list of JSON, or null where it refuses."""

import json
import sys

from anthropic import transform_schema


def made(schema):
    try:
        return transform_schema(schema)
    except Exception:
        return None


json.dump([made(schema) for schema in json.loads(sys.argv[1])], sys.stdout)
