//! The members of a request, as the API's reference lists them: requests, their settings, and who speaks.
//!
//! Blocks are in [`blocks`](super::blocks), tools in [`tools`](super::tools). What is a beta is here too;
//! [`betas`](super::betas) has the headers for it.

use super::blocks::{CACHE_CONTROL, CONTENT, SYSTEM, SYSTEM_CONTENT};
use super::shape::{Kind, Member, Shape, Union};
use super::tools::TOOLS;

/// `POST /v1/messages`.
pub(super) static MESSAGE: Shape = Shape {
    needs: &[("max_tokens", Kind::Whole), ("messages", MESSAGES), ("model", Kind::Text)],
    may: &[
        SHARED,
        &[
            ("container", Kind::Either(&[Kind::Text, Kind::Shape(&CONTAINER)])),
            (
                "diagnostics",
                Kind::Shape(&Shape { needs: &[], may: &[&[("previous_message_id", Kind::Text)]] }),
            ),
            ("inference_geo", Kind::Text),
            ("metadata", Kind::Shape(&Shape { needs: &[], may: &[&[("user_id", Kind::Text)]] })),
            ("service_tier", Kind::Word(&["auto", "standard_only"])),
            ("stop_sequences", Kind::List(0, &Kind::Text)),
            ("stream", Kind::Flag),
        ],
        &[
            ("fallback_credit_token", Kind::Either(&[Kind::Text, Kind::Shape(&CREDIT)])),
            ("fallbacks", Kind::Either(&[Kind::Word(&["default"]), Kind::List(1, &Kind::Shape(&FALLBACK))])),
            ("thread", Kind::Union(&THREAD)),
        ],
    ],
};

/// `POST /v1/messages/count_tokens`.
pub(super) static COUNT: Shape =
    Shape { needs: &[("messages", MESSAGES), ("model", Kind::Text)], may: &[SHARED] };

/// What `2023-06-01` has besides.
pub(super) static OLDER: &[Member] = &[
    ("output_format", Kind::Shape(&FORMAT)),
    ("temperature", Kind::Between(0.0, 1.0)),
    ("top_k", Kind::Whole),
    ("top_p", Kind::Between(0.0, 1.0)),
];

/// What both requests have.
const SHARED: &[Member] = &[
    ("billing_policy", Kind::Shape(&BILLING)),
    CACHE_CONTROL,
    ("compaction", Kind::Shape(&COMPACTION)),
    ("context_management", Kind::Shape(&Shape { needs: &[], may: &[&[("edits", EDITS)]] })),
    ("mcp_servers", Kind::List(0, &Kind::Shape(&MCP_SERVER))),
    ("output_config", Kind::Shape(&OUTPUT_CONFIG)),
    ("speed", SPEED),
    ("system", SYSTEM),
    ("thinking", THINKING),
    ("tool_choice", Kind::Union(&TOOL_CHOICE)),
    ("tools", Kind::List(0, &Kind::Union(&TOOLS))),
];

const MESSAGES: Kind = Kind::List(1, &Kind::Union(&ROLES));
const SPEED: Kind = Kind::Word(&["standard", "fast"]);
const EFFORT: Kind = Kind::Word(&["low", "medium", "high", "xhigh", "max"]);
const EDITS: Kind = Kind::List(0, &Kind::Union(&EDIT));
const THINKING: Kind = Kind::Union(&Union {
    tag: "type",
    untagged: None,
    shapes: &[
        (&["enabled"], &Shape { needs: &[("budget_tokens", Kind::Whole)], may: &[SHOWN] }),
        (&["adaptive"], &Shape { needs: &[], may: &[SHOWN] }),
        (&["between_tools", "disabled"], &EMPTY),
    ],
});
const SHOWN: &[Member] = &[
    ("block_binding", Kind::Shape(&Shape { needs: &[], may: &[&[("prefix_mismatch_behavior", BEHAVIOUR)]] })),
    ("display", Kind::Word(&["summarized", "omitted", "updates"])),
];
const BEHAVIOUR: Kind = Kind::Word(&["error", "drop_block"]);
const TRIGGER: Kind = Kind::Union(&Union {
    tag: "type",
    untagged: None,
    shapes: &[(&["input_tokens", "tool_uses", "thinking_turns"], &AMOUNT), (&["all"], &EMPTY)],
});

static EMPTY: Shape = Shape { needs: &[], may: &[] };
static AMOUNT: Shape = Shape { needs: &[("value", Kind::Whole)], may: &[] };

