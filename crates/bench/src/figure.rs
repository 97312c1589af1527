//! What was measured: samples of one contender in one case.

/// Samples of one contender in one case, a round each.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What was done, in words of the page.
    pub case: String,
    /// Who did it.
    pub contender: String,
    /// What a sample is, such as `ns`.
    pub unit: &'static str,
    /// One for each round; those with the same place are from the same round.
    pub samples: Vec<f64>,
}

impl Figure {
    /// The sample in the middle.
    #[must_use]
    pub fn median(&self) -> f64 {
        median(&self.samples)
    }

    /// The smallest and the largest sample.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        let least = self.samples.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (least, most)
    }

    /// How many times `other` this is, round by round, which keeps out what a whole round had to suffer.
    #[must_use]
    pub fn ratio(&self, other: &Self) -> Figure {
        let samples = self.samples.iter().zip(&other.samples).map(|(ours, theirs)| ours / theirs);
        Self { unit: "×", samples: samples.collect(), ..self.clone() }
    }
}

/// The figure of a contender in a case.
#[must_use]
pub fn find<'a>(figures: &'a [Figure], case: &str, contender: &str) -> Option<&'a Figure> {
    figures.iter().find(|figure| figure.case == case && figure.contender == contender)
}

/// The value in the middle; of an even number, the mean of the two in the middle. NaN where there is none.
#[must_use]
pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle).copied().unwrap_or(f64::NAN);
    if sorted.len().is_multiple_of(2) {
        let lower = middle.checked_sub(1).and_then(|lower| sorted.get(lower)).copied();
        return lower.map_or(f64::NAN, |lower| f64::midpoint(lower, upper));
    }
    upper
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(samples: &[f64]) -> Figure {
        Figure { case: "c".to_owned(), contender: "a".to_owned(), unit: "ns", samples: samples.to_vec() }
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        assert_eq!(median(&[9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), 3.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_round_that_was_slow_for_both_changes_no_ratio() {
        let (ours, floor) = (figure(&[2.0, 20.0, 2.0]), figure(&[1.0, 10.0, 1.0]));
        assert_eq!(ours.ratio(&floor).samples, [2.0, 2.0, 2.0]);
        assert_eq!(ours.ratio(&floor).unit, "×");
    }

    #[test]
    fn a_contender_with_fewer_rounds_has_fewer_ratios() {
        assert_eq!(figure(&[2.0, 4.0, 8.0]).ratio(&figure(&[1.0, 1.0])).samples, [2.0, 4.0]);
    }
}
