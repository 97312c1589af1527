//! Runs of tools against a server that says what a script tells it.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use claude_sdk::{
    Client,
    stream::Event,
    tools::{RunError, RunEvent, ToolError, ToolHandler, ToolRunner},
    types::{Content, ContentBlockParam, Role, Tool},
};
use futures_util::future::poll_immediate;
use mock_server::{Fault, MockServer, Reply};
use serde_json::{Value, json};
use tokio::sync::{Barrier, Semaphore};

use crate::rig::{client, held, hello};

/// What a test's tool does with a call.
type Act = fn(&str) -> Result<Content, ToolError>;

#[derive(Debug)]
struct Scripted(&'static str, Act);

#[async_trait]
impl ToolHandler for Scripted {
    fn tool(&self) -> Tool {
        Tool::new(self.0, json!({"type": "object"}))
    }

    async fn call(&self, input: Value) -> Result<Content, ToolError> {
        (self.1)(input["word"].as_str().unwrap_or_default())
    }
}

fn echo() -> Scripted {
    Scripted("echo", |word| Ok(word.into()))
}

async fn script(replies: impl IntoIterator<Item = Reply>) -> (MockServer, Client) {
    let server = held().script(replies).start().await.unwrap();
    let client = client(&server).0.max_retries(0).build().unwrap();
    (server, client)
}

fn call(id: &str, name: &str, input: &Value) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": input})
}

/// The messages of the request with this number.
fn sent(server: &MockServer, number: usize) -> Value {
    let body: Value = serde_json::from_slice(&server.journal()[number].body).unwrap();
    body["messages"].clone()
}

/// The answers of the last message of a run.
fn answers(runner: &ToolRunner) -> Vec<Value> {
    let answers = runner.conversation().iter().rev().find(|message| message.role == Role::User).unwrap();
    serde_json::to_value(&answers.content).unwrap().as_array().unwrap().clone()
}

#[tokio::test]
async fn calls_are_answered_until_the_model_is_done() {
    let calls = [call("t1", "echo", &json!({"word": "one"})), call("t2", "echo", &json!({"word": "two"}))];
    let (server, client) = script([Reply::message(calls), Reply::text("done")]).await;
    let mut runner = client.messages().tool_runner(hello()).tool(echo());

    assert_eq!(runner.finish().await.unwrap().text(), "done");
    assert_eq!(runner.turns(), 2);
    assert!(runner.next().await.is_none(), "a run that is done stays done");
    assert_eq!(runner.finish().await.unwrap().text(), "done");

    let messages = sent(&server, 1);
    assert_eq!(messages.as_array().unwrap().len(), 3);
    assert_eq!(messages[1]["content"][1]["id"], "t2");
    let answered = json!({"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "t1", "content": "one"},
        {"type": "tool_result", "tool_use_id": "t2", "content": "two"},
    ]});
    assert_eq!(messages[2], answered);
    let body: Value = serde_json::from_slice(&server.journal()[0].body).unwrap();
    assert_eq!(body["tools"], json!([{"name": "echo", "input_schema": {"type": "object"}}]));
    assert_eq!(runner.into_request().messages.len(), 4);
}

/// A tool whose calls wait for each other.
#[derive(Debug)]
struct Together(Barrier);

#[async_trait]
impl ToolHandler for Together {
    fn tool(&self) -> Tool {
        Tool::new("together", json!({"type": "object"}))
    }

    async fn call(&self, input: Value) -> Result<Content, ToolError> {
        let number = input["number"].as_u64().unwrap();
        self.0.wait().await;
        for _ in number..3 {
            tokio::task::yield_now().await; // the later calls are done first
        }
        Ok(number.to_string().into())
    }
}

#[tokio::test]
async fn the_calls_of_a_turn_go_on_at_once_and_are_answered_in_their_order() {
    let calls = (0..3).map(|number| call(&format!("t{number}"), "together", &json!({"number": number})));
    let (_server, client) = script([Reply::message(calls), Reply::text("done")]).await;
    let mut runner = client.messages().tool_runner(hello()).tool(Together(Barrier::new(3)));
    runner.finish().await.unwrap();
    let contents: Vec<Value> = answers(&runner).iter().map(|answer| answer["content"].clone()).collect();
    assert_eq!(contents, ["0", "1", "2"]);
}

