//! Content blocks as requests have them.

use super::shape::{Kind, Member, Shape, Union};

/// What a user and an assistant say.
pub(super) const CONTENT: Kind = Kind::Either(&[Kind::Filled, Kind::List(1, &Kind::Union(&BLOCKS))]);
/// What a system prompt says.
pub(super) const SYSTEM: Kind = Kind::Either(&[Kind::Text, Kind::List(0, &Kind::Union(&TEXTS))]);
/// What a message of the system says.
pub(super) const SYSTEM_CONTENT: Kind = Kind::Either(&[Kind::Filled, Kind::List(1, &Kind::Union(&CHANGES))]);

pub(super) const CACHE_CONTROL: Member = ("cache_control", Kind::Shape(&EPHEMERAL));
pub(super) static EPHEMERAL: Shape =
    Shape { needs: &[("type", Kind::Word(&["ephemeral"]))], may: &[&[("ttl", Kind::Word(&["5m", "1h"]))]] };
pub(super) const CITING: Member =
    ("citations", Kind::Shape(&Shape { needs: &[], may: &[&[("enabled", Kind::Flag)]] }));

const CACHED: &[Member] = &[CACHE_CONTROL];
const CALLER: Member = ("caller", Kind::Union(&CALLERS));

static BLOCKS: Union = Union {
    tag: "type",
    untagged: None,
    shapes: &[
        (&["text"], &TEXT),
        (&["image"], &IMAGE),
        (&["document"], &DOCUMENT),
        (&["search_result"], &SEARCH_RESULT),
        (&["thinking"], &Shape { needs: &[("signature", Kind::Text), ("thinking", Kind::Text)], may: &[] }),
        (&["redacted_thinking"], &Shape { needs: &[("data", Kind::Text)], may: &[] }),
        (&["tool_use"], &TOOL_USE),
        (&["tool_result"], &TOOL_RESULT),
        (&["server_tool_use"], &SERVER_TOOL_USE),
        (
            &[
                "web_search_tool_result",
                "web_fetch_tool_result",
                "code_execution_tool_result",
                "bash_code_execution_tool_result",
                "text_editor_code_execution_tool_result",
                "tool_search_tool_result",
                "advisor_tool_result",
            ],
            &SERVER_RESULT,
        ),
        (&["container_upload"], &Shape { needs: &[("file_id", Kind::Text)], may: &[CACHED] }),
        (&["mcp_tool_use"], &MCP_TOOL_USE),
        (&["mcp_tool_result"], &MCP_TOOL_RESULT),
        (&["mcp_tool_listing"], &MCP_TOOL_LISTING),
        (&["compaction"], &COMPACTION),
        (&["tool_addition", "tool_removal"], &TOOL_CHANGE),
        (&["fallback"], &FALLBACK),
    ],
};
static TEXTS: Union = Union { tag: "type", untagged: None, shapes: &[(&["text"], &TEXT)] };
static CHANGES: Union = Union {
    tag: "type",
    untagged: None,
    shapes: &[(&["text"], &TEXT), (&["tool_addition", "tool_removal"], &TOOL_CHANGE)],
};

