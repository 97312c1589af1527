//! The calls, as a user of our SDK writes them.

use claude_sdk::RequestOptions;
use claude_sdk::types::{
    Beta, BillTo, BillingPolicy, BlockBinding, BrowserChange, BrowserStateBlock, BrowserTab, CacheControl,
    CallerKind, Citations, ClearAt, ClearInputs, CompactionConfig, ContainerConfig, ContainerSkill,
    ContainerUploadBlock, ContentBlockParam, ContextEdit, ContextManagement, CreditMode, DiagnosticsParam,
    DocumentBlock, Effort, Fallback, Fallbacks, ImageBlock, ImageTransformations, IssuedCredit, McpServer,
    McpToolConfiguration, McpToolsetReference, MemberConfig, MessageParam, MessageRequest, Model,
    OutputConfig, OversizedImage, PrefixMismatch, RequestedTier, ResponseInclusion, SearchResultBlock,
    Source, Speed, TabOpened, TaskBudget, TextBlock, Thinking, ThinkingDisplay, Thread, Threshold, Tool,
    ToolAdditionBlock, ToolChoice, ToolKind, ToolReferenceBlock, ToolRemovalBlock, ToolResultBlock,
    ToolUseBlock, Ttl, UrlSource, UrlSources, UserLocation,
};
use serde_json::{Value, json};

pub(super) const MODEL: Model = Model::CLAUDE_SONNET_5_5;

/// A call of `POST /v1/messages`.
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) options: RequestOptions,
    pub(super) request: MessageRequest,
}

fn call(name: &'static str, request: MessageRequest) -> Call {
    Call { name, options: RequestOptions::new(), request }
}

fn asking<const N: usize>(name: &'static str, betas: [Beta; N], request: MessageRequest) -> Call {
    let options = betas.into_iter().fold(RequestOptions::new(), RequestOptions::beta);
    Call { name, options, request }
}

fn of(max_tokens: u32) -> MessageRequest {
    MessageRequest::new(MODEL, max_tokens)
}

pub(super) fn say(text: &str) -> MessageRequest {
    of(64).user(text)
}

pub(super) fn hello() -> MessageRequest {
    say("hello")
}

fn blocks(blocks: Vec<ContentBlockParam>) -> MessageRequest {
    of(64).user(blocks)
}

fn document(block: DocumentBlock) -> MessageRequest {
    blocks(vec![block.into()])
}

fn tools<const N: usize>(tools: [Tool; N]) -> MessageRequest {
    tools.into_iter().fold(hello(), MessageRequest::tool)
}

fn assistant(blocks: Vec<ContentBlockParam>) -> MessageRequest {
    hello().assistant(blocks).user("hello")
}