#[tokio::test]
async fn whatever_goes_wrong_in_a_tool_is_told_to_the_model() {
    let fails = Scripted("fails", |_| Err(std::io::Error::other("the disk is full").into()));
    let panics = Scripted("panics", |_| panic!("canary"));
    let calls = [
        call("t1", "nobody", &json!({})),
        call("t2", "fails", &json!({})),
        call("t3", "panics", &json!({})),
        call("t4", "echo", &json!(["no object"])),
        call("t5", "echo", &json!({"word": "fine"})),
    ];
    let (server, client) = script([]).await;
    // The service would not take back the call without an object, and so neither does the server.
    for reply in [Reply::message(calls), Reply::text("I see.")] {
        server.inject(Fault::answer(reply));
    }
    let mut runner = client.messages().tool_runner(hello()).tool(echo()).tool(fails).tool(panics);
    assert_eq!(runner.finish().await.unwrap().text(), "I see.");

    let answers = answers(&runner);
    let parts = [
        "there is no tool \"nobody\"; there are: echo, fails, panics",
        "the disk is full",
        "broke down",
        "JSON object",
    ];
    for (answer, part) in answers.iter().zip(parts) {
        assert_eq!(answer["is_error"], true, "{answer}");
        assert!(answer["content"].as_str().unwrap().contains(part), "{answer}");
    }
    assert!(!answers[2].to_string().contains("canary"));
    assert_eq!(answers[4], json!({"type": "tool_result", "tool_use_id": "t5", "content": "fine"}));
}

#[tokio::test]
async fn a_paused_turn_goes_on_with_the_reply_sent_back() {
    let paused = Reply::text("Let me see").stop_reason("pause_turn");
    let compacted = Reply::text("In short").stop_reason("compaction");
    let (server, client) = script([paused, compacted, Reply::text("done")]).await;
    let mut runner = client.messages().tool_runner(hello());
    assert_eq!(runner.finish().await.unwrap().text(), "done");
    let messages = sent(&server, 2);
    let roles: Vec<&str> = messages.as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "assistant"]);
}

#[tokio::test]
async fn a_call_that_was_cut_off_is_not_carried_out() {
    let cut = Reply::tool_use("echo", json!({"word": "x"})).stop_reason("max_tokens");
    let (_server, client) = script([cut]).await;
    let mut runner =
        client.messages().tool_runner(hello()).tool(Scripted("echo", |_| panic!("it was called")));
    runner.finish().await.unwrap();
    assert_eq!((runner.turns(), runner.conversation().len()), (1, 2));
}

#[tokio::test]
async fn a_limit_on_turns_ends_the_run_with_the_conversation_whole_and_may_be_raised() {
    let again = || Reply::tool_use("echo", json!({"word": "again"}));
    let (server, client) = script([again(), again(), Reply::text("done")]).await;
    let mut runner = client.messages().tool_runner(hello()).tool(echo()).max_turns(2);
    let error = runner.finish().await.unwrap_err();
    assert!(matches!(error, RunError::TurnLimit { turns: 2 }), "{error}");
    assert!(error.to_string().contains("allow_turns"));
    assert_eq!(runner.conversation().len(), 5, "the last calls are answered");
    assert_eq!(server.journal_len(), 2);

    runner.allow_turns(1);
    assert_eq!(runner.finish().await.unwrap().text(), "done");
}

#[tokio::test]
async fn a_call_that_fails_leaves_the_conversation_to_go_on_with() {
    let overloaded = Reply::error(http::StatusCode::from_u16(529).unwrap(), "overloaded_error", "later");
    let calls = Reply::tool_use("echo", json!({"word": "x"}));
    let (server, client) = script([calls, overloaded, Reply::text("done")]).await;
    let mut runner = client.messages().tool_runner(hello()).tool(echo());
    let error = runner.finish().await.unwrap_err();
    assert!(matches!(&error, RunError::Call(error) if error.is_retryable()), "{error:?}");
    assert_eq!(runner.conversation().len(), 3);
    assert_eq!(runner.finish().await.unwrap().text(), "done");
    assert_eq!(sent(&server, 1), sent(&server, 2));
}

