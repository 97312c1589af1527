//! The simulation as a picture.

use std::fmt::Write as _;

use super::{LIMITS, LOWERED_AT, OUTAGE, SECONDS, Second};

const LEFT: usize = 50;
const BOTTOM: usize = 250;
/// A request a second is a sixth of a unit high.
const REQUESTS: usize = 6;

/// What of a second a line shows.
type Of = fn(&Second) -> usize;

/// Requests of each second as lines, and what the limit gains.
pub(super) fn draw(seconds: &[Second]) -> String {
    let width = LEFT + SECONDS * 3 + 10;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} 285\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"10\" y=\"18\" font-size=\"14\">A thousand clients that share a limit: requests a second</text>\n"
    );
    let outage = OUTAGE.len() * 3;
    let _ = writeln!(
        svg,
        "<rect x=\"{}\" y=\"50\" width=\"{outage}\" height=\"200\" fill=\"#eee\"/>\n<text x=\"{}\" y=\"62\">outage</text>",
        at(OUTAGE.start),
        at(OUTAGE.start) + 4
    );
    for level in [0, 250, 500, 750, 1_000] {
        let y = BOTTOM - level / REQUESTS;
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{level}</text>", LEFT - 6, y + 4);
        let _ = writeln!(svg, "<line x1=\"{LEFT}\" x2=\"{width}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#ddd\"/>");
    }
    let [before, after] = LIMITS.map(|limit| BOTTOM - usize::try_from(limit).unwrap() / 60 / REQUESTS);
    let (start, change, end) = (at(0), at(LOWERED_AT), at(SECONDS));
    let _ = writeln!(
        svg,
        "<path d=\"M{start} {before}H{change}V{after}H{end}\" fill=\"none\" stroke=\"#888\" stroke-dasharray=\"4 3\"/>"
    );
    let lines: [(&str, &str, Of); 3] = [
        ("served", "#2f6f4f", |second| second.served),
        ("refused (429)", "#c03030", |second| second.refused),
        ("failed (529)", "#c07a1e", |second| second.failed),
    ];
    for (place, (name, colour, of)) in lines.into_iter().enumerate() {
        let points = seconds
            .iter()
            .enumerate()
            .map(|(second, seen)| format!("{},{}", at(second), BOTTOM - of(seen) / REQUESTS));
        let points = points.collect::<Vec<_>>().join(" ");
        let _ = writeln!(svg, "<polyline fill=\"none\" stroke=\"{colour}\" points=\"{points}\"/>");
        let x = 50 + place * 130;
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"38\" fill=\"{colour}\">{name}</text>");
    }
    let _ = writeln!(svg, "<text x=\"440\" y=\"38\" fill=\"#888\">what the limit gains</text>");
    for second in [0, 50, 100, 150, 200] {
        let _ =
            writeln!(svg, "<text x=\"{}\" y=\"270\" text-anchor=\"middle\">{second} s</text>", at(second));
    }
    svg.push_str("</svg>\n");
    svg
}

fn at(second: usize) -> usize {
    LEFT + second * 3
}
