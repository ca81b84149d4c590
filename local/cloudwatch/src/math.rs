//! Metric math: expressions over time series (CloudWatch guide, "Metric math syntax and functions").
//!
//! ```text
//! expression = sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]
//! sum        = product {("+" | "-") product}
//! product    = unary {("*" | "/") unary}
//! unary      = ["-"] (number | id | name "(" arguments ")" | "[" arguments "]" | "(" expression ")")
//! ```
//!
//! Two series meet at the times that both have. What is no number, a division by zero, is no data point.

use std::collections::BTreeMap;

/// Values by the beginning of their period, in seconds since 1970.
pub type Series = BTreeMap<i64, f64>;

/// What an expression stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Quantity {
    /// One number.
    Scalar(f64),
    /// A number for each of some times.
    Series(Series),
    /// Several of these, in brackets.
    List(Vec<Quantity>),
}

/// Whether a comparison holds.
type Compare = fn(f64, f64) -> bool;

/// The deepest nesting of an expression.
const MAX_DEPTH: usize = 64;

/// Evaluates an expression over the quantities that are known by their ids.
///
/// # Errors
///
/// What is wrong with the expression, for people.
pub fn evaluate(expression: &str, known: &BTreeMap<String, Quantity>) -> Result<Quantity, String> {
    let mut parser = Parser { rest: expression, known, depth: 0 };
    let quantity = parser.comparison()?;
    match parser.peek() {
        None => Ok(quantity),
        Some(c) => Err(format!("{c:?} is not expected here: {:?}", parser.rest)),
    }
}

struct Parser<'e> {
    rest: &'e str,
    known: &'e BTreeMap<String, Quantity>,
    depth: usize,
}

impl<'e> Parser<'e> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, symbol: &str) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(symbol);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        if self.take(symbol) { Ok(()) } else { Err(format!("{symbol:?} is missing before {:?}", self.rest)) }
    }

    fn comparison(&mut self) -> Result<Quantity, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("it nests too deeply".to_owned());
        }
        let left = self.sum()?;
        let compare: [(&str, Compare); 6] = [
            ("<=", |a, b| a <= b),
            (">=", |a, b| a >= b),
            ("==", |a, b| a == b),
            ("!=", |a, b| a != b),
            ("<", |a, b| a < b),
            (">", |a, b| a > b),
        ];
        let mut made = left;
        if let Some((_, holds)) = compare.into_iter().find(|(symbol, _)| self.take(symbol)) {
            let right = self.sum()?;
            made = combine(&made, &right, |a, b| f64::from(u8::from(holds(a, b))))?;
        }
        self.depth -= 1;
        Ok(made)
    }

    fn sum(&mut self) -> Result<Quantity, String> {
        let mut made = self.product()?;
        loop {
            made = if self.take("+") {
                combine(&made, &self.product()?, |a, b| a + b)?
            } else if self.take("-") {
                combine(&made, &self.product()?, |a, b| a - b)?
            } else {
                return Ok(made);
            };
        }
    }

    fn product(&mut self) -> Result<Quantity, String> {
        let mut made = self.unary()?;
        loop {
            made = if self.take("*") {
                combine(&made, &self.unary()?, |a, b| a * b)?
            } else if self.take("/") {
                combine(&made, &self.unary()?, |a, b| a / b)?
            } else {
                return Ok(made);
            };
        }
    }

    fn unary(&mut self) -> Result<Quantity, String> {
        let mut is_negative = false;
        while self.take("-") {
            is_negative = !is_negative;
        }
        let made = self.atom()?;
        if is_negative { combine(&Quantity::Scalar(0.0), &made, |a, b| a - b) } else { Ok(made) }
    }

    fn atom(&mut self) -> Result<Quantity, String> {
        match self.peek() {
            Some('(') => {
                self.expect("(")?;
                let made = self.comparison()?;
                self.expect(")")?;
                Ok(made)
            }
            Some('[') => {
                self.expect("[")?;
                self.arguments("]").map(Quantity::List)
            }
            Some(c) if c.is_ascii_digit() || c == '.' => {
                let number = self.word(|c| c.is_ascii_digit() || c == '.');
                number.parse().map(Quantity::Scalar).map_err(|_| format!("{number:?} is no number"))
            }
            Some(c) if c.is_ascii_alphabetic() => {
                let name = self.word(|c| c.is_ascii_alphanumeric() || c == '_');
                if self.take("(") {
                    let arguments = self.arguments(")")?;
                    return call(name, &arguments, self.known);
                }
                self.known.get(name).cloned().ok_or_else(|| format!("there is no query {name:?} before it"))
            }
            Some(c) => Err(format!("{c:?} is not expected here")),
            None => Err("it ends too early".to_owned()),
        }
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'e str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn arguments(&mut self, end: &str) -> Result<Vec<Quantity>, String> {
        let mut arguments = Vec::new();
        if self.take(end) {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.comparison()?);
            if self.take(end) {
                return Ok(arguments);
            }
            self.expect(",")?;
        }
    }
}

