// Drives a server with the official TypeScript SDK and reports in JSON what the SDK understood.
// Arguments: the folder of modules, the base URL and a valid key.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, baseURL, apiKey] = process.argv.slice(2);
const resolve = createRequire(`${modules}/`).resolve;
const { default: Anthropic } = await import(pathToFileURL(resolve("@anthropic-ai/sdk")));

const model = "claude-sonnet-5-5";
const say = (text) => ({ model, max_tokens: 64, messages: [{ role: "user", content: text }] });
const settings = { baseURL, apiKey, maxRetries: 0 };

async function created(client) {
  const { data: message, request_id } = await client.messages.create(say("good morning")).withResponse();
  return {
    type: message.type,
    role: message.role,
    model: message.model,
    text: message.content[0].text,
    stop_reason: message.stop_reason,
    input_tokens: message.usage.input_tokens,
    output_tokens: message.usage.output_tokens,
    request_id,
  };
}

async function streamed(client) {
  const pieces = [];
  const stream = client.messages.stream(say("one two three")).on("text", (text) => pieces.push(text));
  const final = await stream.finalMessage();
  return {
    pieces: pieces.length,
    text: pieces.join(""),
    final: final.content[0].text,
    stop_reason: final.stop_reason,
    output_tokens: final.usage.output_tokens,
  };
}

async function refused(apiKey, request) {
  try {
    await new Anthropic({ ...settings, apiKey }).messages.create(request);
  } catch (error) {
    return {
      class: error.constructor.name,
      status: error.status,
      type: error.error.error.type,
      request_id: error.requestID,
    };
  }
  return null;
}

const client = new Anthropic(settings);
const older = new Anthropic({
  ...settings,
  apiKey: "unused",
  defaultHeaders: { "anthropic-version": "2023-06-01", "x-api-key": apiKey, authorization: null },
});
const models = [];
for await (const found of client.models.list({ limit: 3 })) models.push(found.id);

const report = {
  created: await created(client),
  streamed: await streamed(client),
  models,
  model: (await client.models.retrieve(model)).id,
  input_tokens: (await client.messages.countTokens({ model, messages: say("good morning").messages })).input_tokens,
  older: (await created(older)).text,
  wrong_key: await refused("sk-ant-api03-wrong", say("hello")),
  unknown_model: await refused(apiKey, { ...say("hello"), model: "claude-nobody" }),
  no_messages: await refused(apiKey, { ...say("hello"), messages: [] }),
};
console.log(JSON.stringify(report));