#[tokio::test]
async fn each_reply_is_shown_as_it_is_written() {
    let calls = Reply::message([
        json!({"type": "text", "text": "I will look that up"}),
        call("t1", "echo", &json!({"word": "found"})),
    ]);
    let (server, client) = script([calls, Reply::text("It is found")]).await;
    let mut runner = client.messages().tool_runner(hello()).tool(echo());
    let (mut text, mut whole, mut results) = (String::new(), 0, Vec::new());
    while let Some(event) = runner.next_event().await {
        match event.unwrap() {
            RunEvent::Stream(event) => text.push_str(event.text().unwrap_or_default()),
            RunEvent::Message(message) => whole += usize::from(message.request_id().is_some()),
            RunEvent::Results(answers) => results.extend(answers),
            _ => {}
        }
    }
    assert_eq!(text, "I will look that upIt is found");
    assert_eq!(whole, 2);
    assert!(matches!(&results[..], [ContentBlockParam::ToolResult(answer)] if answer.tool_use_id == "t1"));
    assert_eq!(sent(&server, 1)[2]["content"][0]["content"], "found");
    assert_eq!(runner.finish().await.unwrap().text(), "It is found");
}

#[tokio::test]
async fn a_stream_that_broke_off_is_asked_for_again_and_the_ways_may_be_mixed() {
    let calls = Reply::tool_use("echo", json!({"word": "x"}));
    let (server, client) =
        script([Reply::text("broken off").truncate_after(300), calls, Reply::text("done well")]).await;
    let mut runner = client.messages().tool_runner(hello()).tool(echo());
    let error = loop {
        match runner.next_event().await.unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, RunError::Call(claude_sdk::Error::Stream(_))), "{error:?}");
    assert_eq!((runner.turns(), runner.conversation().len()), (0, 1));

    // The reply is begun as a stream and read to its end as a whole.
    assert!(matches!(runner.next_event().await.unwrap().unwrap(), RunEvent::Stream(_)));
    assert_eq!(runner.next().await.unwrap().unwrap().tool_uses().count(), 1);
    assert_eq!(runner.finish().await.unwrap().text(), "done well");
    assert_eq!(server.journal_len(), 3);
}

/// A tool that counts its calls and then waits to be let on.
#[derive(Debug)]
struct Slow {
    name: &'static str,
    begun: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
}

#[async_trait]
impl ToolHandler for Slow {
    fn tool(&self) -> Tool {
        Tool::new(self.name, json!({"type": "object"}))
    }

    async fn call(&self, _input: Value) -> Result<Content, ToolError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        match self.go.acquire().await {
            Ok(permit) => permit.forget(),
            Err(_) => pending().await,
        }
        Ok("done".into())
    }
}

#[tokio::test]
async fn a_run_that_is_dropped_in_the_middle_goes_on_and_begins_no_call_twice() {
    let calls = [call("t1", "quick", &json!({})), call("t2", "slow", &json!({}))];
    let (_server, client) = script([Reply::message(calls), Reply::text("done")]).await;
    let (first, second) = (slow("quick", 1), slow("slow", 0));
    let (quick, begun, go) = (Arc::clone(&first.begun), Arc::clone(&second.begun), Arc::clone(&second.go));
    let mut runner = client.messages().tool_runner(hello()).tool(first).tool(second);
    runner.next().await.unwrap().unwrap();

    assert!(poll_immediate(runner.next()).await.is_none(), "the slow call is not done");
    assert_eq!((quick.load(Ordering::SeqCst), begun.load(Ordering::SeqCst)), (1, 1));
    go.add_permits(1);
    assert_eq!(runner.finish().await.unwrap().text(), "done");
    assert_eq!((quick.load(Ordering::SeqCst), begun.load(Ordering::SeqCst)), (1, 1));
}

fn slow(name: &'static str, permits: usize) -> Slow {
    Slow { name, begun: Arc::default(), go: Arc::new(Semaphore::new(permits)) }
}

#[tokio::test]
async fn an_eager_run_begins_a_call_as_soon_as_it_is_written() {
    let reply = || {
        Reply::message([
            call("t1", "slow", &json!({})),
            call("t2", "nobody", &json!({})),
            json!({"type": "text", "text": "and so on"}),
        ])
        .stop_reason("tool_use")
    };
    for eager in [false, true] {
        let (server, client) = script([reply(), Reply::text("done")]).await;
        let tool = slow("slow", 1);
        let begun = Arc::clone(&tool.begun);
        let mut runner = client.messages().tool_runner(hello()).tool(tool);
        if eager {
            runner = runner.eager();
        }
        let (mut stopped, mut results) = (Vec::new(), Vec::new());
        while let Some(event) = runner.next_event().await {
            match event.unwrap() {
                RunEvent::Stream(Event::ContentBlockStop { .. }) => {
                    stopped.push(begun.load(Ordering::SeqCst));
                }
                RunEvent::Results(answers) => results.extend(answers),
                _ => {}
            }
        }
        // The three blocks of the first reply, and the one of the second.
        let early = usize::from(eager);
        assert_eq!(stopped, [early, early, early, 1]);
        assert_eq!(begun.load(Ordering::SeqCst), 1, "it is called once");
        let answers = serde_json::to_value(&results).unwrap();
        assert_eq!(answers[0], json!({"type": "tool_result", "tool_use_id": "t1", "content": "done"}));
        assert_eq!((&answers[1]["tool_use_id"], &answers[1]["is_error"]), (&json!("t2"), &json!(true)));
        assert_eq!(sent(&server, 1)[2]["content"], answers);
    }
}

