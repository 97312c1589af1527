"""What is said by the script of the server, in this order: tool runners, structured output, blocks of other kinds."""

import pydantic
from anthropic import beta_tool

from calls import say
from messages import stream


class Weather(pydantic.BaseModel):
    city: str
    degrees: int


@beta_tool
def get_weather(city: str) -> str:
    """Says what the weather is.

    Args:
        city: Where.
    """
    if city == "Atlantis":
        raise ValueError("there is no such city")
    return f"sunny in {city}"


def tool_runner(calls, client):
    calls.about("tool runner")

    def runner(**more):
        return client.beta.messages.tool_runner(tools=[get_weather], **say("How is the weather in Oslo?"), **more)

    def text(message):
        return message.content[0].text

    calls.expect("until_done", lambda: runner().until_done(), lambda m: text(m) == "It is sunny.")
    streamed = lambda: [stream.get_final_message().stop_reason for stream in runner(stream=True)]
    calls.expect("stream", streamed, lambda reasons: reasons == ["tool_use", "end_turn"])
    failing = []

    def fail():
        runs = runner()
        for message in runs:
            if message.stop_reason == "tool_use":
                failing.extend(runs.generate_tool_call_response()["content"])
            else:
                return text(message)

    calls.expect("a tool that fails", fail, lambda t: t == "Nobody knows.")
    calls.check("is_error", [result.get("is_error") for result in failing] == [True], failing)
    once = lambda: [message.stop_reason for message in runner(max_iterations=1)]
    calls.expect("max_iterations", once, lambda reasons: reasons == ["tool_use"])


def structured_output(calls, client):
    calls.about("structured output")
    oslo = Weather(city="Oslo", degrees=7)
    asked = {**say("The weather in Oslo?"), "output_format": Weather}
    calls.expect("messages.parse", lambda: client.messages.parse(**asked), lambda m: m.parsed_output == oslo)
    calls.expect("messages.stream", lambda: stream(client, asked), lambda m: m.parsed_output == oslo)
    calls.expect("beta.messages.parse", lambda: client.beta.messages.parse(**asked), lambda m: m.parsed_output == oslo)


def blocks(calls, client):
    def cited(message):
        thinking, text = message.content
        citation = text.citations[0]
        return (thinking.signature, citation.cited_text, citation.document_title) == ("EqQB", "Oslo", "Norway")

    def refused(message):
        return (message.stop_reason, message.content[0].text) == ("refusal", "No.")

    def used(message):
        return (message.stop_reason, message.content[-1].input) == ("tool_use", {"city": "Oslo"})

    expected = {"thinking and citations": cited, "refusal": refused, "tool use": used}
    calls.about("messages")
    for name, right in expected.items():
        calls.expect(name, lambda: client.messages.create(**say("hello")), right)
    calls.about("streams")
    for name, right in expected.items():
        calls.expect(name, lambda: stream(client, say("hello")), right)
