"""The official Python SDK as a contender: `python -I python.py TASK`."""

import asyncio
import json
import os
import resource
import sys
import time

import anthropic

MODEL = "claude-sonnet-5-5"
PROMPT = "Why is the sky blue? Answer in two sentences."


class Peer:
    def __init__(self, url):
        self.client = anthropic.AsyncAnthropic(api_key="sk-ant-api03-" + "bench-" * 15 + "bench", base_url=url)
        self.request = {
            "model": MODEL,
            "max_tokens": 1024,
            "messages": [{"role": "user", "content": PROMPT}],
        }

    async def call(self):
        message = await self.client.messages.create(**self.request)
        return len(message.content[0].text.encode())

    async def open(self):
        return await self.client.messages.create(**self.request, stream=True)


def text_of(event):
    if event.type == "content_block_delta" and event.delta.type == "text_delta":
        return len(event.delta.text.encode())
    return 0


class Meter:
    def __init__(self):
        self.cpu, self.wall = time.process_time_ns(), time.monotonic_ns()

    def report(self, done, **more):
        cpu, wall = time.process_time_ns() - self.cpu, time.monotonic_ns() - self.wall
        return {"done": done, "cpu_ns": cpu, "wall_ns": wall, **more}


async def calls(task, peer):
    for _ in range(task["warm_up"]):
        await peer.call()
    meter, done = Meter(), 0
    for _ in range(task["count"]):
        done += await peer.call()
    return meter.report(done)


async def crowd(task, peer):
    callers = task["in_flight"]

    async def caller(count):
        done, took = 0, []
        for _ in range(count):
            start = time.monotonic_ns()
            done += await peer.call()
            took.append(time.monotonic_ns() - start)
        return done, took

    async def all_of(count):
        share = -(-count // callers)
        return await asyncio.gather(*(caller(share) for _ in range(callers)))

    await all_of(task["warm_up"])
    meter = Meter()
    ended = await all_of(task["count"])
    took = sorted(time for _, times in ended for time in times)
    return meter.report(sum(done for done, _ in ended), p99_ns=took[len(took) * 99 // 100])


async def streams(task, peer):
    async def read():
        return sum([text_of(event) async for event in await peer.open()])

    for _ in range(task["warm_up"]):
        await read()
    meter, done = Meter(), 0
    for _ in range(task["count"]):
        done += await read()
    return meter.report(done)


def resident():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


async def idle(task, peer):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    kept = []

    async def open_some(count):
        for _ in range(count):
            stream = await peer.open()
            await anext(aiter(stream))
            kept.append(stream)

    await open_some(task["warm_up"])
    meter, before = Meter(), resident()
    await open_some(task["count"])
    return meter.report(task["count"], resident=max(resident() - before, 0))


async def limited(task, peer):
    """Calls, more than a limit lets through, with the retries the SDK makes by itself; those that fail are counted."""
    print("ready", flush=True)
    sys.stdin.read()
    over, ended = task["work"]["limited"]["over_ms"] / 1000, {True: 0, False: 0}

    async def call():
        try:
            await peer.call()
            ended[True] += 1
        except anthropic.APIError:
            ended[False] += 1

    async def batch():
        left = iter(range(task["count"]))

        async def caller():
            for _ in left:
                await call()

        await asyncio.gather(*(caller() for _ in range(task["in_flight"])))

    async def offered():
        start, calls = time.monotonic(), []
        for number in range(task["count"]):
            await asyncio.sleep(max(start + over * number / task["count"] - time.monotonic(), 0))
            if time.monotonic() > start + over:
                break
            calls.append(asyncio.create_task(call()))
        await asyncio.wait(calls, timeout=max(start + over - time.monotonic(), 0))

    meter = Meter()
    await (offered() if over else batch())
    return meter.report(ended[True], failed=ended[False])


async def main():
    task = json.loads(sys.argv[-1])
    kinds = {"calls": calls, "crowd": crowd, "streams": streams, "idle": idle}
    work = limited if "limited" in task["work"] else kinds[task["work"]]
    print(json.dumps(await work(task, Peer(task["url"]))), flush=True)
    os._exit(0)  # calls that nobody waits for any longer end here


asyncio.run(main())
