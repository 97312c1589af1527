//! A command line as words.

/// Splits a command line as a shell would, but for everything a shell does beyond: words are parted by blanks, `'…'` keeps
/// all, `"…"` keeps all but `\"` and `\\`, a backslash outside keeps the next character. `None` where a quote is not closed.
pub(crate) fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(next) = rest.next() {
        match next {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next()? {
                        '\'' => break,
                        kept => word.push(kept),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next()? {
                        '"' => break,
                        '\\' => match rest.next()? {
                            kept @ ('"' | '\\') => word.push(kept),
                            other => word.extend(['\\', other]),
                        },
                        kept => word.push(kept),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(rest.next()?),
            kept => word.get_or_insert_default().push(kept),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_by_blanks_and_kept_together_by_quotes() {
        for (line, words) in [
            ("pass show claude", vec!["pass", "show", "claude"]),
            ("  a \t b  ", vec!["a", "b"]),
            ("op read 'op://a vault/key'", vec!["op", "read", "op://a vault/key"]),
            (r#"a "b \"c\" \n" d\ e"#, vec!["a", r#"b "c" \n"#, "d e"]),
            ("a '' \"\"", vec!["a", "", ""]),
            ("a;b $HOME `c` >d *", vec!["a;b", "$HOME", "`c`", ">d", "*"]),
            ("", vec![]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_is_no_command_line() {
        for line in ["a 'b", "a \"b", "a \"b\\", "a\\"] {
            assert_eq!(split(line), None, "{line}");
        }
    }
}
