//! What a message is taken to cost before it is sent.

use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use ratelimit::Cost;

use crate::types::MessageRequest;

mod counted;

pub use counted::Counted;

/// Says what a message is taken to cost, for the rate limiter; when the answer has come, the limiter is told the truth.
///
/// Too much, and calls wait for nothing; too little, and the service refuses some. It is only asked where there is a
/// limiter ([`ClientBuilder::rate_limiter`](crate::ClientBuilder::rate_limiter)).
///
/// ```
/// use claude_sdk::{Client, estimates::{Estimate, Longest}, ratelimit::Cost, types::MessageRequest};
///
/// /// Answers here are half as long as they may be.
/// #[derive(Debug)]
/// struct Half;
///
/// impl Estimate for Half {
///     fn cost(&self, request: &MessageRequest, length: usize) -> Cost {
///         Longest.cost(request, length).with_output_tokens(u64::from(request.max_tokens) / 2)
///     }
/// }
///
/// let client = Client::builder().api_key("sk-ant-example").estimate(Half).build()?;
/// # Ok::<(), claude_sdk::Error>(())
/// ```
#[async_trait]
pub trait Estimate: Debug + Send + Sync + 'static {
    /// What `request`, of so many bytes as JSON, is charged before it is sent.
    fn cost(&self, request: &MessageRequest, length: usize) -> Cost;

    /// How many tokens `request` sends, as somebody counts them who has to be asked, in place of what [`cost`](Self::cost)
    /// says of them. It is awaited before each message; the default asks nobody.
    async fn count(&self, request: &MessageRequest) -> Option<u64> {
        let _ = request;
        None
    }

    /// Takes note of what a whole message of this model did cost; what was read from the cache is not in it.
    #[inline]
    fn learn(&self, model: &str, actual: Cost) {
        let _ = (model, actual);
    }
}

#[async_trait]
impl<T: Estimate + ?Sized> Estimate for Arc<T> {
    #[inline]
    fn cost(&self, request: &MessageRequest, length: usize) -> Cost {
        (**self).cost(request, length)
    }

    async fn count(&self, request: &MessageRequest) -> Option<u64> {
        (**self).count(request).await
    }

    #[inline]
    fn learn(&self, model: &str, actual: Cost) {
        (**self).learn(model, actual);
    }
}

/// About four bytes for each token sent, and `max_tokens` for what comes back: what is used if nothing else was chosen.
///
/// Example: [`Estimate`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Longest;

impl Estimate for Longest {
    #[inline]
    fn cost(&self, request: &MessageRequest, length: usize) -> Cost {
        sent(length).with_output_tokens(request.max_tokens.into())
    }
}

/// About four bytes for each token sent, and next to nothing for what comes back: a call goes as soon as no debt is left,
/// and its answer is paid for afterwards.
///
/// Example: [`Estimate`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Shortest;

impl Estimate for Shortest {
    #[inline]
    fn cost(&self, _request: &MessageRequest, length: usize) -> Cost {
        sent(length).with_output_tokens(1)
    }
}

/// What most answers of a model were not longer than, once there were twenty; [`Longest`] until then. Never more than
/// `max_tokens`.
///
/// Lengths are remembered by the model's name in eighths of a power of two, so that the estimate is at most an eighth too
/// high; old ones fade.
///
/// Example: [`Estimate`].
#[derive(Debug)]
pub struct Learned {
    percent: u8,
    models: Mutex<HashMap<String, Lengths>>,
}

/// How many models are told apart; names come from whoever makes the requests.
const MOST_MODELS: usize = 64;
const ENOUGH: u32 = 20;
/// When this many are counted, each counts half.
const FADE_AT: u32 = 1_000;

/// How many answers had which length.
#[derive(Debug, Clone)]
struct Lengths {
    counts: [u32; 256],
    total: u32,
}

impl Learned {
    /// Estimates what `percent` of a model's answers were not longer than; more than 100 is 100.
    #[must_use]
    pub fn percentile(percent: u8) -> Self {
        Self { percent: percent.min(100), models: Mutex::default() }
    }
}

impl Estimate for Learned {
    #[inline]
    fn cost(&self, request: &MessageRequest, length: usize) -> Cost {
        let most = u64::from(request.max_tokens);
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let learned = models.get(request.model.as_str()).and_then(|lengths| lengths.percentile(self.percent));
        sent(length).with_output_tokens(learned.map_or(most, |learned| learned.min(most)))
    }

    #[inline]
    fn learn(&self, model: &str, actual: Cost) {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lengths) = models.get_mut(model) {
            lengths.add(actual.output_tokens);
        } else if models.len() < MOST_MODELS {
            let mut lengths = Lengths { counts: [0; 256], total: 0 };
            lengths.add(actual.output_tokens);
            models.insert(model.to_owned(), lengths);
        }
    }
}