static ROLES: Union = Union {
    tag: "role",
    untagged: None,
    shapes: &[
        (&["user", "assistant"], &Shape { needs: &[("content", CONTENT)], may: &[] }),
        (&["system"], &SYSTEM_MESSAGE),
    ],
};
static SYSTEM_MESSAGE: Shape = Shape {
    needs: &[],
    may: &[&[
        ("clear_at", Kind::Word(&["next_user_message", "never"])),
        ("content", SYSTEM_CONTENT),
        ("output_config", Kind::Shape(&Shape { needs: &[], may: &[&[("effort", EFFORT)]] })),
    ]],
};

static TOOL_CHOICE: Union = Union {
    tag: "type",
    untagged: None,
    shapes: &[
        (&["auto", "any"], &Shape { needs: &[], may: &[PARALLEL] }),
        (&["tool"], &Shape { needs: &[("name", Kind::Filled)], may: &[PARALLEL] }),
        (&["none"], &EMPTY),
    ],
};
const PARALLEL: &[Member] = &[("disable_parallel_tool_use", Kind::Flag)];

static OUTPUT_CONFIG: Shape = Shape {
    needs: &[],
    may: &[&[
        ("effort", EFFORT),
        ("format", Kind::Shape(&FORMAT)),
        (
            "task_budget",
            Kind::Shape(&Shape {
                needs: &[("total", Kind::Whole), ("type", Kind::Word(&["tokens"]))],
                may: &[&[("remaining", Kind::Whole)]],
            }),
        ),
    ]],
};
static FORMAT: Shape =
    Shape { needs: &[("schema", Kind::Object), ("type", Kind::Word(&["json_schema"]))], may: &[] };

static CONTAINER: Shape =
    Shape { needs: &[], may: &[&[("id", Kind::Text), ("skills", Kind::List(0, &Kind::Shape(&SKILL)))]] };
static SKILL: Shape = Shape {
    needs: &[("skill_id", Kind::Text), ("type", Kind::Word(&["anthropic", "custom"]))],
    may: &[&[("version", Kind::Text)]],
};

static BILLING: Shape = Shape {
    needs: &[("type", Kind::Word(&["billing_policy"]))],
    may: &[&[("bill_to", Kind::Word(&["self", "user_profile"]))]],
};
static COMPACTION: Shape =
    Shape { needs: &[("type", Kind::Word(&["summarize"]))], may: &[&[("instructions", Kind::Text)]] };
static CREDIT: Shape =
    Shape { needs: &[("token", Kind::Text)], may: &[&[("mode", Kind::Word(&["strict", "best_effort"]))]] };
static FALLBACK: Shape = Shape {
    needs: &[("model", Kind::Text)],
    may: &[&[
        ("max_tokens", Kind::Whole),
        ("output_config", Kind::Shape(&OUTPUT_CONFIG)),
        ("speed", SPEED),
        ("thinking", THINKING),
    ]],
};
static THREAD: Union = Union {
    tag: "type",
    untagged: None,
    shapes: &[
        (&["create"], &EMPTY),
        (&["continue"], &Shape { needs: &[("previous_message_id", Kind::Text)], may: &[] }),
    ],
};
static EDIT: Union = Union {
    tag: "type",
    untagged: None,
    shapes: &[
        (
            &["clear_tool_uses_20250919"],
            &Shape {
                needs: &[],
                may: &[&[
                    ("clear_at_least", TRIGGER),
                    ("clear_tool_inputs", Kind::Either(&[Kind::Flag, Kind::List(0, &Kind::Text)])),
                    ("exclude_tools", Kind::List(0, &Kind::Text)),
                    ("keep", TRIGGER),
                    ("trigger", TRIGGER),
                ]],
            },
        ),
        (
            &["clear_thinking_20251015"],
            &Shape { needs: &[], may: &[&[("keep", Kind::Either(&[Kind::Word(&["all"]), TRIGGER]))]] },
        ),
        (
            &["compact_20260112"],
            &Shape {
                needs: &[],
                may: &[&[
                    ("instructions", Kind::Text),
                    ("pause_after_compaction", Kind::Flag),
                    ("trigger", TRIGGER),
                ]],
            },
        ),
    ],
};
static MCP_SERVER: Shape = Shape {
    needs: &[("name", Kind::Text), ("type", Kind::Word(&["url"])), ("url", Kind::Text)],
    may: &[&[
        ("authorization_token", Kind::Text),
        (
            "tool_configuration",
            Kind::Shape(&Shape {
                needs: &[],
                may: &[&[("allowed_tools", Kind::List(0, &Kind::Text)), ("enabled", Kind::Flag)]],
            }),
        ),
    ]],
};
