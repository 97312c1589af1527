//! Reading one header from left to right, never going back over more than one word.

use super::Challenge;

/// Adds the challenges of one header; parameters never belong to a challenge of the header before.
pub(super) fn challenges(text: &[u8], found: &mut Vec<Challenge>) {
    read(&mut Scanner::new(text), found);
}

fn read(scanner: &mut Scanner<'_>, found: &mut Vec<Challenge>) {
    let mut current: Option<Challenge> = None;
    loop {
        scanner.skip(|byte| is_space(byte) || byte == b',');
        if scanner.rest.is_empty() {
            break;
        }
        let word = scanner.take(is_token);
        let spaced = scanner.skip(is_space);
        match (word.is_empty(), scanner.next(), &mut current) {
            (false, Some(b'='), Some(challenge)) => {
                scanner.bump();
                scanner.skip(is_space);
                challenge.params.push((text_of(word), scanner.value()));
            }
            // What no challenge starts with: neither a scheme nor a parameter of one.
            (true, ..) | (false, Some(b'='), None) => scanner.skip_to_comma(),
            (false, next, _) if spaced || matches!(next, None | Some(b',')) => {
                let token68 = if spaced { scanner.token68() } else { None };
                let scheme = text_of(word);
                found.extend(current.replace(Challenge { scheme, token68, params: Vec::new() }));
            }
            (false, ..) => scanner.skip_to_comma(),
        }
    }
    found.extend(current);
}

struct Scanner<'a> {
    rest: &'a [u8],
    /// How many bytes were looked at, and how often.
    #[cfg(test)]
    steps: usize,
}

impl<'a> Scanner<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self {
            rest,
            #[cfg(test)]
            steps: 0,
        }
    }

    fn next(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn bump(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    /// Takes the longest run of such bytes, which may be empty.
    fn take(&mut self, is: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().position(|byte| !is(*byte)).unwrap_or(self.rest.len());
        #[cfg(test)]
        {
            self.steps += length + 1;
        }
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Skips such bytes and tells whether there were any.
    fn skip(&mut self, is: impl Fn(u8) -> bool) -> bool {
        !self.take(is).is_empty()
    }

    /// Takes the value of a parameter: a quoted string, or everything up to a space or a comma.
    fn value(&mut self) -> String {
        if self.next() == Some(b'"') {
            self.quoted()
        } else {
            text_of(self.take(|byte| !is_space(byte) && byte != b','))
        }
    }

    /// Takes a quoted string without its quotes and backslashes; one that does not end takes all there is.
    fn quoted(&mut self) -> String {
        self.bump();
        let mut unquoted = Vec::new();
        loop {
            unquoted.extend_from_slice(self.take(|byte| !matches!(byte, b'"' | b'\\')));
            let end = self.next();
            self.bump();
            match end {
                Some(b'\\') => {
                    unquoted.extend(self.next());
                    self.bump();
                }
                _ => return text_of(&unquoted),
            }
        }
    }

    /// Takes a `token68`, if that is all there is before the next comma.
    fn token68(&mut self) -> Option<String> {
        let mut ahead = Scanner::new(self.rest);
        let body = ahead.take(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
        let padding = ahead.take(|byte| byte == b'=');
        ahead.skip(is_space);
        #[cfg(test)]
        {
            self.steps += ahead.steps;
        }
        if body.is_empty() || !matches!(ahead.next(), None | Some(b',')) {
            return None;
        }
        self.rest = ahead.rest;
        Some(text_of(body) + &text_of(padding))
    }

    /// Skips to the next comma that is not inside quotes.
    fn skip_to_comma(&mut self) {
        loop {
            self.skip(|byte| !matches!(byte, b'"' | b','));
            if self.next() != Some(b'"') {
                return;
            }
            self.quoted();
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader can be made to stop at, go back from, or go on over.
    const PIECES: [&str; 12] = ["a", "Bearer", " ", "\t", ",", "=", "==", "\"", "\\", "/", "{", "\u{e9}"];

    fn steps(text: &str) -> usize {
        let mut scanner = Scanner::new(text.as_bytes());
        read(&mut scanner, &mut Vec::new());
        scanner.steps
    }

    #[track_caller]
    fn is_linear(text: &str) {
        let (steps, most) = (steps(text), 6 * text.len() + 6);
        assert!(steps <= most, "{steps} steps for {} bytes: {:.60}", text.len(), text);
    }

    /// C91: whatever comes, and however it is repeated, no byte is looked at more than six times.
    #[test]
    fn no_header_is_read_in_more_than_six_steps_to_a_byte() {
        let mut seeds = vec![String::new()];
        for _ in 0..4 {
            seeds = seeds.iter().flat_map(|seed| PIECES.map(|piece| seed.clone() + piece)).collect();
            for seed in &seeds {
                is_linear(seed);
                is_linear(&seed.repeat(50));
                is_linear(&format!("Bearer a={}", seed.repeat(10)));
            }
        }
    }

    /// That the count sees what it is there for: a word at which all that follows is looked at again.
    #[test]
    fn looking_ahead_is_counted() {
        let text = format!("Bearer {}", "a".repeat(1000));
        assert!(steps(&format!("{text}\"")) > steps(&text) + 1000);
        // Before the word nothing, six letters and the end, after it nothing, and that nothing follows.
        assert_eq!(steps("Bearer"), 1 + 7 + 1 + 1);
    }
}