impl Lengths {
    #[inline]
    fn add(&mut self, length: u64) {
        if let Some(count) = self.counts.get_mut(step(length)) {
            *count += 1;
            self.total += 1;
        }
        if self.total >= FADE_AT {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.total = self.counts.iter().sum();
        }
    }

    fn percentile(&self, percent: u8) -> Option<u64> {
        let wanted = (u64::from(self.total) * u64::from(percent)).div_ceil(100).max(1);
        let mut seen = 0_u64;
        let reached = self.counts.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        reached.filter(|_| self.total >= ENOUGH).map(highest)
    }
}

fn sent(length: usize) -> Cost {
    Cost::requests(1).with_input_tokens((length as u64).div_ceil(4))
}

/// Which step a length is on: up to sixteen each has one, then there are eight to each power of two.
fn step(length: u64) -> usize {
    if length < 16 {
        return usize::try_from(length).unwrap_or_default();
    }
    let power = length.ilog2();
    let eighth = (length >> (power - 3)) & 7;
    let step = 16 + u64::from(power - 4) * 8 + eighth;
    usize::try_from(step).unwrap_or(255).min(255)
}

/// The largest length of a step.
fn highest(step: usize) -> u64 {
    let step = step as u64;
    if step < 16 {
        return step;
    }
    let (power, eighth) = ((step - 16) / 8 + 4, (step - 16) % 8);
    (eighth + 9).saturating_mul(1 << (power - 3)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(max_tokens: u32) -> MessageRequest {
        MessageRequest::new("model", max_tokens).user("Hello!")
    }

    fn learned(percent: u8, lengths: impl IntoIterator<Item = u64>) -> Learned {
        let learned = Learned::percentile(percent);
        for length in lengths {
            learned.learn("model", Cost::requests(1).with_output_tokens(length));
        }
        learned
    }

    fn output(estimate: &impl Estimate, max_tokens: u32) -> u64 {
        estimate.cost(&request(max_tokens), 399).output_tokens
    }

    #[test]
    fn what_is_sent_is_a_quarter_of_its_bytes_and_what_comes_back_is_up_to_the_estimate() {
        let cost = |output| Cost::requests(1).with_input_tokens(100).with_output_tokens(output);
        assert_eq!(Longest.cost(&request(900), 399), cost(900));
        assert_eq!(Shortest.cost(&request(900), 399), cost(1));
        assert_eq!(Learned::percentile(90).cost(&request(900), 399), cost(900));
    }

    #[test]
    fn a_percentile_is_learned_within_an_eighth_and_never_above_max_tokens() {
        for percent in [50, 90, 99] {
            let estimate = output(&learned(percent, (1..=100).map(|part| part * 40)), 100_000);
            let exact = u64::from(percent) * 40;
            assert!((exact..=exact + exact / 8).contains(&estimate), "{estimate} for {exact}");
        }
        assert_eq!(output(&learned(90, [500; 100]), 300), 300);
        assert_eq!(output(&learned(0, 1..=100), 300), 1);
        assert_eq!(output(&learned(255, 1..=100), 300), highest(step(100)));
    }

    #[test]
    fn a_few_answers_teach_nothing_yet_and_another_model_none() {
        assert_eq!(output(&learned(90, [5; 19]), 300), 300);
        assert_eq!(output(&learned(90, [5; 20]), 300), 5);
        let other = MessageRequest::new("other", 300).user("Hello!");
        assert_eq!(learned(90, [5; 20]).cost(&other, 4).output_tokens, 300);
    }

    #[test]
    fn what_was_learned_long_ago_fades() {
        let answers = std::iter::repeat_n(10, 2_000).chain(std::iter::repeat_n(4_000, 2_000));
        assert!(output(&learned(50, answers), 100_000) >= 4_000);
    }

    #[test]
    fn as_many_models_are_remembered_as_there_is_room_for() {
        let learned = Learned::percentile(90);
        for model in 0..1_000 {
            learned.learn(&format!("model-{model}"), Cost::default());
        }
        assert_eq!(learned.models.lock().unwrap().len(), MOST_MODELS);
    }

    #[test]
    fn every_length_is_on_a_step_whose_highest_is_at_most_an_eighth_more() {
        for length in (0..5_000).chain((4..30).flat_map(|power| (1 << power) - 2..(1 << power) + 2)) {
            let highest = highest(step(length));
            assert!(highest >= length && highest <= length + length / 8, "{length}: {highest}");
        }
        assert_eq!(step(u64::MAX), 255);
    }
}
