// Messages: whole, as streams, and counted.

import { all, say } from "./calls.mjs";

const TOOL = { name: "t", input_schema: { type: "object" } };
const TEXTS = [
  { type: "text", text: "a" },
  { type: "text", text: "b" },
];
const IMAGE = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } };
const ROWS = {
  "system text": { system: "be brief" },
  "system blocks": { system: [{ type: "text", text: "be brief", cache_control: { type: "ephemeral" } }] },
  "stop sequence": { stop_sequences: ["You"] },
  metadata: { metadata: { user_id: "u-1" } },
  tool: { tools: [TOOL] },
  "tool choice": { tools: [TOOL], tool_choice: { type: "any" } },
  thinking: { thinking: { type: "enabled", budget_tokens: 1024 }, max_tokens: 2048 },
  blocks: { messages: [{ role: "user", content: TEXTS }] },
  turns: {
    messages: [
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
      { role: "user", content: "c" },
    ],
  },
  image: { messages: [{ role: "user", content: [IMAGE, TEXTS[0]] }] },
  "tool result": {
    messages: [
      { role: "user", content: "a" },
      { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "t", input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: "x" }] },
    ],
  },
  "system role": {
    messages: [
      { role: "user", content: "a" },
      { role: "system", content: "b" },
    ],
  },
};

/** What any whole message has. */
const whole = (message) =>
  message.type === "message" &&
  message.role === "assistant" &&
  message.id.startsWith("msg_") &&
  message.content.length > 0 &&
  message.usage.input_tokens > 0;

export async function messages(calls, client) {
  calls.about("messages");
  await calls.expect("messages.create", () => client.messages.create(say("hi")), whole);
  for (const [name, more] of Object.entries(ROWS)) {
    const asked = say("hello", more);
    calls.about("messages");
    await calls.expect(`messages.create ${name}`, () => client.messages.create(asked), whole);
    calls.about("streams");
    await calls.expect(`messages.stream ${name}`, () => client.messages.stream(asked).finalMessage(), whole);
    calls.about("count_tokens");
    const { max_tokens, metadata, stop_sequences, ...counted } = asked;
    const count = () => client.messages.countTokens(counted);
    await calls.expect(`messages.countTokens ${name}`, count, (counted) => counted.input_tokens > 0);
  }
  calls.about("messages");
  const raw = () => client.messages.create(say("hi")).withResponse();
  const named = ({ data, response, request_id }) =>
    whole(data) && response.status === 200 && request_id.startsWith("req_");
  await calls.expect("withResponse", raw, named);
  const response = async () => (await client.messages.create(say("hi")).asResponse()).json();
  await calls.expect("asResponse", response, whole);
  const { BadRequestError, NotFoundError } = client.constructor;
  const empty = () => client.messages.create({ ...say(""), messages: [] });
  await calls.refused("messages.create without messages", empty, 400, BadRequestError);
  const nobody = { model: "claude-nobody" };
  await calls.refused("messages.create of nobody", () => client.messages.create(say("hi", nobody)), 404, NotFoundError);
  calls.about("count_tokens");
  const counted = () => client.messages.countTokens({ ...nobody, messages: say("a").messages });
  await calls.refused("count of nobody", counted, 404, NotFoundError);
  calls.about("streams");
  const events = async () => all(await client.messages.create(say("hi", { stream: true })));
  await calls.expect("events", events, (events) => events.length > 5 && events.at(-1).type === "message_stop");
  const heard = async () => {
    const texts = [];
    const stream = client.messages.stream(say("one two three")).on("text", (text) => texts.push(text));
    return { texts, final: await stream.finalText() };
  };
  await calls.expect("on text", heard, ({ texts, final }) => texts.length > 1 && texts.join("") === final);
  const iterated = async () => all(client.messages.stream(say("hi")));
  await calls.expect("iterator", iterated, (events) => events[0].type === "message_start");
  const aborted = async () => {
    const stream = client.messages.stream(say("one two three"));
    for await (const event of stream) if (event.type === "content_block_delta") stream.abort();
  };
  await calls.refused("abort", aborted, undefined, client.constructor.APIUserAbortError);
}