#[tokio::test]
async fn an_eager_run_keeps_its_limit_and_wants_no_answers_of_a_reply_that_is_cut() {
    let again = || Reply::tool_use("slow", json!({}));
    let (server, client) = script([again(), again().stop_reason("max_tokens")]).await;
    let tool = slow("slow", 2);
    let begun = Arc::clone(&tool.begun);
    let mut runner = client.messages().tool_runner(hello()).tool(tool).eager().max_turns(1);
    assert!(matches!(runner.finish().await, Err(RunError::TurnLimit { turns: 1 })));
    assert_eq!((begun.load(Ordering::SeqCst), runner.conversation().len(), server.journal_len()), (1, 3, 1));
    runner.allow_turns(1);
    runner.finish().await.unwrap();
    assert_eq!((begun.load(Ordering::SeqCst), runner.conversation().len()), (2, 4));
    assert!(sent(&server, 1).as_array().unwrap().len() == 3 && runner.next().await.is_none());
    let body: Value = serde_json::from_slice(&server.journal()[1].body).unwrap();
    assert_eq!(body["stream"], true);
}

#[tokio::test]
async fn calls_that_began_in_a_reply_that_broke_off_are_dropped_and_made_again() {
    let calls = || Reply::message([call("t1", "slow", &json!({})), json!({"type": "text", "text": "on"})]);
    let whole = calls().stop_reason("tool_use");
    let (_server, client) = script([calls().truncate_after(1170), whole, Reply::text("done")]).await;
    let tool = slow("slow", 0);
    let (begun, go) = (Arc::clone(&tool.begun), Arc::clone(&tool.go));
    let mut runner = client.messages().tool_runner(hello()).tool(tool).eager();
    assert!(matches!(runner.next().await, Some(Err(RunError::Call(claude_sdk::Error::Stream(_))))));
    assert_eq!((begun.load(Ordering::SeqCst), runner.turns()), (1, 0));
    go.add_permits(1);
    assert_eq!(runner.finish().await.unwrap().text(), "done");
    assert_eq!((begun.load(Ordering::SeqCst), runner.turns()), (2, 2));
}

/// A browser that goes where it is told.
#[derive(Debug)]
struct Browser;

#[async_trait]
impl ToolHandler for Browser {
    fn tool(&self) -> Tool {
        Tool::browser_toolset()
    }

    async fn call(&self, _input: Value) -> Result<Content, ToolError> {
        Err(ToolError::new("a set is not called as a whole"))
    }

    async fn call_member(&self, name: &str, input: Value) -> Result<Content, ToolError> {
        match name {
            "navigate" => Ok(format!("at {}", input["url"].as_str().unwrap_or_default()).into()),
            _ => Err(ToolError::new(format!("no {name} here"))),
        }
    }
}

#[tokio::test]
async fn the_calls_of_a_set_of_tools_go_to_its_handler_by_their_names() {
    #[derive(Debug)]
    struct Screen;

    #[async_trait]
    impl ToolHandler for Screen {
        fn tool(&self) -> Tool {
            Tool::computer_toolset()
        }

        async fn call(&self, _input: Value) -> Result<Content, ToolError> {
            Ok("called as a whole".into())
        }
    }

    let of = |set: &str, id: &str, name: &str| json!({"type": "tool_use", "id": id, "name": name, "toolset_name": set, "input": {"url": "https://a.example"}});
    let calls = [
        of("browser", "t1", "navigate"),
        of("browser", "t2", "dance"),
        of("computer", "t3", "screenshot"),
        of("kitchen", "t4", "navigate"),
        call("t5", "browser", &json!({})),
    ];
    let (server, client) = script([Reply::message(calls), Reply::text("done")]).await;
    let mut runner = client.messages().tool_runner(hello()).tool(Browser).tool(Screen).tool(Browser);
    runner.finish().await.unwrap();
    let body: Value = serde_json::from_slice(&server.journal()[0].body).unwrap();
    let offered = json!([{"type": "computer_toolset_20260801"}, {"type": "browser_toolset_20260801"}]);
    assert_eq!(body["tools"], offered);
    let answers = answers(&runner);
    assert_eq!(
        answers[0],
        json!({"type": "tool_result", "tool_use_id": "t1", "content": "at https://a.example", "toolset_name": "browser"})
    );
    let failed = [("browser", "no dance"), ("computer", "not carried out"), ("kitchen", "there is no tool")];
    for (answer, (set, part)) in answers[1..].iter().zip(failed) {
        assert_eq!((&answer["is_error"], &answer["toolset_name"]), (&json!(true), &json!(set)), "{answer}");
        assert!(answer["content"].as_str().unwrap().contains(part), "{answer}");
    }
    assert!(answers[4].get("toolset_name").is_none() && answers[4]["is_error"] == true, "{}", answers[4]);
}

