//! Medians, spreads and scores that a few strange values do not move.

use serde::Serialize;

/// With fewer samples than this nothing is called strange.
pub const SAMPLES_MIN: usize = 8;

/// The score beyond which a value is an outlier: Iglewicz and Hoaglin, How to Detect and Handle
/// Outliers (1993), section 3.
pub const SCORE_MAX: f64 = 3.5;

/// The 0.75 quantile of the standard normal distribution: makes a MAD comparable to a standard
/// deviation (same source).
const MAD_SCALE: f64 = 0.6745;

/// The square root of π/2, which does the same for a mean deviation.
const MEAN_DEVIATION_SCALE: f64 = 1.253_314;

/// What differs from the median by less than this part of it is usual, however steady the rest is.
const DIFFERENCE_MIN: f64 = 0.1;

/// The middle of `values`, the mean of the two in the middle (rounded down) where there are two;
/// `None` of nothing. Their order is changed.
pub fn median(values: &mut [u64]) -> Option<u64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let is_even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable(middle);
    let lower = if is_even { below.iter().max().copied().unwrap_or(*upper) } else { *upper };
    Some(lower.midpoint(*upper))
}

/// The smallest of `values` that at least `percent` of them do not exceed (nearest rank); `None` of
/// nothing. Their order is changed.
pub fn percentile(values: &mut [u64], percent: usize) -> Option<u64> {
    let rank = values.len().checked_mul(percent)?.div_ceil(100);
    let index = rank.saturating_sub(1);
    (index < values.len()).then(|| *values.select_nth_unstable(index).1)
}

/// What is usual.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// Of how many.
    pub samples: usize,
    /// The middle.
    pub median: u64,
    /// The median of the distances from it.
    pub mad: u64,
    /// The mean of the distances from it.
    pub mean_deviation: f64,
}

impl Baseline {
    /// What is usual among `values`; `None` of nothing.
    #[must_use]
    pub fn of(values: &[u64]) -> Option<Self> {
        let mut values = values.to_vec();
        let median = median(&mut values)?;
        for value in &mut values {
            *value = value.abs_diff(median);
        }
        let sum: f64 = values.iter().map(|distance| as_float(*distance)).sum();
        let mean_deviation = sum / as_float(values.len() as u64);
        let mad = self::median(&mut values)?;
        Some(Self { samples: values.len(), median, mad, mean_deviation })
    }

    /// How far `value` is from the usual, in robust standard deviations: the modified z-score
    /// `0.6745 · (value − median) / MAD`.
    ///
    /// Where more than half of the samples are equal the MAD is 0, and the mean deviation takes its
    /// place, as `(value − median) / (1.2533 · mean deviation)`. `None` with fewer than
    /// [`SAMPLES_MIN`] samples, and where all are equal and `value` is not: nothing says then how far
    /// is far.
    #[must_use]
    pub fn score(&self, value: u64) -> Option<f64> {
        if self.samples < SAMPLES_MIN {
            return None;
        }
        let distance = as_float(value) - as_float(self.median);
        if value == self.median {
            Some(0.0)
        } else if self.mad > 0 {
            Some(MAD_SCALE * distance / as_float(self.mad))
        } else if self.mean_deviation > 0.0 {
            Some(distance / (MEAN_DEVIATION_SCALE * self.mean_deviation))
        } else {
            None
        }
    }

    /// The score of `value`, where that is beyond [`SCORE_MAX`] and the value differs from the median
    /// by a tenth of it or more.
    #[must_use]
    pub fn anomaly(&self, value: u64) -> Option<f64> {
        let is_far =
            as_float(value.abs_diff(self.median)) >= DIFFERENCE_MIN * as_float(self.median);
        self.score(value).filter(|score| is_far && score.abs() > SCORE_MAX)
    }
}

/// Whether something gets slower.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// The median of the older half.
    pub older: u64,
    /// The median of the newer half.
    pub newer: u64,
    /// By which part the newer is greater: 0.5 is half as much again, -0.5 is half of it.
    pub change: f64,
    /// What that amounts to.
    pub direction: Direction,
}

/// Where something is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It takes less time.
    Faster,
    /// It takes as long as before.
    Steady,
    /// It takes more time.
    Slower,
}

/// A change by less than this part is no change.
const CHANGE_MIN: f64 = 0.2;

impl Trend {
    /// How the newer half of `values`, the oldest first, compares to the older one; `None` with fewer
    /// than [`SAMPLES_MIN`] in each.
    ///
    /// Medians of halves instead of a slope (Theil and Sen) through all pairs: as robust against a
    /// few strange values, and linear. It is a change where it is by a fifth at least, and by more
    /// than the older half's MAD.
    #[must_use]
    pub fn of(values: &[u64]) -> Option<Self> {
        let (older, newer) = values.split_at(values.len() / 2);
        if older.len() < SAMPLES_MIN {
            return None;
        }
        let before = Baseline::of(older)?;
        let newer = median(&mut newer.to_vec())?;
        let older = before.median;
        let change = (as_float(newer) - as_float(older)) / as_float(older.max(1));
        let is_change = change.abs() >= CHANGE_MIN && newer.abs_diff(older) > before.mad;
        let direction = match newer.cmp(&older) {
            std::cmp::Ordering::Greater if is_change => Direction::Slower,
            std::cmp::Ordering::Less if is_change => Direction::Faster,
            _ => Direction::Steady,
        };
        Some(Self { older, newer, change: rounded(change), direction })
    }
}

