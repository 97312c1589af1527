// Reads captures of streams with the official TypeScript SDK and reports in JSON the messages it makes of them.
// Arguments: the folder of modules and a folder of captures.

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, folder] = process.argv.slice(2);
const resolve = createRequire(`${modules}/`).resolve;
const { default: Anthropic } = await import(pathToFileURL(resolve("@anthropic-ai/sdk")));

async function message(capture) {
  const headers = { "content-type": "text/event-stream" };
  const fetch = async () => new Response(capture, { status: 200, headers });
  const client = new Anthropic({ apiKey: "unused", baseURL: "http://localhost", maxRetries: 0, fetch });
  const messages = [{ role: "user", content: "hello" }];
  try {
    return await client.beta.messages.stream({ model: "claude-sonnet-5-5", max_tokens: 64, messages }).finalMessage();
  } catch (error) {
    return error.constructor.name;
  }
}

const report = {};
for (const file of readdirSync(folder).filter((name) => name.endsWith(".sse")).sort()) {
  report[file.slice(0, -".sse".length)] = await message(readFileSync(join(folder, file)));
}
console.log(JSON.stringify(report));
