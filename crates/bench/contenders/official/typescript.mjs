// The official TypeScript SDK as a contender: `node typescript.mjs MODULES TASK`.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, text] = process.argv.slice(-2);
const { Anthropic } = createRequire(modules + "/")("@anthropic-ai/sdk");
const task = JSON.parse(text);

const client = new Anthropic({ apiKey: `sk-ant-api03-${"bench-".repeat(15)}bench`, baseURL: task.url });
const request = {
  model: "claude-sonnet-5-5",
  max_tokens: 1024,
  messages: [{ role: "user", content: "Why is the sky blue? Answer in two sentences." }],
};

const call = async () => Buffer.byteLength((await client.messages.create(request)).content[0].text);
const open = () => client.messages.create({ ...request, stream: true });
const textOf = (event) =>
  event.type === "content_block_delta" && event.delta.type === "text_delta" ? Buffer.byteLength(event.delta.text) : 0;
const resident = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;

function meter() {
  const [cpu, wall] = [process.cpuUsage(), process.hrtime.bigint()];
  return (done, more) => {
    const used = process.cpuUsage(cpu);
    const cpu_ns = (used.user + used.system) * 1000;
    return { done, cpu_ns, wall_ns: Number(process.hrtime.bigint() - wall), ...more };
  };
}

async function again(count, work) {
  let done = 0;
  for (let i = 0; i < count; i++) done += await work();
  return done;
}

async function calls() {
  await again(task.warm_up, call);
  const report = meter();
  return report(await again(task.count, call));
}

async function crowd() {
  const took = [];
  const timed = async () => {
    const start = process.hrtime.bigint();
    const done = await call();
    took.push(Number(process.hrtime.bigint() - start));
    return done;
  };
  const all = async (count, work) => {
    const share = Math.ceil(count / task.in_flight);
    const ended = await Promise.all(Array.from({ length: task.in_flight }, () => again(share, work)));
    return ended.reduce((sum, done) => sum + done, 0);
  };
  await all(task.warm_up, call);
  const report = meter();
  const done = await all(task.count, timed);
  took.sort((a, b) => a - b);
  return report(done, { p99_ns: took[Math.floor((took.length * 99) / 100)] });
}

async function streams() {
  const read = async () => {
    let done = 0;
    for await (const event of await open()) done += textOf(event);
    return done;
  };
  await again(task.warm_up, read);
  const report = meter();
  return report(await again(task.count, read));
}

async function idle() {
  const kept = [];
  const openOne = async () => {
    const stream = await open();
    const events = stream[Symbol.asyncIterator]();
    await events.next();
    kept.push(stream, events);
    return 1;
  };
  await again(task.warm_up, openOne);
  const report = meter();
  const before = resident();
  await again(task.count, openOne);
  return report(task.count, { resident: Math.max(resident() - before, 0) });
}

// Calls, more than a limit lets through, with the retries the SDK makes by itself; those that fail are counted.
async function limited() {
  console.log("ready");
  readFileSync(0);
  const over = task.work.limited.over_ms;
  const ended = { done: 0, failed: 0 };
  const pause = (ms) => new Promise((go) => setTimeout(go, Math.max(ms, 0)));
  const one = () => call().then(() => ended.done++, () => ended.failed++);
  const report = meter();
  if (over === 0) {
    let left = task.count;
    const caller = async () => {
      while (left-- > 0) await one();
    };
    await Promise.all(Array.from({ length: task.in_flight }, caller));
  } else {
    const [start, all] = [performance.now(), []];
    for (let number = 0; number < task.count; number++) {
      await pause(start + (over * number) / task.count - performance.now());
      if (performance.now() > start + over) break;
      all.push(one());
    }
    await Promise.race([Promise.all(all), pause(start + over - performance.now())]);
  }
  return report(ended.done, { failed: ended.failed });
}

const work = task.work.limited ? limited : { calls, crowd, streams, idle }[task.work];
console.log(JSON.stringify(await work()));
process.exit(0);