#[cfg(feature = "macros")]
mod typed {
    use claude_sdk::{
        schemars::{self, JsonSchema},
        tools::{ToolError, ToolHandler, function, tool},
        types::Content,
    };
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Unit {
        Celsius,
        Fahrenheit,
    }

    /// Says how warm it is.
    ///
    /// Ask for one city at a time.
    #[tool]
    async fn how_warm(
        /// The city, in English.
        city: String,
        unit: Option<Unit>,
        #[serde(default)] days: Vec<u8>,
    ) -> Result<String, std::num::ParseIntError> {
        let degrees: i32 = city.parse()?;
        let unit = unit.unwrap_or(Unit::Celsius);
        Ok(format!("{degrees} {unit:?} {}", days.len()))
    }

    /// Says hello.
    #[tool(name = "greet")]
    async fn hello() -> &'static str {
        "hello"
    }

    #[tokio::test]
    async fn a_function_is_a_tool_with_its_documentation_and_its_schema() {
        let described = serde_json::to_value(HowWarm.tool()).unwrap();
        assert_eq!(described["name"], "how_warm");
        assert_eq!(described["description"], "Says how warm it is.\n\nAsk for one city at a time.");
        let schema = &described["input_schema"];
        assert_eq!(schema["type"], "object");
        assert_eq!(schema["required"], json!(["city"]));
        assert_eq!(
            schema["properties"]["city"],
            json!({"type": "string", "description": "The city, in English."})
        );
        assert!(schema.get("title").is_none());

        let input = json!({"city": "21", "unit": "fahrenheit", "days": [1, 2]});
        assert_eq!(HowWarm.call(input).await.unwrap(), Content::from("21 Fahrenheit 2"));
        assert_eq!(how_warm("3".to_owned(), None, Vec::new()).await.unwrap(), "3 Celsius 0");
        assert_eq!((Hello.tool().name(), Hello.call(json!({})).await.unwrap()), ("greet", "hello".into()));
    }

    #[tokio::test]
    async fn wrong_arguments_are_told_with_their_path() {
        let table = [
            (json!({}), "missing field `city`"),
            (
                json!({"city": 3}),
                "the argument `city` is wrong: invalid type: integer `3`, expected a string",
            ),
            (json!({"city": "1", "days": [1, "x"]}), "the argument `days[1]` is wrong"),
            (
                json!({"city": "1", "unit": "kelvin"}),
                "the argument `unit` is wrong: unknown variant `kelvin`",
            ),
            (json!({"city": "x"}), "invalid digit found in string"),
        ];
        for (input, part) in table {
            let error = HowWarm.call(input).await.unwrap_err();
            assert!(error.content().text().contains(part), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_closure_is_a_tool() {
        #[derive(Deserialize, JsonSchema)]
        struct Pair {
            left: i64,
            right: i64,
        }
        let add = function("add", "Adds two numbers.", |pair: Pair| async move {
            let sum = pair.left.checked_add(pair.right).ok_or_else(|| ToolError::new("too large"))?;
            Ok::<_, ToolError>(json!({"sum": sum}))
        });
        assert_eq!(add.tool().description.as_deref(), Some("Adds two numbers."));
        assert_eq!(add.call(json!({"left": 2, "right": 3})).await.unwrap(), Content::from("{\"sum\":5}"));
        let error = add.call(json!({"left": i64::MAX, "right": 1})).await.unwrap_err();
        assert_eq!(error.content().text(), "too large");
    }
}
