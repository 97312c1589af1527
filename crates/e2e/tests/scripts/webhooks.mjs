// Signs with the library that the official SDK verifies with, and has the SDK judge what others have signed.
// Arguments: the folder of modules, and what to do, as JSON.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, input] = process.argv.slice(2);
const resolve = createRequire(`${modules}/`).resolve;
const { default: Anthropic } = await import(pathToFileURL(resolve("@anthropic-ai/sdk")));
const { Webhook } = await import(pathToFileURL(resolve("standardwebhooks")));

const { key, body, now, signed } = JSON.parse(input);
const client = new Anthropic({ apiKey: "none" });

const judged = signed.map(({ headers, body }) => {
  try {
    return client.beta.webhooks.unwrap(body, { headers, key }).data.type;
  } catch {
    return null;
  }
});
const headers = {
  "webhook-id": "msg_theirs",
  "webhook-timestamp": String(now),
  "webhook-signature": new Webhook(key).sign("msg_theirs", new Date(now * 1000), body),
};
process.stdout.write(JSON.stringify({ judged, headers }));
