//! Cucumber JSON, as written by Cucumber (JVM, JavaScript, Ruby), behave, pytest-bdd, godog, Karate and others.
//!
//! * Each scenario is one test, each row of an outline as well. The steps of a `background` belong to the scenario that
//!   follows it.
//! * The worst result of all steps and hooks is the scenario's, in Cucumber's own order: passed, skipped, pending,
//!   undefined, ambiguous, failed. As in Cucumber itself, which is strict in all current versions, **pending, undefined
//!   and ambiguous steps fail the scenario**.
//! * A scenario without steps, or of whose steps none has a result, is skipped: nothing was checked. One that has results
//!   for a part of its steps only, all of them passed, is errored.
//! * A scenario that is listed again right after itself (same name, identifier and line) is a repeated attempt, but only
//!   if it says when it started, as Cucumber for the JVM writes it: there, the rows of an outline have lines of their own.
//!   In other dialects the rows may share name, identifier and line, and one must not hide the failure of another.

use std::time::Duration;

use report_input::{Input, Opening, ReportError, cut, shortened};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::members::{Members, Objects, Text, each};
use super::tally::{Tally, seconds};
use super::{Entry, document};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ProblemKind, ReportFacts, Sink, TestCase};

mod element;

use element::{Element, Results};

pub(crate) const ENTRY: Entry = Entry { format: Format::Cucumber, recognise, read };

fn recognise(opening: &Opening) -> bool {
    let Some(inner) = opening.text().trim_start().strip_prefix('[') else { return false };
    if inner.trim() == "]" {
        // What Cucumber writes when no scenario was chosen.
        return true;
    }
    let keys = opening.json_keys();
    let has = |key| keys.contains(&key);
    (has("elements") && (has("name") || has("uri") || has("keyword"))) || (has("uri") && has("keyword"))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut features = Features {
        tally: Tally::new(input.source(), limits, sink),
        name: String::new(),
        uri: String::new(),
        background: None,
        last: Identity::default(),
        suite_number: 0,
        held: Vec::new(),
    };
    let parsed = document::parse(input, Objects(&mut features));
    let tally = features.tally;
    let ((), bytes) = parsed.map_err(|error| tally.explain(error))?;
    Ok(tally.finish(Format::Cucumber, bytes))
}

struct Features<'a> {
    tally: Tally<'a>,
    name: String,
    uri: String,
    /// The results of a background whose scenario is still to come.
    background: Option<Results>,
    last: Identity,
    suite_number: u64,
    /// Scenarios of the feature that wait for its name.
    held: Vec<Scenario>,
}

/// Scenarios that may wait for the name of their feature; after that many they go on without it.
const HELD: usize = 1000;

/// A scenario that was read.
#[derive(Debug)]
struct Scenario {
    name: String,
    file: String,
    message: String,
    timestamp: String,
    outcome: Outcome,
    duration: Option<Duration>,
    suite_number: u64,
    may_be_attempt: bool,
}

/// What two attempts of one scenario have in common.
#[derive(Debug, Default, PartialEq, Eq)]
struct Identity {
    id: String,
    name: String,
    line: Option<u64>,
}

impl Members for Features<'_> {
    const WHAT: &'static str = "a feature of Cucumber JSON";

    fn begin(&mut self) {
        self.tally.suites += 1;
        self.name.clear();
        self.uri.clear();
        self.last = Identity::default();
    }

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        match name {
            "name" => self.name = object.next_value::<Text>()?.0,
            "uri" => self.uri = object.next_value::<Text>()?.0,
            "elements" => object.next_value_seed(Nullable(each(|element: Element| self.take(element))))?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn end(&mut self) -> Result<(), String> {
        if let Some(background) = self.background.take() {
            self.emit("Background", Element::default(), background)?;
        }
        self.release()
    }
}

impl Features<'_> {
    fn take(&mut self, mut element: Element) -> Result<(), String> {
        if element.elements.is_some() {
            let message = format!("the elements inside of element \"{}\" are not read", &*element.name);
            self.tally.problem(ProblemKind::UnknownValue, message);
        }
        let mut results = std::mem::take(&mut element.steps);
        results.add_hooks(std::mem::take(&mut element.before));
        results.add_hooks(std::mem::take(&mut element.after));
        if element.is_background() {
            // Where the background is listed without results (behave), its steps are listed in the scenarios again.
            if results.has_any() {
                self.background.get_or_insert_default().add(results);
            }
            return Ok(());
        }
        if let Some(background) = self.background.take() {
            results.add(background);
        }
        let name = std::mem::take(&mut element.name.0);
        self.emit(&name, element, results)
    }

    fn emit(&mut self, name: &str, element: Element, results: Results) -> Result<(), String> {
        self.tally.note_timestamp(&element.start_timestamp);
        let identity = Identity { id: element.id.0, name: name.to_owned(), line: element.line };
        let may_be_attempt = identity.line.is_some() && !element.start_timestamp.is_empty();
        if !may_be_attempt || identity != self.last {
            self.suite_number += 1;
        }
        self.last = identity;
        let judgement = results.judge(&element.status);
        if let Some(unknown) = &judgement.unknown {
            self.tally.unknown_value("status", unknown, name);
        }
        let limits = self.tally.limits();
        let file = element.location.rsplit_once(':').map_or("", |(file, _)| file);
        self.held.push(Scenario {
            name: shortened(name, limits.name).into_owned(),
            file: cut(file, limits.name).to_owned(),
            message: cut(&judgement.message, limits.message).to_owned(),
            timestamp: element.start_timestamp.0,
            outcome: judgement.outcome,
            duration: results.nanoseconds().and_then(|nanoseconds| seconds(nanoseconds / 1e9)),
            suite_number: self.suite_number,
            may_be_attempt,
        });
        // Many writers put the feature's name behind its scenarios.
        if !self.name.is_empty() || self.held.len() >= HELD { self.release() } else { Ok(()) }
    }

    fn release(&mut self) -> Result<(), String> {
        for scenario in self.held.drain(..) {
            let file = if self.uri.is_empty() { &scenario.file } else { &self.uri };
            let feature = if self.name.is_empty() { file } else { &self.name };
            let case = TestCase {
                class_name: feature,
                suite: feature,
                suite_number: scenario.suite_number,
                may_be_attempt: scenario.may_be_attempt,
                file,
                duration: scenario.duration,
                message: &scenario.message,
                timestamp: &scenario.timestamp,
                ..TestCase::new(&scenario.name, scenario.outcome)
            };
            self.tally.case(&case).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// What may be `null` in place of an array.
struct Nullable<S>(S);

impl<'de, S: DeserializeSeed<'de, Value = ()> + Visitor<'de, Value = ()>> DeserializeSeed<'de> for Nullable<S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Visitor<'de, Value = ()>> Visitor<'de> for Nullable<S> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(f)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<(), A::Error> {
        self.0.visit_seq(array)
    }
}
