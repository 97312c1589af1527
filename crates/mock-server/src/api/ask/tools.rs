//! The tools that a request may bring.

use super::blocks::{CACHE_CONTROL, CITING, EPHEMERAL};
use super::shape::{Kind, Member, Shape, Union};

/// A tool without a type is the caller's own.
pub(super) static TOOLS: Union = Union {
    tag: "type",
    untagged: Some("custom"),
    shapes: &[
        (&["custom"], &CUSTOM),
        (
            &["bash_20241022", "bash_20250124"],
            &Shape { needs: &[("name", Kind::Word(&["bash"]))], may: &[COMMON, EXAMPLES] },
        ),
        (
            &["memory_20250818"],
            &Shape { needs: &[("name", Kind::Word(&["memory"]))], may: &[COMMON, EXAMPLES] },
        ),
        (
            &["text_editor_20241022", "text_editor_20250124"],
            &Shape { needs: &[("name", Kind::Word(&["str_replace_editor"]))], may: &[COMMON, EXAMPLES] },
        ),
        (&["text_editor_20250429"], &Shape { needs: &[EDIT_TOOL], may: &[COMMON, EXAMPLES] }),
        (
            &["text_editor_20250728"],
            &Shape { needs: &[EDIT_TOOL], may: &[COMMON, EXAMPLES, &[("max_characters", Kind::Whole)]] },
        ),
        (
            &[
                "code_execution_20250522",
                "code_execution_20250825",
                "code_execution_20260120",
                "code_execution_20260521",
            ],
            &Shape { needs: &[("name", Kind::Word(&["code_execution"]))], may: &[COMMON] },
        ),
        (
            &["computer_20241022", "computer_20250124"],
            &Shape { needs: SCREEN, may: &[COMMON, EXAMPLES, DISPLAY] },
        ),
        (
            &["computer_20251124"],
            &Shape { needs: SCREEN, may: &[COMMON, EXAMPLES, DISPLAY, &[("enable_zoom", Kind::Flag)]] },
        ),
        (&["browser_toolset_20260801", "computer_toolset_20260801"], &TOOLSET),
        (
            &["web_search_20250305", "web_search_20260209"],
            &Shape { needs: WEB_SEARCH, may: &[COMMON, WEB, PLACE] },
        ),
        (&["web_search_20260318"], &Shape { needs: WEB_SEARCH, may: &[COMMON, WEB, PLACE, INCLUSION] }),
        (
            &["web_fetch_20250910", "web_fetch_20260209"],
            &Shape { needs: WEB_FETCH, may: &[COMMON, WEB, FETCH] },
        ),
        (&["web_fetch_20260309"], &Shape { needs: WEB_FETCH, may: &[COMMON, WEB, FETCH, CACHE] }),
        (&["web_fetch_20260318"], &Shape { needs: WEB_FETCH, may: &[COMMON, WEB, FETCH, CACHE, INCLUSION] }),
        (
            &["tool_search_tool_bm25", "tool_search_tool_bm25_20251119"],
            &Shape { needs: &[("name", Kind::Word(&["tool_search_tool_bm25"]))], may: &[COMMON] },
        ),
        (
            &["tool_search_tool_regex", "tool_search_tool_regex_20251119"],
            &Shape { needs: &[("name", Kind::Word(&["tool_search_tool_regex"]))], may: &[COMMON] },
        ),
        (&["advisor_20260301"], &ADVISOR),
        (&["mcp_toolset"], &MCP_TOOLSET),
    ],
};

const COMMON: &[Member] = &[
    (
        "allowed_callers",
        Kind::List(
            0,
            &Kind::Word(&[
                "direct",
                "code_execution_20250825",
                "code_execution_20260120",
                "code_execution_20260521",
            ]),
        ),
    ),
    CACHE_CONTROL,
    ("defer_loading", Kind::Flag),
    ("strict", Kind::Flag),
];
const EXAMPLES: &[Member] = &[("input_examples", Kind::List(0, &Kind::Object))];
const EDIT_TOOL: Member = ("name", Kind::Word(&["str_replace_based_edit_tool"]));
const SCREEN: &[Member] = &[
    ("display_height_px", Kind::Whole),
    ("display_width_px", Kind::Whole),
    ("name", Kind::Word(&["computer"])),
];
const DISPLAY: &[Member] = &[("display_number", Kind::Whole)];
const WEB_SEARCH: &[Member] = &[("name", Kind::Word(&["web_search"]))];
const WEB_FETCH: &[Member] = &[("name", Kind::Word(&["web_fetch"]))];
const WEB: &[Member] = &[
    ("allowed_domains", Kind::List(0, &Kind::Text)),
    ("blocked_domains", Kind::List(0, &Kind::Text)),
    ("max_uses", Kind::Whole),
];
const PLACE: &[Member] = &[("user_location", Kind::Shape(&USER_LOCATION))];
const INCLUSION: &[Member] = &[("response_inclusion", Kind::Word(&["full", "excluded"]))];
const FETCH: &[Member] = &[CITING, ("max_content_tokens", Kind::Whole), ("url_sources", Kind::Object)];
const CACHE: &[Member] = &[("use_cache", Kind::Flag)];

static CUSTOM: Shape = Shape {
    needs: &[("input_schema", Kind::Object), ("name", Kind::Filled)],
    may: &[COMMON, EXAMPLES, &[("description", Kind::Text), ("eager_input_streaming", Kind::Flag)]],
};
static USER_LOCATION: Shape = Shape {
    needs: &[("type", Kind::Word(&["approximate"]))],
    may: &[&[
        ("city", Kind::Text),
        ("country", Kind::Text),
        ("region", Kind::Text),
        ("timezone", Kind::Text),
    ]],
};
static TOOLSET: Shape = Shape { needs: &[], may: &[&[CACHE_CONTROL, ("configs", Kind::Object)]] };
static ADVISOR: Shape = Shape {
    needs: &[("model", Kind::Text), ("name", Kind::Word(&["advisor"]))],
    may: &[
        COMMON,
        &[("caching", Kind::Shape(&EPHEMERAL)), ("max_tokens", Kind::Whole), ("max_uses", Kind::Whole)],
    ],
};
static MCP_TOOLSET: Shape = Shape {
    needs: &[("mcp_server_name", Kind::Filled)],
    may: &[&[
        CACHE_CONTROL,
        ("configs", Kind::Object),
        ("default_config", Kind::Object),
        ("tools", Kind::List(0, &Kind::Object)),
    ]],
};
