//! Who can be measured.

/// A client, or what stands for the least that one can cost.
#[derive(Debug)]
pub struct Contender {
    /// Its name on the page.
    pub name: &'static str,
    /// How it is started.
    pub kind: Kind,
    /// How many times less work it is given, so that a slow one takes no longer than the others.
    pub slowness: usize,
}

/// How a contender is started, and where its version is written.
#[derive(Debug)]
pub enum Kind {
    /// By the program `contender`, under this name.
    Here(&'static str),
    /// By a program of a package that is no part of this workspace: `crates/bench/contenders/PROGRAM`.
    Peer {
        /// The program, and the package.
        program: &'static str,
        /// The crate it measures.
        package: &'static str,
    },
    /// The official Python SDK.
    Python,
    /// The official TypeScript SDK.
    TypeScript,
}

/// Our client, on reqwest.
pub static OURS: Contender = here("ours", "ours");
/// Our client, on hyper.
pub static OURS_HYPER: Contender = here("ours on hyper", "ours-hyper");
/// Bare reqwest and `serde_json`, with a borrowed framer for streams.
pub static REQWEST: Contender = here("bare reqwest", "reqwest");
/// Bare hyper and `serde_json`, with a borrowed framer for streams.
pub static HYPER: Contender = here("bare hyper", "hyper");
/// Lines found by memchr.
pub static LINES: Contender = here("line split", "lines");
/// A framer that borrows, and checks nothing.
pub static FRAMER: Contender = here("borrowed framer", "framer");
/// The SSE crate that was the fastest of the others.
pub static SSE_STREAM: Contender = peer("sse-stream", "peer-sse-stream", "sse-stream");
/// A client of many services.
pub static GENAI: Contender = peer("genai", "peer-genai", "genai");
/// A client of this service.
pub static ANTHROPIC_AI_SDK: Contender =
    peer("anthropic-ai-sdk", "peer-anthropic-ai-sdk", "anthropic-ai-sdk");
/// The official SDK for Python.
pub static PYTHON: Contender = Contender { name: "official Python", kind: Kind::Python, slowness: 20 };
/// The official SDK for TypeScript.
pub static TYPESCRIPT: Contender =
    Contender { name: "official TypeScript", kind: Kind::TypeScript, slowness: 10 };

/// Everyone.
pub static ALL: [&Contender; 10] =
    [&OURS, &REQWEST, &HYPER, &LINES, &FRAMER, &SSE_STREAM, &GENAI, &ANTHROPIC_AI_SDK, &PYTHON, &TYPESCRIPT];

const fn here(name: &'static str, command: &'static str) -> Contender {
    Contender { name, kind: Kind::Here(command), slowness: 1 }
}

const fn peer(name: &'static str, program: &'static str, package: &'static str) -> Contender {
    Contender { name, kind: Kind::Peer { program, package }, slowness: 1 }
}

impl Contender {
    /// The part of some work that it is given: less for a slow one, but some.
    #[must_use]
    pub fn share(&self, count: usize) -> usize {
        count.div_ceil(self.slowness)
    }
}

impl Kind {
    /// Whether it is built with this workspace.
    #[must_use]
    pub fn is_built_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }
}