/// To three digits: what is shown, and what is stable between machines.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// `part` of `whole`; `None` where there is no whole.
pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| rounded(as_float(part) / as_float(whole)))
}

/// Exact below 2⁵³: microseconds of 285 years.
pub(crate) fn as_float(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn medians_and_percentiles_of_few_values() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [7]), Some(7));
        assert_eq!(median(&mut [9, 1]), Some(5));
        assert_eq!(median(&mut [3, 9, 1]), Some(3));
        assert_eq!(median(&mut [u64::MAX, u64::MAX]), Some(u64::MAX));
        assert_eq!(percentile(&mut [], 90), None);
        assert_eq!(percentile(&mut [5], 90), Some(5));
        let mut ten: Vec<u64> = (1..=10).rev().collect();
        assert_eq!(percentile(&mut ten, 90), Some(9));
        assert_eq!(percentile(&mut ten, 91), Some(10));
        assert_eq!(percentile(&mut ten, 100), Some(10));
    }

    #[test]
    fn the_score_is_that_of_the_book() {
        // Median 10, distances 4 3 2 1 0 1 2 3 90: MAD 2.
        let baseline = Baseline::of(&[6, 7, 8, 9, 10, 11, 12, 13, 100]).unwrap();
        assert_eq!((baseline.median, baseline.mad, baseline.samples), (10, 2, 9));
        assert!((baseline.score(100).unwrap() - 0.6745 * 45.0).abs() < 1e-9);
        assert!((baseline.score(6).unwrap() + 0.6745 * 2.0).abs() < 1e-9);
        assert_eq!(baseline.anomaly(13), None);
        assert!(baseline.anomaly(100).is_some());
    }

    #[test]
    fn where_most_are_equal_the_mean_deviation_measures() {
        let baseline = Baseline::of(&[100, 100, 100, 100, 100, 100, 100, 100, 100, 190]).unwrap();
        assert_eq!((baseline.mad, baseline.mean_deviation), (0, 9.0));
        assert!((baseline.score(190).unwrap() - 90.0 / (1.253_314 * 9.0)).abs() < 1e-9);
        assert_eq!(baseline.score(100), Some(0.0));
        assert!(baseline.anomaly(190).is_some());
        // Far in terms of a spread of next to nothing, and yet no tenth of the usual.
        assert_eq!(baseline.anomaly(109), None);
    }

    #[test]
    fn nothing_is_strange_without_a_spread_or_with_few_samples() {
        let equal = Baseline::of(&[5; 20]).unwrap();
        assert_eq!((equal.score(5), equal.score(6)), (Some(0.0), None));
        let few = Baseline::of(&[1, 2, 3, 4, 5, 6, 7]).unwrap();
        assert_eq!(few.score(1000), None);
    }

    #[test]
    fn a_trend_is_more_than_a_fifth_and_more_than_the_spread() {
        let of = |older: [u64; 8], newer: [u64; 8]| Trend::of(&[older, newer].concat()).unwrap();
        assert_eq!(of([100; 8], [119; 8]).direction, Direction::Steady);
        assert_eq!(of([100; 8], [120; 8]).direction, Direction::Slower);
        assert_eq!(of([100; 8], [50; 8]).direction, Direction::Faster);
        assert_eq!(of([100; 8], [150; 8]).change, 0.5);
        let wild = [50, 150, 50, 150, 50, 150, 50, 150];
        assert_eq!(of(wild, [149; 8]).direction, Direction::Steady);
        let mut newer = [100; 8];
        newer[3] = 90_000;
        assert_eq!(of([100; 8], newer).direction, Direction::Steady);
        assert_eq!(Trend::of(&[1; 15]), None);
        assert_eq!(of([0; 8], [5; 8]).direction, Direction::Slower);
    }

    proptest! {
        #[test]
        fn medians_and_percentiles_are_those_of_the_sorted_values(
            mut values in prop::collection::vec(any::<u64>(), 1..50),
            percent in 1..=100_usize,
        ) {
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let at = |index: usize| u128::from(sorted[index]);
            let (low, high) = (at((sorted.len() - 1) / 2), at(sorted.len() / 2));
            prop_assert_eq!(median(&mut values).map(u128::from), Some((low + high) / 2));
            let rank = (sorted.len() * percent).div_ceil(100);
            prop_assert_eq!(percentile(&mut values, percent), Some(sorted[rank - 1]));
        }
    }
}
