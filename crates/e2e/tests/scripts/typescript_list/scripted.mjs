// What is said by the script of the server, in this order: tool runners, structured output, blocks of other kinds.

import { same, say } from "./calls.mjs";

const WEATHER = {
  type: "object",
  properties: { city: { type: "string" }, degrees: { type: "integer" } },
  required: ["city", "degrees"],
  additionalProperties: false,
};
const CITY = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

export async function toolRunner(calls, client, { betaTool }) {
  calls.about("tool runner");
  const tool = betaTool({
    name: "get_weather",
    description: "Says what the weather is.",
    inputSchema: CITY,
    run({ city }) {
      if (city === "Atlantis") throw new Error("there is no such city");
      return `sunny in ${city}`;
    },
  });
  const runner = (more) =>
    client.beta.messages.toolRunner({ ...say("How is the weather in Oslo?"), tools: [tool], ...more });
  const text = (message) => message.content[0].text;

  await calls.expect("runUntilDone", () => runner().runUntilDone(), (m) => text(m) === "It is sunny.");
  const streamed = async () => {
    const reasons = [];
    for await (const stream of runner({ stream: true })) reasons.push((await stream.finalMessage()).stop_reason);
    return reasons;
  };
  await calls.expect("stream", streamed, (reasons) => same(reasons, ["tool_use", "end_turn"]));
  const failing = [];
  const fail = async () => {
    const runs = runner();
    for await (const message of runs) {
      if (message.stop_reason !== "tool_use") return text(message);
      failing.push(...(await runs.generateToolResponse()).content);
    }
    return undefined;
  };
  await calls.expect("a tool that fails", fail, (said) => said === "Nobody knows.");
  calls.check("is_error", same(failing.map((result) => result.is_error), [true]), failing);
  const once = async () => {
    const reasons = [];
    for await (const message of runner({ max_iterations: 1 })) reasons.push(message.stop_reason);
    return reasons;
  };
  await calls.expect("max_iterations", once, (reasons) => same(reasons, ["tool_use"]));
}

export async function structuredOutput(calls, client, { jsonSchemaOutputFormat, betaJSONSchemaOutputFormat }) {
  calls.about("structured output");
  const asked = (format) => say("The weather in Oslo?", { output_config: { format } });
  const oslo = (message) => same(message.parsed_output, { city: "Oslo", degrees: 7 });
  const format = jsonSchemaOutputFormat(WEATHER);
  await calls.expect("messages.parse", () => client.messages.parse(asked(format)), oslo);
  await calls.expect("messages.stream", () => client.messages.stream(asked(format)).finalMessage(), oslo);
  const beta = betaJSONSchemaOutputFormat(WEATHER);
  await calls.expect("beta.messages.parse", () => client.beta.messages.parse(asked(beta)), oslo);
}

export async function blocks(calls, client) {
  const expected = {
    "thinking and citations": ({ content: [thinking, text] }) =>
      thinking.signature === "EqQB" &&
      text.citations[0].cited_text === "Oslo" &&
      text.citations[0].document_title === "Norway",
    refusal: (message) => message.stop_reason === "refusal" && message.content[0].text === "No.",
    "tool use": (message) =>
      message.stop_reason === "tool_use" && same(message.content.at(-1).input, { city: "Oslo" }),
  };
  calls.about("messages");
  for (const [name, right] of Object.entries(expected)) {
    await calls.expect(name, () => client.messages.create(say("hello")), right);
  }
  calls.about("streams");
  for (const [name, right] of Object.entries(expected)) {
    await calls.expect(name, () => client.messages.stream(say("hello")).finalMessage(), right);
  }
}
