//! Charts, as SVG.

use std::fmt::Write as _;

use crate::figure::{self, Figure};

/// One colour for each contender, told apart without colour too, since each has its place.
const COLOURS: [&str; 3] = ["#2f6f4f", "#c07a1e", "#3f5f9f"];

/// How much of the limit came through, in groups of bars.
#[must_use]
pub fn goodput(figures: &[Figure]) -> String {
    let cases: Vec<&str> = distinct(figures.iter().map(|figure| figure.case.as_str()))
        .into_iter()
        .filter(|case| case.ends_with(": used"))
        .collect();
    let contenders = distinct(figures.iter().map(|figure| figure.contender.as_str()));
    bars(
        "Calls answered in 25 s, as a share of what the limit allows",
        "%",
        &cases,
        &contenders,
        |case, contender| figure::find(figures, case, contender).map_or(0.0, Figure::median),
    )
}

/// Groups of bars, from 0 to 100.
fn bars(
    title: &str,
    unit: &str,
    groups: &[&str],
    contenders: &[&str],
    value: impl Fn(&str, &str) -> f64,
) -> String {
    let (bar, gap, left, top, height) = (22, 26, 46, 64, 200);
    let group = bar * contenders.len() + gap;
    let (width, bottom) = (left + group * groups.len() + 10, top + height);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"10\" y=\"20\" font-size=\"14\">{title}</text>\n",
        bottom + 40
    );
    for (place, (contender, colour)) in contenders.iter().zip(COLOURS).enumerate() {
        let x = 10 + place * 160;
        let _ = writeln!(svg, "<rect x=\"{x}\" y=\"32\" width=\"11\" height=\"11\" fill=\"{colour}\"/>");
        let _ = writeln!(svg, "<text x=\"{}\" y=\"42\">{contender}</text>", x + 16);
    }
    for line in [0, 25, 50, 75, 100] {
        let y = bottom - height * line / 100;
        let _ = writeln!(svg, "<line x1=\"{left}\" x2=\"{width}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#ccc\"/>");
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{line} {unit}</text>",
            left - 4,
            y + 4
        );
    }
    for (place, case) in groups.iter().enumerate() {
        let start = left + gap / 2 + place * group;
        for (index, (contender, colour)) in contenders.iter().zip(COLOURS).enumerate() {
            let value = value(case, contender);
            let (x, tall) = (start + index * bar, value.clamp(0.0, 100.0) * 2.0);
            let (y, middle) = (264.0 - tall, x + bar / 2);
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{y:.1}\" width=\"{}\" height=\"{tall:.1}\" fill=\"{colour}\"/>\n\
                 <text x=\"{middle}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"9\">{value:.0}</text>",
                bar - 2,
                y - 3.0
            );
        }
        let (load, processes) = case.trim_end_matches(": used").split_once(", ").unwrap_or((case, ""));
        let middle = start + bar * contenders.len() / 2;
        for (line, text) in [load, processes].into_iter().enumerate() {
            let y = bottom + 16 + line * 14;
            let _ = writeln!(svg, "<text x=\"{middle}\" y=\"{y}\" text-anchor=\"middle\">{text}</text>");
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Each once, in the order in which they come.
pub(crate) fn distinct<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut once = Vec::new();
    for one in all {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_tall_as_its_figure() {
        let figure = |contender: &str, value| Figure {
            case: "2×, 1 process: used".to_owned(),
            contender: contender.to_owned(),
            unit: "%",
            samples: vec![value],
        };
        let svg = goodput(&[figure("ours", 97.5), figure("official Python", 40.0)]);
        assert!(svg.contains("height=\"195.0\"") && svg.contains("height=\"80.0\""), "{svg}");
        assert!(svg.contains(">official Python<") && svg.contains(">1 process<"), "{svg}");
    }
}
