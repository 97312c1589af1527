/// What measurements are exported as: a name, a unit, and for a histogram its buckets.
///
/// Example: [`metrics`](crate::metrics).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Instrument {
    /// The name. Those of `gen_ai` are OpenTelemetry's conventions for generative AI.
    pub name: &'static str,
    /// The unit, as UCUM spells it.
    pub unit: &'static str,
    /// What it is, in one sentence.
    pub description: &'static str,
    /// The upper bounds of a histogram's buckets; none for a counter.
    pub buckets: &'static [f64],
}

/// All instruments. An exporter of the crate `metrics` is to be given their buckets; for OpenTelemetry they come along.
pub const INSTRUMENTS: &[Instrument] = &[
    DURATION,
    TIME_TO_FIRST_CHUNK,
    TOKEN_USAGE,
    TIME_TO_HEADERS,
    OUTPUT_SPEED,
    LIMITER_WAIT,
    CACHE_TOKENS,
    RETRIES,
    RATE_LIMITED,
    REFRESHES,
];

pub(super) const DURATION: Instrument = Instrument {
    name: "gen_ai.client.operation.duration",
    unit: "s",
    description: "How long a call took, waits and retries included.",
    buckets: SECONDS,
};
pub(super) const TIME_TO_FIRST_CHUNK: Instrument = Instrument {
    name: "gen_ai.client.operation.time_to_first_chunk",
    unit: "s",
    description: "How long the first content of a stream took, from the call's beginning.",
    buckets: SECONDS,
};
pub(super) const TOKEN_USAGE: Instrument = Instrument {
    name: "gen_ai.client.token.usage",
    unit: "{token}",
    description: "How many tokens a message used, the input with what the cache took and gave.",
    buckets: TOKENS,
};
pub(super) const TIME_TO_HEADERS: Instrument = Instrument {
    name: "claude.client.time_to_headers",
    unit: "s",
    description: "How long an attempt waited for the head of its answer.",
    buckets: SECONDS,
};
pub(super) const OUTPUT_SPEED: Instrument = Instrument {
    name: "claude.client.output.speed",
    unit: "{token}/s",
    description: "Output tokens per second of a stream, from its first content to its end.",
    buckets: &[1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 40.0, 60.0, 80.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0],
};
pub(super) const LIMITER_WAIT: Instrument = Instrument {
    name: "claude.client.limiter.wait",
    unit: "s",
    description: "How long an attempt waited for a permit of the client's own limiter, where it had to.",
    buckets: SECONDS,
};
pub(super) const CACHE_TOKENS: Instrument = Instrument {
    name: "claude.client.cache.tokens",
    unit: "{token}",
    description: "Input tokens read from and written to the prompt cache.",
    buckets: &[],
};
pub(super) const RETRIES: Instrument = Instrument {
    name: "claude.client.retries",
    unit: "{retry}",
    description: "Attempts after the first of a call, by what the one before came to.",
    buckets: &[],
};
pub(super) const RATE_LIMITED: Instrument = Instrument {
    name: "claude.client.rate_limited",
    unit: "{answer}",
    description: "Attempts that were answered with a 429.",
    buckets: &[],
};
pub(super) const REFRESHES: Instrument = Instrument {
    name: "claude.client.token.refreshes",
    unit: "{refresh}",
    description: "Renewals of the credential, by how they failed.",
    buckets: &[],
};

/// As the conventions say, and three more: a long message takes minutes.
const SECONDS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68,
    655.36,
];

/// As the conventions say.
const TOKENS: &[f64] = &[
    1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0,
    16777216.0, 67108864.0,
];