static TEXT: Shape = Shape {
    needs: &[("text", Kind::Filled)],
    may: &[CACHED, &[("citations", Kind::List(0, &Kind::Union(&CITATIONS)))]],
};
static CITATIONS: Union = Union {
    tag: "type",
    untagged: None,
    shapes: &[
        (&["char_location"], &CHARACTERS),
        (&["page_location"], &PAGES),
        (&["content_block_location"], &CITED_BLOCKS),
        (&["web_search_result_location"], &CITED_PAGE),
        (&["search_result_location"], &CITED_RESULT),
    ],
};
const CITED: Member = ("cited_text", Kind::Text);
const DOCUMENT_INDEX: Member = ("document_index", Kind::Whole);
const DOCUMENT_TITLE: Member = ("document_title", Kind::Maybe(&Kind::Text));
const TITLE: Member = ("title", Kind::Maybe(&Kind::Text));
/// What replies have and requests need not.
const FILE: &[Member] = &[("file_id", Kind::Text)];
static CHARACTERS: Shape = Shape {
    needs: &[
        CITED,
        DOCUMENT_INDEX,
        DOCUMENT_TITLE,
        ("end_char_index", Kind::Whole),
        ("start_char_index", Kind::Whole),
    ],
    may: &[FILE],
};
static PAGES: Shape = Shape {
    needs: &[
        CITED,
        DOCUMENT_INDEX,
        DOCUMENT_TITLE,
        ("end_page_number", Kind::Whole),
        ("start_page_number", Kind::Whole),
    ],
    may: &[FILE],
};
static CITED_BLOCKS: Shape = Shape {
    needs: &[
        CITED,
        DOCUMENT_INDEX,
        DOCUMENT_TITLE,
        ("end_block_index", Kind::Whole),
        ("start_block_index", Kind::Whole),
    ],
    may: &[FILE],
};
static CITED_PAGE: Shape =
    Shape { needs: &[CITED, ("encrypted_index", Kind::Text), TITLE, ("url", Kind::Text)], may: &[] };
static CITED_RESULT: Shape = Shape {
    needs: &[
        CITED,
        ("end_block_index", Kind::Whole),
        ("search_result_index", Kind::Whole),
        ("source", Kind::Text),
        ("start_block_index", Kind::Whole),
        TITLE,
    ],
    may: &[],
};

static IMAGE: Shape = Shape {
    needs: &[("source", Kind::Union(&IMAGE_SOURCES))],
    may: &[
        CACHED,
        &[(
            "transformations",
            Kind::Shape(&Shape {
                needs: &[],
                may: &[&[("oversized_image", Kind::Word(&["downsize", "error"]))]],
            }),
        )],
    ],
};
static IMAGE_SOURCES: Union = Union {
    tag: "type",
    untagged: None,
    shapes: &[
        (
            &["base64"],
            &Shape {
                needs: &[
                    ("data", Kind::Text),
                    ("media_type", Kind::Word(&["image/jpeg", "image/png", "image/gif", "image/webp"])),
                ],
                may: &[],
            },
        ),
        (&["url"], &BY_URL),
        (&["file"], &BY_FILE),
    ],
};
static BY_URL: Shape = Shape { needs: &[("url", Kind::Text)], may: &[] };
static BY_FILE: Shape = Shape { needs: &[("file_id", Kind::Text)], may: &[] };

static DOCUMENT: Shape = Shape {
    needs: &[("source", Kind::Union(&DOCUMENT_SOURCES))],
    may: &[CACHED, &[CITING, ("context", Kind::Text), ("title", Kind::Text)]],
};
static DOCUMENT_SOURCES: Union = Union {
    tag: "type",
    untagged: None,
    shapes: &[
        (
            &["base64"],
            &Shape {
                needs: &[("data", Kind::Text), ("media_type", Kind::Word(&["application/pdf"]))],
                may: &[],
            },
        ),
        (
            &["text"],
            &Shape { needs: &[("data", Kind::Text), ("media_type", Kind::Word(&["text/plain"]))], may: &[] },
        ),
        (
            &["content"],
            &Shape {
                needs: &[("content", Kind::Either(&[Kind::Text, Kind::List(0, &Kind::Union(&QUOTED))]))],
                may: &[],
            },
        ),
        (&["url"], &BY_URL),
        (&["file"], &BY_FILE),
    ],
};
static QUOTED: Union =
    Union { tag: "type", untagged: None, shapes: &[(&["text"], &TEXT), (&["image"], &IMAGE)] };

static SEARCH_RESULT: Shape = Shape {
    needs: &[("content", Kind::List(0, &Kind::Union(&TEXTS))), ("source", Kind::Text), ("title", Kind::Text)],
    may: &[CACHED, &[CITING]],
};

