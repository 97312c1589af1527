//! As much of Markdown as our checks read: fenced code and links.

/// The lines inside fenced code blocks.
pub(crate) fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    marked(text).filter(|(_, _, code)| *code).map(|(_, line, _)| line)
}

/// The fenced blocks of this language, without their fences.
pub(crate) fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else { continue };
        let inside = lines.by_ref().take_while(|line| !line.trim_start().starts_with("```"));
        let block = inside.collect::<Vec<_>>().join("\n");
        if info.trim() == language {
            blocks.push(block);
        }
    }
    blocks
}

/// The links outside code, each with its line number: `[text](target)` and `[label]: target`.
pub(crate) fn links(text: &str) -> Vec<(usize, &str)> {
    let prose = marked(text).filter(|(_, _, code)| !code);
    prose.flat_map(|(number, line, _)| line_links(line).into_iter().map(move |link| (number, link))).collect()
}

fn line_links(line: &str) -> Vec<&str> {
    // Every other piece between backticks is code.
    let mut links: Vec<&str> = line.split('`').step_by(2).flat_map(inline).collect();
    if line.starts_with('[')
        && let Some((_, target)) = line.split_once("]: ")
    {
        links.push(target.trim());
    }
    links
}

fn inline(prose: &str) -> impl Iterator<Item = &str> {
    prose.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?;
        target.split_whitespace().next()
    })
}

/// Every line with its number and whether it is code; the fences themselves are left out.
fn marked(text: &str) -> impl Iterator<Item = (usize, &str, bool)> {
    let mut code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            code = !code;
            return None;
        }
        Some((index + 1, line, code))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_with_their_lines_and_titles_are_left_out() {
        let text = "see [a](b.md \"title\") and [`code`](c.rs)\n\n[label]: d.md\n";
        assert_eq!(links(text), [(1, "b.md"), (1, "c.rs"), (3, "d.md")]);
    }

    #[test]
    fn what_looks_like_a_link_in_code_is_none() {
        assert!(links("```\n[a](b)\n```\n`x[0](y)`\n").is_empty());
    }

    #[test]
    fn a_block_is_known_by_its_language() {
        let text = "```sh\na\nb\n```\n```rust\nc\n```\n```sh\nd\n```\n";
        assert_eq!(blocks(text, "sh"), ["a\nb", "d"]);
    }

    #[test]
    fn only_the_inside_of_a_fence_is_code() {
        assert_eq!(code_lines("a\n```sh\nb\n```\nc\n").collect::<Vec<_>>(), ["b"]);
    }
}