fn call(name: &str, arguments: &[Quantity], known: &BTreeMap<String, Quantity>) -> Result<Quantity, String> {
    match (name.to_ascii_uppercase().as_str(), arguments) {
        ("ABS", [one]) => map(one, f64::abs),
        ("CEIL", [one]) => map(one, f64::ceil),
        ("FLOOR", [one]) => map(one, f64::floor),
        ("SUM", [one]) => together(one, |values| values.iter().sum()),
        ("AVG", [one]) => together(one, |values| {
            #[expect(clippy::cast_precision_loss, reason = "a query has far fewer values than 2^53")]
            let count = values.len() as f64;
            values.iter().sum::<f64>() / count
        }),
        ("MIN", [one]) => together(one, |values| values.iter().copied().fold(f64::INFINITY, f64::min)),
        ("MAX", [one]) => together(one, |values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        ("FILL", [Quantity::Series(series), Quantity::Scalar(value)]) => {
            Ok(Quantity::Series(filled(series, *value, known)))
        }
        ("IF", [condition, then]) => choose(condition, then, None),
        ("IF", [condition, then, otherwise]) => choose(condition, then, Some(otherwise)),
        (known @ ("ABS" | "CEIL" | "FLOOR" | "SUM" | "AVG" | "MIN" | "MAX" | "FILL" | "IF"), _) => {
            Err(format!("{known} is called with other arguments than it takes"))
        }
        (unknown, _) => Err(format!("the local CloudWatch has no function {unknown}")),
    }
}

fn map(one: &Quantity, change: fn(f64) -> f64) -> Result<Quantity, String> {
    match one {
        Quantity::Scalar(number) => Ok(Quantity::Scalar(change(*number))),
        Quantity::Series(series) => {
            Ok(Quantity::Series(series.iter().map(|(at, value)| (*at, change(*value))).collect()))
        }
        Quantity::List(_) => Err("a list has no single value".to_owned()),
    }
}

/// Of a series the value over its times; of a list, at each time that a series of it has.
fn together(one: &Quantity, join: impl Fn(&[f64]) -> f64) -> Result<Quantity, String> {
    match one {
        Quantity::Scalar(number) => Ok(Quantity::Scalar(*number)),
        Quantity::Series(series) if series.is_empty() => Ok(Quantity::Series(Series::new())),
        Quantity::Series(series) => Ok(Quantity::Scalar(join(&series.values().copied().collect::<Vec<_>>()))),
        Quantity::List(list) => {
            let mut at_times: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
            for series in list {
                if let Quantity::Series(series) = series {
                    series.iter().for_each(|(at, value)| at_times.entry(*at).or_default().push(*value));
                }
            }
            let scalars = list.iter().filter_map(|one| match one {
                Quantity::Scalar(number) => Some(*number),
                _ => None,
            });
            let scalars: Vec<f64> = scalars.collect();
            if list.iter().any(|one| matches!(one, Quantity::List(_))) {
                return Err("a list within a list".to_owned());
            }
            if scalars.len() == list.len() {
                return if scalars.is_empty() {
                    Err("an empty list".to_owned())
                } else {
                    Ok(Quantity::Scalar(join(&scalars)))
                };
            }
            let joined = at_times.into_iter().map(|(at, mut values)| {
                values.extend(&scalars);
                (at, join(&values))
            });
            Ok(Quantity::Series(joined.collect()))
        }
    }
}

/// The values between the first and the last of a series where it has none, its period being the shortest distance, and at
/// all times at which something else of the request has one: a metric that was never reported is filled, too.
fn filled(series: &Series, value: f64, known: &BTreeMap<String, Quantity>) -> Series {
    let mut all = series.clone();
    for quantity in known.values() {
        if let Quantity::Series(other) = quantity {
            other.keys().for_each(|at| _ = all.entry(*at).or_insert(value));
        }
    }
    let times: Vec<i64> = series.keys().copied().collect();
    let Some(period) = times.windows(2).map(|pair| pair[1] - pair[0]).min() else { return all };
    let (mut at, last) = (times[0], times[times.len() - 1]);
    while at < last && all.len() < 100_000 {
        all.entry(at).or_insert(value);
        at += period;
    }
    all
}

fn choose(condition: &Quantity, then: &Quantity, otherwise: Option<&Quantity>) -> Result<Quantity, String> {
    let value = |one: &Quantity, at: i64| match one {
        Quantity::Scalar(number) => Some(*number),
        Quantity::Series(series) => series.get(&at).copied(),
        Quantity::List(_) => None,
    };
    match condition {
        Quantity::Scalar(holds) => match (*holds != 0.0, otherwise) {
            (true, _) => Ok(then.clone()),
            (false, Some(otherwise)) => Ok(otherwise.clone()),
            (false, None) => Ok(Quantity::Series(Series::new())),
        },
        Quantity::Series(series) => {
            let chosen = series.iter().filter_map(|(at, holds)| {
                let side = if *holds == 0.0 { otherwise? } else { then };
                Some((*at, value(side, *at)?))
            });
            Ok(Quantity::Series(chosen.collect()))
        }
        Quantity::List(_) => Err("a list is no condition".to_owned()),
    }
}

fn combine(left: &Quantity, right: &Quantity, join: impl Fn(f64, f64) -> f64) -> Result<Quantity, String> {
    let is_number = |(_, value): &(i64, f64)| value.is_finite();
    match (left, right) {
        (Quantity::Scalar(left), Quantity::Scalar(right)) => Ok(Quantity::Scalar(join(*left, *right))),
        (Quantity::Series(left), Quantity::Scalar(right)) => {
            let joined = left.iter().map(|(at, left)| (*at, join(*left, *right)));
            Ok(Quantity::Series(joined.filter(is_number).collect()))
        }
        (Quantity::Scalar(left), Quantity::Series(right)) => {
            let joined = right.iter().map(|(at, right)| (*at, join(*left, *right)));
            Ok(Quantity::Series(joined.filter(is_number).collect()))
        }
        (Quantity::Series(left), Quantity::Series(right)) => {
            let joined = left.iter().filter_map(|(at, left)| Some((*at, join(*left, *right.get(at)?))));
            Ok(Quantity::Series(joined.filter(is_number).collect()))
        }
        _ => Err("a list stands where a value is wanted; take MIN, MAX, SUM or AVG of it".to_owned()),
    }
}
