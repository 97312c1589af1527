// Makes calls with the official TypeScript SDK as the active profile, and reports in JSON how each went.
// It says `ready`, and then makes one call for each line of its standard input, with a client that knows nothing yet.
// Argument: the folder of modules.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const resolve = createRequire(`${process.argv[2]}/`).resolve;
const { default: Anthropic } = await import(pathToFileURL(resolve("@anthropic-ai/sdk")));

console.log("ready");
for await (const _ of createInterface({ input: process.stdin })) {
  let report = { ok: true };
  try {
    await new Anthropic({ maxRetries: 0 }).models.retrieve("claude-haiku-4-5");
  } catch (error) {
    report = { ok: false, kind: error.constructor.name, error: String(error) };
  }
  console.log(JSON.stringify(report));
}