/// A block that a program only ever has from a reply, so it reads it.
fn received(block: Value) -> ContentBlockParam {
    let block: ContentBlockParam = serde_json::from_value(block).unwrap();
    assert!(!matches!(block, ContentBlockParam::Unknown(_)), "{block:?}");
    block
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

pub(super) fn weather() -> Tool {
    Tool::new("weather", schema())
}

pub(super) fn counted() -> MessageRequest {
    hello()
        .tool(weather())
        .tool_choice(ToolChoice::any())
        .thinking(Thinking::adaptive())
        .cache_control(CacheControl::ephemeral())
        .effort(Effort::High)
        .speed(Speed::Fast)
        .service_tier(RequestedTier::Auto)
        .stop_sequence("not counted")
}

/// Two requests to be sent as a batch.
pub(super) fn batched() -> [MessageRequest; 2] {
    [hello().system("Be brief."), tools(web_tools())]
}

/// What is there for everybody.
pub(super) fn create() -> Vec<Call> {
    let ephemeral = CacheControl::ephemeral;
    let pdf = Source::base64("application/pdf", "JVBERi0=");
    vec![
        call("plain", hello()),
        call("turns", of(64).user("one").assistant("two").user("three")),
        call("prefill cache", of(0).user("hello")),
        call("unicode", say("h\u{e9}llo \u{2028} \u{1f600} \"quoted\" \\ \n")),
        call("system text", hello().system("Be brief.")),
        call(
            "system blocks",
            hello().system(ContentBlockParam::text("Be brief.").cache_control(ephemeral().ttl(Ttl::OneHour))),
        ),
        call(
            "system message",
            hello().assistant("hi").user("hello").message(MessageParam::system("In French.")),
        ),
        call("stop sequences", hello().stop_sequence("END").stop_sequence("###")),
        call("metadata", hello().metadata_user_id("u-1")),
        call("service tier", hello().service_tier(RequestedTier::StandardOnly)),
        call("speed", hello().speed(Speed::Fast)),
        call("inference geo", hello().inference_geo("eu")),
        call("top cache control", hello().cache_control(ephemeral())),
        call("container id", hello().container("container_1")),
        call(
            "container skills",
            hello().container(
                ContainerConfig::default()
                    .id("container_1")
                    .skill(ContainerSkill::anthropic("xlsx").version("latest"))
                    .skill(ContainerSkill::custom("skill_1")),
            ),
        ),
        call("diagnostics", hello().diagnostics(DiagnosticsParam::default().previous_message_id("msg_0"))),
        call("effort", hello().effort(Effort::XHigh)),
        call("json schema", hello().effort(Effort::Low).output_schema(schema())),
        call(
            "thinking adaptive",
            hello().thinking(Thinking::adaptive().display(ThinkingDisplay::Summarized)),
        ),
        call(
            "thinking enabled",
            of(4096).user("hello").thinking(Thinking::enabled(2048).display(ThinkingDisplay::Omitted)),
        ),
        call("thinking between tools", hello().thinking(Thinking::between_tools())),
        call("thinking disabled", hello().thinking(Thinking::disabled())),
        call(
            "image base64",
            blocks(vec![
                ContentBlockParam::image(Source::base64("image/png", "iVBORw0KGgo=")),
                ContentBlockParam::text("What is it?"),
            ]),
        ),
        call(
            "image url",
            blocks(vec![
                ImageBlock::new(Source::url("https://example.com/a.png"))
                    .transformations(ImageTransformations::default().oversized_image(OversizedImage::Error))
                    .cache_control(ephemeral())
                    .into(),
            ]),
        ),
        call("image file", blocks(vec![ContentBlockParam::image(Source::file("file_1"))])),
        call(
            "document pdf",
            document(DocumentBlock::new(pdf).title("T").context("C").citations(Citations::enabled())),
        ),
        call("document text", document(DocumentBlock::new(Source::text("words")))),
        call("document url", document(DocumentBlock::new(Source::url("https://example.com/a.pdf")))),
        call(
            "document file",
            document(DocumentBlock::new(Source::file("file_1")).cache_control(ephemeral())),
        ),
        call(
            "document content",
            document(DocumentBlock::new(Source::content(vec![
                ContentBlockParam::text("one"),
                ContentBlockParam::text("two"),
            ]))),
        ),
        call(
            "search result",
            blocks(vec![
                SearchResultBlock::new("https://example.com", "S", vec![ContentBlockParam::text("found")])
                    .citations(Citations::enabled())
                    .into(),
            ]),
        ),
        call("container upload", blocks(vec![ContainerUploadBlock::new("file_1").into()])),
        call("tool", tools([weather().description("The weather")])),
        call("tool in full", tools([whole_tool()])),
        call(
            "tool choice",
            tools([weather()]).tool_choice(ToolChoice::tool("weather").disable_parallel_tool_use(true)),
        ),
        call("tool choice none", tools([weather()]).tool_choice(ToolChoice::none())),
        call("web tools", tools(web_tools())),
        call(
            "local tools",
            tools([
                Tool::bash(),
                Tool::text_editor().max_characters(1000),
                Tool::memory(),
                Tool::code_execution(),
            ]),
        ),
        call(
            "older tools",
            tools([
                Tool::of(ToolKind::TextEditor20250124),
                Tool::of(ToolKind::CodeExecution20250825),
                Tool::of(ToolKind::WebSearch20250305),
            ]),
        ),
        call(
            "tool search",
            tools([Tool::tool_search_bm25(), Tool::tool_search_regex(), weather().defer_loading(true)]),
        ),
        call(
            "toolsets",
            tools([
                Tool::computer_toolset().config("zoom", MemberConfig::default().enabled(false)),
                Tool::browser_toolset().cache_control(ephemeral()),
            ]),
        ),
        call("tool results", tool_results()),
        call("browser state", browser_state()),
        call("citations", assistant(vec![received(cited())])),
        call("server results", assistant(server_results())),
    ]
}

fn whole_tool() -> Tool {
    let mut tool = weather()
        .strict(true)
        .defer_loading(true)
        .allowed_callers(vec![CallerKind::Direct, CallerKind::CodeExecution20260521])
        .input_examples(vec![json!({"city": "Ghent"})])
        .eager_input_streaming(true)
        .cache_control(CacheControl::ephemeral());
    tool.kind = Some(ToolKind::Custom);
    tool
}

fn web_tools() -> [Tool; 2] {
    let place = UserLocation::approximate().city("Ghent").country("BE").timezone("Europe/Brussels");
    let sources =
        UrlSources::default().user_input(UrlSource::all()).client_tool_results(UrlSource::only(["weather"]));
    [
        Tool::web_search()
            .max_uses(3)
            .allowed_domains(["example.com"])
            .response_inclusion(ResponseInclusion::Excluded)
            .user_location(place),
        Tool::web_fetch()
            .blocked_domains(["example.org"])
            .citations(Citations::enabled())
            .max_content_tokens(1000)
            .use_cache(false)
            .url_sources(sources),
    ]
}

fn tool_results() -> MessageRequest {
    hello()
        .assistant(vec![
            received(json!({"type": "thinking", "thinking": "Hm.", "signature": "c2ln"})),
            received(json!({"type": "redacted_thinking", "data": "eA=="})),
            ToolUseBlock::new("toolu_1", "weather", json!({"city": "Ghent"})).into(),
            ToolUseBlock::new("toolu_2", "weather", json!({})).into(),
            ToolUseBlock::new("toolu_3", "find", json!({"q": 1.5})).into(),
        ])
        .user(vec![
            ContentBlockParam::tool_result("toolu_1", "Rain"),
            ContentBlockParam::tool_error("toolu_2", "no such city"),
            ContentBlockParam::tool_result(
                "toolu_3",
                vec![TextBlock::new("found").into(), ToolReferenceBlock::new("weather").into()],
            ),
        ])
}

fn browser_state() -> MessageRequest {
    let mut call = ToolUseBlock::new("toolu_1", "navigate", json!({"url": "https://example.com"}));
    call.toolset_name = Some("browser".to_owned());
    let state = BrowserStateBlock::new(vec![BrowserTab::new("1", "E", "https://example.com").active(true)])
        .state_changes(vec![BrowserChange::TabOpened(TabOpened::new("1"))]);
    let answer =
        ToolResultBlock::new("toolu_1").toolset_name("browser").content(ContentBlockParam::from(state));
    hello().assistant(ContentBlockParam::from(call)).user(ContentBlockParam::from(answer))
}

fn cited() -> Value {
    json!({"type": "text", "text": "So it is.", "citations": [
        {"type": "char_location", "cited_text": "c", "document_index": 0, "document_title": "T", "start_char_index": 0,
            "end_char_index": 1},
        {"type": "web_search_result_location", "cited_text": "c", "encrypted_index": "eA==", "title": null,
            "url": "https://example.com"},
    ]})
}

fn server_results() -> Vec<ContentBlockParam> {
    let result = |kind: &str, content: Value| {
        received(json!({"type": kind, "tool_use_id": "srvtoolu_1", "content": content}))
    };
    vec![
        received(
            json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}),
        ),
        result(
            "web_search_tool_result",
            json!([{"type": "web_search_result", "url": "https://example.com", "title": "E",
                "encrypted_content": "eA=="}]),
        ),
        result(
            "web_search_tool_result",
            json!({"type": "web_search_tool_result_error", "error_code": "unavailable"}),
        ),
        result(
            "web_fetch_tool_result",
            json!({"type": "web_fetch_result", "url": "https://example.com", "content": {"type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"}}}),
        ),
        result(
            "code_execution_tool_result",
            json!({"type": "code_execution_result", "return_code": 0, "stdout": "o", "stderr": "", "content": []}),
        ),
        result(
            "bash_code_execution_tool_result",
            json!({"type": "bash_code_execution_result", "return_code": 1, "stdout": "", "stderr": "e",
                "content": [{"type": "bash_code_execution_output", "file_id": "file_1"}]}),
        ),
        result(
            "text_editor_code_execution_tool_result",
            json!({"type": "text_editor_code_execution_create_result", "is_file_update": true}),
        ),
        result(
            "tool_search_tool_result",
            json!({"type": "tool_search_tool_search_result",
                "tool_references": [{"type": "tool_reference", "tool_name": "weather"}]}),
        ),
    ]
}

