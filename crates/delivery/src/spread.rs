//! How values are spread.

use serde::Serialize;

/// How values are spread. Percentiles are values that occur: the smallest one that is not exceeded by more than the rest
/// (nearest rank).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// The smallest.
    pub min: f64,
    /// Half of the values are at most this.
    pub median: f64,
    /// Nine of ten are at most this.
    pub p90: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of these values; `None` where there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let rank = |tenths: usize| values[(values.len() * tenths).div_ceil(10).max(1) - 1];
        Some(Self { count: values.len(), min, median: rank(5), p90: rank(9), max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occur() {
        for (values, median, p90) in [
            (vec![7.0], 7.0, 7.0),
            (vec![2.0, 1.0], 1.0, 2.0),
            (vec![3.0, 1.0, 2.0], 2.0, 3.0),
            ((1..=10).map(f64::from).collect(), 5.0, 9.0),
            ((1..=11).map(f64::from).collect(), 6.0, 10.0),
        ] {
            let spread = Spread::of(values.clone()).expect("there are values");
            assert_eq!((spread.median, spread.p90, spread.count), (median, p90, values.len()), "{values:?}");
        }
        assert_eq!(Spread::of([]), None);
    }
}
