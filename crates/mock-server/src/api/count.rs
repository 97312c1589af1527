//! A rough count of tokens: good enough for limits and for `max_tokens`, and the same everywhere.

use serde_json::Value;

/// What an image or a document counts, whatever its size.
const PICTURE: u64 = 1600;
/// The longest token, in characters.
const LONGEST: usize = 8;

/// Splits text into tokens: a word with the blanks after it, in runs of at most eight characters.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut blank = false;
        let end = rest.char_indices().enumerate().find_map(|(position, (index, character))| {
            let ends = position == LONGEST || (blank && !character.is_whitespace());
            blank = character.is_whitespace();
            ends.then_some(index)
        });
        let (token, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        (!token.is_empty()).then_some(token)
    })
}

/// Counts the tokens of a text.
pub(super) fn count(text: &str) -> u64 {
    tokens(text).fold(0, |count, _| count + 1)
}

/// The beginning of a text that has at most `most` tokens, and how many it has.
pub(super) fn cut(text: &str, most: u64) -> (&str, u64) {
    let (mut end, mut count) = (0, 0);
    for token in tokens(text) {
        if count == most {
            break;
        }
        end += token.len();
        count += 1;
    }
    (text.get(..end).unwrap_or(text), count)
}

/// Counts all the text in a part of a request.
pub(super) fn weigh(value: &Value) -> u64 {
    match value {
        Value::String(text) => count(text),
        Value::Array(items) => items.iter().map(weigh).sum(),
        Value::Object(members) => match members.get("type").and_then(Value::as_str) {
            Some("image" | "document") => PICTURE,
            _ => members.iter().filter(|(name, _)| *name != "type").map(|(_, member)| weigh(member)).sum(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_token_and_a_long_word_is_several() {
        let split: Vec<&str> = tokens("You said: internationalisation  now").collect();
        assert_eq!(split, ["You ", "said: ", "internat", "ionalisa", "tion  ", "now"]);
    }

    #[test]
    fn no_character_is_lost_or_split() {
        let text = "  \u{1F600}äöü\u{2028}x 日本語日本語日本語日本語\n\n ";
        assert_eq!(tokens(text).collect::<String>(), text);
        assert!(tokens(text).all(|token| token.chars().count() <= LONGEST));
        assert_eq!(tokens("").count(), 0);
    }

    #[test]
    fn a_cut_keeps_whole_tokens() {
        assert_eq!(cut("one two three", 2), ("one two ", 2));
        assert_eq!(cut("one two three", 9), ("one two three", 3));
    }
}