/// What is a beta.
pub(super) fn beta() -> Vec<Call> {
    let server =
        McpServer::url("library", "https://mcp.example.com").authorization_token("token").tool_configuration(
            McpToolConfiguration::default().allowed_tools(vec!["find".to_owned()]).enabled(true),
        );
    let mut toolset = Tool::mcp_toolset("library");
    toolset.default_config = Some(MemberConfig::default().enabled(false));
    let edits = vec![
        ContextEdit::clear_thinking().keep(Threshold::thinking_turns(2)),
        ContextEdit::clear_tool_uses()
            .trigger(Threshold::input_tokens(1000))
            .keep(Threshold::tool_uses(3))
            .clear_at_least(Threshold::input_tokens(10))
            .clear_tool_inputs(ClearInputs::All(true))
            .exclude_tools(vec!["memory".to_owned()]),
        ContextEdit::compact().pause_after_compaction(true),
    ];
    let opus = Fallback::new(Model::CLAUDE_OPUS_5_5).max_tokens(32).thinking(Thinking::disabled());
    let on_behalf = hello().billing_policy(BillingPolicy::bill_to(BillTo::UserProfile));
    vec![
        asking("beta twice", [Beta::CONTEXT_1M_2025_08_07, Beta::FAST_MODE_2026_02_01], hello()),
        asking("mcp servers", [Beta::MCP_CLIENT_2025_11_20], tools([toolset]).mcp_server(server)),
        asking(
            "context management",
            [Beta::CONTEXT_MANAGEMENT_2025_06_27],
            hello().context_management(ContextManagement::new(edits)),
        ),
        asking(
            "compaction",
            [Beta::COMPACT_2026_09_04],
            hello().compaction(CompactionConfig::summarize().instructions("Keep names.")),
        ),
        asking("compacted", [Beta::COMPACT_2026_09_04], assistant(vec![received(compacted())])),
        asking(
            "fallbacks default",
            [Beta::SERVER_SIDE_FALLBACK_2026_07_01],
            hello().fallbacks(Fallbacks::default()),
        ),
        asking("fallbacks", [Beta::SERVER_SIDE_FALLBACK_2026_07_01], hello().fallbacks(vec![opus])),
        asking(
            "fallback credit",
            [Beta::FALLBACK_CREDIT_2026_07_01],
            hello().fallback_credit_token(IssuedCredit::new("t").mode(CreditMode::BestEffort)),
        ),
        asking(
            "fallen back",
            [Beta::SERVER_SIDE_FALLBACK_2026_07_01],
            assistant(vec![received(fallen_back()), ContentBlockParam::text("hi")]),
        ),
        asking("thread", [Beta::MESSAGE_THREADS_2026_08_12], hello().thread(Thread::continue_from("msg_0"))),
        Call {
            name: "billing policy",
            options: RequestOptions::new()
                .beta(Beta::USER_PROFILES_BILLING_2026_10_01)
                .user_profile_id("uprof_1"),
            request: on_behalf,
        },
        Call { name: "workspace", options: RequestOptions::new().workspace_id("wrkspc_1"), request: hello() },
        asking(
            "task budget",
            [Beta::TASK_BUDGETS_2026_03_13],
            hello()
                .output_config(OutputConfig::default().task_budget(TaskBudget::tokens(1000).remaining(10))),
        ),
        asking(
            "thinking binding",
            [Beta::THINKING_BINDING_CONTROLS_2026_08_01, Beta::THINKING_DISPLAY_UPDATES_2026_08_18],
            hello().thinking(
                Thinking::adaptive().display(ThinkingDisplay::Updates).block_binding(
                    BlockBinding::default().prefix_mismatch_behavior(PrefixMismatch::DropBlock),
                ),
            ),
        ),
        asking(
            "tool changes",
            [
                Beta::MID_CONVERSATION_TOOL_CHANGES_2026_07_01,
                Beta::INLINE_TOOLS_2026_09_15,
                Beta::MID_CONVERSATION_SYSTEM_CLEAR_AT_2026_08_21,
                Beta::MID_CONVERSATION_OUTPUT_CONFIG_2026_07_01,
            ],
            tool_changes(),
        ),
        asking(
            "advisor",
            [Beta::ADVISOR_TOOL_2026_03_01],
            tools([Tool::advisor(Model::CLAUDE_OPUS_5_5).max_uses(1).caching(CacheControl::ephemeral())]),
        ),
        asking(
            "computer",
            [Beta::COMPUTER_USE_2025_11_24],
            tools([Tool::computer(1024, 768).enable_zoom(true)]),
        ),
        asking("mcp results", [Beta::MCP_CLIENT_2026_09_15], assistant(mcp_results())),
    ]
}

