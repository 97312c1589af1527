// Credentials: by profile, refreshed, federated, and from the environment.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { MODEL, all, say } from "./calls.mjs";

const read = (path) => JSON.parse(readFileSync(path, "utf8"));

function write(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value), { mode: 0o600 });
}

export async function credentials(calls, Anthropic, given) {
  calls.about("credentials");
  const baseURL = given.base_url;
  const session = join(given.folder, "credentials", `${given.profile}.json`);
  const byProfile = (profile = given.profile, maxRetries = 0) => new Anthropic({ profile, maxRetries });
  const hi = (client) => () => client.messages.create(say("hi"));
  const said = (message) => message.content[0].text === "You said: hi";

  const first = read(session);
  const client = byProfile();
  await calls.expect("profile", hi(client), said);
  await calls.expect("profile, a list", () => all(client.models.list({ limit: 10 })), (models) => models.length > 10);
  calls.check("nothing was refreshed", read(session).access_token === first.access_token);
  write(session, { ...first, expires_at: 1 });
  await calls.expect("an expired session", hi(byProfile()), said);
  const second = read(session);
  const isNew = (name) => second[name] !== first[name];
  calls.check("the tokens are new", isNew("access_token") && isNew("refresh_token"));
  write(session, { ...second, access_token: `${first.access_token}x`, expires_at: 4_000_000_000 });
  await calls.expect("a refused token", hi(byProfile(given.profile, 1)), said);
  const third = read(session);
  calls.check("it was refreshed", ![first.access_token, second.access_token].includes(third.access_token));

  const token = join(given.folder, "identity");
  write(token, given.identity);
  write(join(given.folder, "configs", "federated.json"), {
    version: "1.0",
    base_url: baseURL,
    organization_id: given.organization,
    authentication: {
      type: "oidc_federation",
      federation_rule_id: given.rule,
      service_account_id: given.account,
      identity_token: { source: "file", path: token },
    },
  });
  await calls.expect("federation by profile", hi(byProfile("federated")), said);
  const cached = join(given.folder, "credentials", "federated.json");
  const exchanged = read(cached).access_token;
  await calls.expect("federation, again", hi(byProfile("federated")), said);
  calls.check("the token was kept", read(cached).access_token === exchanged);

  const environment = {
    ANTHROPIC_IDENTITY_TOKEN_FILE: token,
    ANTHROPIC_FEDERATION_RULE_ID: given.rule,
    ANTHROPIC_ORGANIZATION_ID: given.organization,
  };
  Object.assign(process.env, environment);
  const byEnvironment = () => hi(new Anthropic({ baseURL, maxRetries: 0 }))();
  await calls.expect("federation by environment", byEnvironment, said);
  write(token, given.expired_identity);
  const error = await calls.refused("an identity that has expired", byEnvironment, undefined);
  calls.check("its error", String(error).includes("invalid_grant"), String(error));
  for (const name of Object.keys(environment)) delete process.env[name];

  const bearer = new Anthropic({ authToken: third.access_token, baseURL, maxRetries: 0 });
  const beta = { headers: { "anthropic-beta": "oauth-2025-04-20" } };
  await calls.expect("authToken", () => bearer.messages.create(say("hi"), beta), said);
  process.env.ANTHROPIC_API_KEY = given.key;
  const known = (model) => model.id === MODEL;
  await calls.expect("a key in the environment", () => new Anthropic({ baseURL }).models.retrieve(MODEL), known);
  const older = { "anthropic-version": "2023-06-01", "x-api-key": given.key, authorization: null };
  const old = new Anthropic({ apiKey: "unused", baseURL, defaultHeaders: older });
  await calls.expect("the older version", () => old.models.retrieve(MODEL), known);
}