static TOOL_USE: Shape = Shape {
    needs: &[("id", Kind::Filled), ("input", Kind::Object), ("name", Kind::Filled)],
    may: &[CACHED, &[CALLER, ("toolset_name", Kind::Text)]],
};
static TOOL_RESULT: Shape = Shape {
    needs: &[("tool_use_id", Kind::Filled)],
    may: &[
        CACHED,
        &[
            ("content", Kind::Either(&[Kind::Text, Kind::List(0, &Kind::Union(&RESULTS))])),
            ("is_error", Kind::Flag),
            ("toolset_name", Kind::Text),
        ],
    ],
};
static RESULTS: Union = Union {
    tag: "type",
    untagged: None,
    shapes: &[
        (&["text"], &TEXT),
        (&["image"], &IMAGE),
        (&["search_result"], &SEARCH_RESULT),
        (&["document"], &DOCUMENT),
        (&["tool_reference"], &Shape { needs: &[("tool_name", Kind::Filled)], may: &[CACHED] }),
        (&["browser_state"], &BROWSER_STATE),
    ],
};
static BROWSER_STATE: Shape = Shape {
    needs: &[("tabs", Kind::List(0, &Kind::Shape(&TAB)))],
    may: &[CACHED, &[("state_changes", Kind::List(0, &Kind::Object))]],
};
static TAB: Shape = Shape {
    needs: &[("tab_id", Kind::Text), ("title", Kind::Text), ("url", Kind::Text)],
    may: &[&[("active", Kind::Flag)]],
};
static CALLERS: Union = Union {
    tag: "type",
    untagged: None,
    shapes: &[
        (&["direct"], &Shape { needs: &[], may: &[] }),
        (
            &["code_execution_20250825", "code_execution_20260120"],
            &Shape { needs: &[("tool_id", Kind::Text)], may: &[] },
        ),
    ],
};

static SERVER_TOOL_USE: Shape = Shape {
    needs: &[
        ("id", Kind::Filled),
        ("input", Kind::Object),
        (
            "name",
            Kind::Word(&[
                "advisor",
                "web_search",
                "web_fetch",
                "code_execution",
                "bash_code_execution",
                "text_editor_code_execution",
                "tool_search_tool_regex",
                "tool_search_tool_bm25",
            ]),
        ),
    ],
    may: &[CACHED, &[CALLER]],
};
static SERVER_RESULT: Shape = Shape {
    needs: &[
        ("content", Kind::Either(&[Kind::Object, Kind::List(0, &Kind::Object)])),
        ("tool_use_id", Kind::Filled),
    ],
    may: &[CACHED, &[CALLER]],
};

static MCP_TOOL_USE: Shape = Shape {
    needs: &[
        ("id", Kind::Filled),
        ("input", Kind::Object),
        ("name", Kind::Filled),
        ("server_name", Kind::Filled),
    ],
    may: &[CACHED],
};
static MCP_TOOL_RESULT: Shape = Shape {
    needs: &[("tool_use_id", Kind::Filled)],
    may: &[
        CACHED,
        &[
            ("content", Kind::Either(&[Kind::Text, Kind::List(0, &Kind::Union(&TEXTS))])),
            ("is_error", Kind::Flag),
        ],
    ],
};
static MCP_TOOL_LISTING: Shape = Shape {
    needs: &[("mcp_server_name", Kind::Filled), ("tools", Kind::List(0, &Kind::Object))],
    may: &[CACHED],
};
static COMPACTION: Shape = Shape {
    needs: &[],
    may: &[
        CACHED,
        &[
            ("content", Kind::Text),
            ("encrypted_content", Kind::Text),
            ("signature", Kind::Text),
            ("tool_changes", Kind::List(0, &Kind::Object)),
        ],
    ],
};
static TOOL_CHANGE: Shape = Shape { needs: &[("tool", Kind::Object)], may: &[CACHED] };
static FALLBACK: Shape = Shape {
    needs: &[("from", Kind::Object), ("to", Kind::Object)],
    may: &[CACHED, &[("trigger", Kind::Any)]],
};
