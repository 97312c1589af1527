//! What the commands do to texts.

use std::fmt::Write as _;

use super::MemoryPath;
use crate::tools::ToolError;

/// The text with the numbers of its lines.
#[inline]
pub(super) fn numbered(
    path: &MemoryPath,
    text: &str,
    range: Option<(i64, i64)>,
) -> Result<String, ToolError> {
    let lines: Vec<&str> = text.lines().collect();
    let (first, last) = match range {
        None => (1, lines.len()),
        Some((first, last)) => bounds(first, last, lines.len())?,
    };
    let mut shown = format!("{path}, with the numbers of its lines:\n");
    write_lines(&mut shown, &lines, first, last);
    Ok(shown)
}

#[inline]
fn bounds(first: i64, last: i64, lines: usize) -> Result<(usize, usize), ToolError> {
    let first = usize::try_from(first).ok().filter(|first| *first >= 1);
    let last = if last == -1 { Some(lines) } else { usize::try_from(last).ok() };
    match (first, last) {
        (Some(first), Some(last)) if first <= last.max(1) => Ok((first, last.min(lines))),
        _ => Err(ToolError::new(format!(
            "`view_range` must be two numbers of lines from 1 on, the first not above the last; the file has {lines}"
        ))),
    }
}

#[inline]
fn write_lines(shown: &mut String, lines: &[&str], first: usize, last: usize) {
    let from = first.saturating_sub(1);
    for (index, line) in lines.iter().enumerate().take(last).skip(from) {
        let _ = writeln!(shown, "{:6}\t{line}", index + 1); // writing to a string does not fail
    }
}

/// The text with the one place of `old` replaced, and what is around it.
#[inline]
pub(super) fn replaced(
    path: &MemoryPath,
    text: &str,
    old: &str,
    new: &str,
) -> Result<(String, String), ToolError> {
    if old.is_empty() {
        return Err(ToolError::new("`old_str` is empty; say what is to be replaced"));
    }
    let line_of = |at: usize| text.get(..at).map_or(0, |before| before.matches('\n').count()) + 1;
    let lines: Vec<usize> = text.match_indices(old).map(|(at, _)| line_of(at)).take(20).collect();
    let line = match lines[..] {
        [] => {
            return Err(ToolError::new(format!(
                "`old_str` is not in {path} in these very words; nothing was changed"
            )));
        }
        [line] => line,
        _ => {
            let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
            let lines = lines.join(", ");
            return Err(ToolError::new(format!(
                "`old_str` is in {path} more than once, in lines {lines}; give more of what is around it"
            )));
        }
    };
    let edited = text.replacen(old, new, 1);
    let all: Vec<&str> = edited.lines().collect();
    let mut around = format!("{path} was changed. Around it:\n");
    let last = line + new.matches('\n').count() + 2;
    write_lines(&mut around, &all, line.saturating_sub(2).max(1), last.min(line + 20));
    Ok((edited, around))
}

/// The text with more lines after the line `after`.
#[inline]
pub(super) fn inserted(text: &str, after: usize, more: &str) -> Result<String, ToolError> {
    let mut lines: Vec<&str> = text.lines().collect();
    if after > lines.len() {
        return Err(ToolError::new(format!("`insert_line` must be between 0 and {}", lines.len())));
    }
    lines.insert(after, more.strip_suffix('\n').unwrap_or(more));
    Ok(lines.join("\n") + "\n")
}
