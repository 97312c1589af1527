"""Credentials: by profile, refreshed, federated, and from the environment."""

import json
import os
import pathlib

import anthropic
from anthropic.lib.credentials import WorkloadIdentityError
from calls import say

MODEL = "claude-haiku-4-5"


def write(path, value):
    path.parent.mkdir(exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    path.chmod(0o600)


def credentials(calls, given):
    calls.about("credentials")
    folder, base_url = pathlib.Path(given["folder"]), given["base_url"]
    session = folder / "credentials" / f"{given['profile']}.json"

    def by_profile(name=given["profile"]):
        return anthropic.Anthropic(profile=name, max_retries=0, _strict_response_validation=True)

    def access():
        return json.loads(session.read_text())["access_token"]

    said = lambda message: message.content[0].text == "You said: hi"
    first = access()
    calls.expect("profile", lambda: by_profile().messages.create(**say("hi")), said)
    client = by_profile()
    calls.expect("profile, a list", lambda: list(client.models.list(limit=10)), lambda m: len(m) > 10)
    calls.check("nothing was refreshed", access() == first)
    stored = json.loads(session.read_text())
    write(session, stored | {"expires_at": 1})
    calls.expect("an expired session", lambda: by_profile().messages.create(**say("hi")), said)
    second = json.loads(session.read_text())
    calls.check("the tokens are new", all(second[name] != stored[name] for name in ("access_token", "refresh_token")))
    write(session, second | {"access_token": stored["access_token"] + "x", "expires_at": 4_000_000_000})
    refused = anthropic.Anthropic(profile=given["profile"], max_retries=1)
    calls.expect("a refused token", lambda: refused.messages.create(**say("hi")), said)
    third = json.loads(session.read_text())
    calls.check("it was refreshed", third["access_token"] not in (first, second["access_token"]))

    rule = {
        "type": "oidc_federation",
        "federation_rule_id": given["rule"],
        "service_account_id": given["account"],
    }
    token = folder / "identity"
    write(token, given["identity"])
    identity = {"source": "file", "path": str(token)}
    federated = {"version": "1.0", "base_url": base_url, "organization_id": given["organization"]}
    federated["authentication"] = {**rule, "identity_token": identity}
    write(folder / "configs" / "federated.json", federated)
    calls.expect("federation by profile", lambda: by_profile("federated").messages.create(**say("hi")), said)
    cached = folder / "credentials" / "federated.json"
    exchanged = json.loads(cached.read_text())["access_token"]
    calls.expect("federation, again", lambda: by_profile("federated").messages.create(**say("hi")), said)
    calls.check("the token was kept", json.loads(cached.read_text())["access_token"] == exchanged)

    environment = {
        "ANTHROPIC_IDENTITY_TOKEN_FILE": str(token),
        "ANTHROPIC_FEDERATION_RULE_ID": given["rule"],
        "ANTHROPIC_ORGANIZATION_ID": given["organization"],
    }
    os.environ.update(environment)
    by_environment = lambda: anthropic.Anthropic(base_url=base_url, max_retries=0).messages.create(**say("hi"))
    calls.expect("federation by environment", by_environment, said)
    write(token, given["expired_identity"])
    error = calls.refused("an identity that has expired", by_environment, 400, kind=WorkloadIdentityError)
    calls.check("its error", "invalid_grant" in str(error), error)
    for name in environment:
        del os.environ[name]

    bearer = anthropic.Anthropic(auth_token=third["access_token"], base_url=base_url, max_retries=0)
    beta = {"anthropic-beta": "oauth-2025-04-20"}
    calls.expect("auth_token", lambda: bearer.messages.create(**say("hi"), extra_headers=beta), said)
    os.environ["ANTHROPIC_API_KEY"] = given["key"]
    keyed = lambda: anthropic.Anthropic(base_url=base_url).models.retrieve(MODEL)
    calls.expect("a key in the environment", keyed, lambda m: m.id == MODEL)
    older = {"anthropic-version": "2023-06-01", "x-api-key": given["key"], "Authorization": anthropic.Omit()}
    client = anthropic.Anthropic(api_key="unused", base_url=base_url, default_headers=older)
    calls.expect("the older version", lambda: client.models.retrieve(MODEL), lambda m: m.id == MODEL)