fn compacted() -> Value {
    json!({"type": "compaction", "content": "short", "encrypted_content": "eA==", "signature": "c2ln",
        "tool_changes": [{"type": "tool_addition", "tool": {"type": "tool_reference", "name": "weather"}}]})
}

fn fallen_back() -> Value {
    json!({"type": "fallback", "from": {"model": "claude-mythos-5-2"}, "to": {"model": "claude-opus-5-5"},
        "trigger": {"type": "refusal", "category": "cyber"}})
}

fn tool_changes() -> MessageRequest {
    let changes = vec![
        ToolAdditionBlock::new(weather()).into(),
        ToolRemovalBlock::new(McpToolsetReference::new("library")).into(),
    ];
    let message = MessageParam::system(changes)
        .clear_at(ClearAt::NextUserMessage)
        .output_config(OutputConfig::default().effort(Effort::Low));
    hello().message(message)
}

fn mcp_results() -> Vec<ContentBlockParam> {
    vec![
        received(
            json!({"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "find", "server_name": "library",
            "input": {"q": "x"}}),
        ),
        received(json!({"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": false,
            "content": [{"type": "text", "text": "found"}]})),
        received(json!({"type": "mcp_tool_listing", "mcp_server_name": "library",
            "tools": [{"name": "find", "input_schema": {"type": "object"}}]})),
        received(json!({"type": "advisor_tool_result", "tool_use_id": "srvtoolu_1",
            "content": {"type": "advisor_result", "text": "Wait."}})),
    ]
}
