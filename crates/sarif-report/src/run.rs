//! A run: its tool, its invocations and its results, in whatever order they stand.

use report_input::json::{EachEntry, EachItem, OnEntry, OnItem, Refusal, once, skip};
use report_input::xml::Fault;
use report_input::{ErrorKind, cut};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::limits::Limits;
use crate::model::{Problem, ProblemKind};
use crate::raw::{ConfigurationOverride, Descriptor, Notification, RawResult};
use crate::results::Results;
use crate::rules::{Component, Override, RuleName, Rules};
use crate::summary::Summary;

/// Notifications and the like that are told of one run.
const TOLD: usize = 5;

/// What all runs of a log share.
pub(crate) struct Context<'c> {
    pub(crate) source: &'c str,
    pub(crate) limits: &'c Limits,
    pub(crate) summary: &'c mut Summary,
    pub(crate) refusal: Refusal,
    pub(crate) results: u64,
    pub(crate) timestamp: String,
}

impl Context<'_> {
    pub(crate) fn problem(&mut self, kind: ProblemKind, message: String) {
        self.summary.problem(Problem { source: self.source.to_owned(), kind, message });
    }

    fn accept<E: serde::de::Error>(&mut self, result: Result<(), Fault>) -> Result<(), E> {
        result.map_err(|fault| self.refusal.refuse(fault))
    }
}

/// A run that is being read.
pub(crate) struct Run<'o, 'c> {
    pub(crate) context: &'o mut Context<'c>,
    seen: [bool; 5],
    driver: Component,
    extensions: Vec<Component>,
    overrides: Vec<Override>,
    invocations: usize,
    is_scanned: bool,
    results: Results,
    troubles: Vec<(ProblemKind, String)>,
}

impl<'o, 'c> Run<'o, 'c> {
    pub(crate) fn new(context: &'o mut Context<'c>) -> Self {
        Run {
            context,
            seen: [false; 5],
            driver: Component::default(),
            extensions: Vec::new(),
            overrides: Vec::new(),
            invocations: 0,
            is_scanned: false,
            results: Results::default(),
            troubles: Vec::new(),
        }
    }

    /// Counts the results; returns the tool's name and whether there were results at all, if only none of them.
    pub(crate) fn finish(self) -> (String, bool) {
        let Run { context, driver, extensions, overrides, results, mut troubles, is_scanned, .. } = self;
        let tool = if driver.name.is_empty() { "a tool without a name".to_owned() } else { driver.name.clone() };
        if !is_scanned {
            let message = "there are no results, not even an empty array of them, which says that nothing was scanned";
            troubles.push((ProblemKind::NotScanned, message.to_owned()));
        }
        for (kind, message) in troubles {
            context.problem(kind, format!("{tool}: {message}"));
        }
        results.settle(context.source, &tool, &Rules::new(&driver, &extensions, &overrides), context.summary);
        (tool, is_scanned)
    }
}

impl<'de> OnEntry<'de> for Run<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let known = ["tool", "results", "invocations", "externalPropertyFileReferences"];
        let Some(known) = known.iter().position(|known| *known == key) else { return skip(map) };
        once(&mut self.seen[known], key)?;
        match key {
            "tool" => {
                let on_entry = Tool { run: self, seen: [false; 2] };
                map.next_value_seed(EachEntry { what: "a tool", on_entry }).map(|_| ())
            }
            "results" => {
                let on_item = ResultItems { run: self };
                let given = map.next_value_seed(Nullable(EachItem { what: "an array of results", on_item }))?;
                let is_scanned = given.is_some();
                self.is_scanned = is_scanned;
                Ok(())
            }
            "invocations" => {
                let on_item = Invocations { run: self };
                map.next_value_seed(EachItem { what: "an array of invocations", on_item }).map(|_| ())
            }
            _ => {
                let on_entry = ExternalFiles { run: self };
                map.next_value_seed(EachEntry { what: "references to external files", on_entry }).map(|_| ())
            }
        }
    }
}

/// A seed whose value may be `null`.
pub(crate) struct Nullable<S>(pub(crate) S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Nullable<S> {
    type Value = Option<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Nullable<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array or null")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(deserializer).map(Some)
    }
}

struct ResultItems<'r, 'o, 'c> {
    run: &'r mut Run<'o, 'c>,
}

impl<'de> OnItem<'de> for ResultItems<'_, '_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, _: u64, items: &mut A) -> Result<bool, A::Error> {
        let Some(result) = items.next_element::<RawResult>()? else { return Ok(false) };
        let Run { context, results, .. } = &mut *self.run;
        context.results += 1;
        let taken = if context.results > context.limits.results {
            let detail = format!("the log has more than {} results", context.limits.results);
            Err(Fault::new(ErrorKind::Limit, detail))
        } else {
            results.take(result, context.limits, context.summary)
        };
        context.accept(taken).map(|()| true)
    }
}

struct Tool<'r, 'o, 'c> {
    run: &'r mut Run<'o, 'c>,
    seen: [bool; 2],
}

impl<'de> OnEntry<'de> for Tool<'_, '_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "driver" => {
                once(&mut self.seen[0], key)?;
                let on_entry = ComponentEntries::new(self.run.context);
                let driver = map.next_value_seed(EachEntry { what: "a driver", on_entry })?.component;
                self.run.driver = driver;
                Ok(())
            }
            "extensions" => {
                once(&mut self.seen[1], key)?;
                let on_item = Extensions { run: self.run };
                map.next_value_seed(EachItem { what: "an array of extensions", on_item }).map(|_| ())
            }
            _ => skip(map),
        }
    }
}

struct Extensions<'r, 'o, 'c> {
    run: &'r mut Run<'o, 'c>,
}

impl<'de> OnItem<'de> for Extensions<'_, '_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, index: u64, items: &mut A) -> Result<bool, A::Error> {
        let on_entry = ComponentEntries::new(self.run.context);
        let Some(entries) = items.next_element_seed(EachEntry { what: "an extension", on_entry })? else {
            return Ok(false);
        };
        let component = entries.component;
        self.run.extensions.push(component);
        if index >= self.run.context.limits.rules as u64 {
            let detail = format!("a tool with more than {} extensions", self.run.context.limits.rules);
            return self.run.context.accept(Err(Fault::new(ErrorKind::Limit, detail))).map(|()| true);
        }
        Ok(true)
    }
}

struct ComponentEntries<'r, 'c> {
    context: &'r mut Context<'c>,
    seen: [bool; 3],
    component: Component,
}

impl<'r, 'c> ComponentEntries<'r, 'c> {
    fn new(context: &'r mut Context<'c>) -> Self {
        ComponentEntries { context, seen: [false; 3], component: Component::default() }
    }
}

impl<'de> OnEntry<'de> for ComponentEntries<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "name" => {
                once(&mut self.seen[0], key)?;
                self.component.name = cut(&map.next_value::<String>()?, self.context.limits.id).to_owned();
            }
            "guid" => {
                once(&mut self.seen[1], key)?;
                self.component.guid = cut(&map.next_value::<String>()?, self.context.limits.id).to_owned();
            }
            "rules" => {
                once(&mut self.seen[2], key)?;
                let on_item = RuleItems { entries: self };
                map.next_value_seed(EachItem { what: "an array of rules", on_item })?;
            }
            _ => skip(map)?,
        }
        Ok(())
    }
}

struct RuleItems<'e, 'r, 'c> {
    entries: &'e mut ComponentEntries<'r, 'c>,
}

impl<'de> OnItem<'de> for RuleItems<'_, '_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, _: u64, items: &mut A) -> Result<bool, A::Error> {
        let Some(descriptor) = items.next_element::<Descriptor>()? else { return Ok(false) };
        let ComponentEntries { context, component, .. } = &mut *self.entries;
        let added = component.add_rule(descriptor, context.limits);
        context.accept(added).map(|()| true)
    }
}

struct Invocations<'r, 'o, 'c> {
    run: &'r mut Run<'o, 'c>,
}

impl<'de> OnItem<'de> for Invocations<'_, '_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, _: u64, items: &mut A) -> Result<bool, A::Error> {
        let on_entry = Invocation { run: self.run, seen: [false; 5] };
        let more = items.next_element_seed(EachEntry { what: "an invocation", on_entry })?.is_some();
        self.run.invocations += usize::from(more);
        Ok(more)
    }
}

struct Invocation<'r, 'o, 'c> {
    run: &'r mut Run<'o, 'c>,
    seen: [bool; 5],
}

impl<'de> OnEntry<'de> for Invocation<'_, '_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let known = [
            "executionSuccessful",
            "toolExecutionNotifications",
            "toolConfigurationNotifications",
            "ruleConfigurationOverrides",
            "endTimeUtc",
        ];
        let Some(known) = known.iter().position(|known| *known == key) else { return skip(map) };
        once(&mut self.seen[known], key)?;
        match known {
            0 => {
                if !map.next_value::<bool>()? {
                    let message = "the tool says that it did not run to its end (`executionSuccessful` is false)";
                    self.run.trouble(ProblemKind::ToolFailed, message.to_owned());
                }
            }
            1 | 2 => {
                let on_item = Notifications { run: self.run };
                map.next_value_seed(EachItem { what: "an array of notifications", on_item })?;
            }
            3 => {
                let on_item = Overrides { run: self.run };
                map.next_value_seed(EachItem { what: "an array of overrides", on_item })?;
            }
            _ => {
                let ended: String = map.next_value()?;
                if self.run.context.timestamp.is_empty() {
                    cut(&ended, 64).clone_into(&mut self.run.context.timestamp);
                }
            }
        }
        Ok(())
    }
}

impl Run<'_, '_> {
    /// Notes what went wrong with the tool; the first few are told one by one, and one is enough not to pass.
    fn trouble(&mut self, kind: ProblemKind, message: String) {
        if self.troubles.len() < TOLD {
            self.troubles.push((kind, message));
        }
    }
}

struct Notifications<'r, 'o, 'c> {
    run: &'r mut Run<'o, 'c>,
}

impl<'de> OnItem<'de> for Notifications<'_, '_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, _: u64, items: &mut A) -> Result<bool, A::Error> {
        let Some(notification) = items.next_element::<Notification>()? else { return Ok(false) };
        let Notification { level, message } = notification;
        let why = message.unwrap_or_default();
        let why = why.text.or(why.markdown).or(why.id).unwrap_or_default();
        let why = cut(&why, self.run.context.limits.message);
        match level.as_deref() {
            Some("error") => {
                self.run.trouble(ProblemKind::ToolFailed, format!("the tool reports an error of its own: {why}"));
            }
            None | Some("warning" | "note" | "none") => {}
            Some(other) => {
                self.run.trouble(ProblemKind::UnknownValue, crate::rules::unknown("level of a notification", other));
            }
        }
        Ok(true)
    }
}

struct Overrides<'r, 'o, 'c> {
    run: &'r mut Run<'o, 'c>,
}

impl<'de> OnItem<'de> for Overrides<'_, '_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, _: u64, items: &mut A) -> Result<bool, A::Error> {
        let Some(given) = items.next_element::<ConfigurationOverride>()? else { return Ok(false) };
        let Some(level) = given.configuration.and_then(|configuration| configuration.level) else { return Ok(true) };
        let Run { context, overrides, invocations, .. } = &mut *self.run;
        let rule = RuleName::new(given.descriptor, None, None, context.limits);
        let added = rule.and_then(|rule| {
            if overrides.len() >= context.limits.rules {
                let detail = format!("more than {} overrides of rules", context.limits.rules);
                return Err(Fault::new(ErrorKind::Limit, detail));
            }
            overrides.push(Override::new(*invocations, rule, level));
            Ok(())
        });
        context.accept(added).map(|()| true)
    }
}

/// `externalPropertyFileReferences` (3.14.2): what stands in other files.
struct ExternalFiles<'r, 'o, 'c> {
    run: &'r mut Run<'o, 'c>,
}

impl<'de> OnEntry<'de> for ExternalFiles<'_, '_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if !matches!(key, "results" | "driver" | "extensions" | "invocations" | "policies") {
            return skip(map);
        }
        if map.next_value::<Presence>()?.0 {
            let message = format!("its {key} are in files of their own, which are not read; write them into the log");
            self.run.trouble(ProblemKind::Incomplete, message);
        }
        Ok(())
    }
}

/// Whether a value is there: anything but `null` and an empty array.
struct Presence(bool);

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;

        impl<'de> Visitor<'de> for Seen {
            type Value = Presence;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a reference to an external file, or an array of them")
            }

            fn visit_unit<E>(self) -> Result<Presence, E> {
                Ok(Presence(false))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Presence, A::Error> {
                let mut any = false;
                while items.next_element::<serde::de::IgnoredAny>()?.is_some() {
                    any = true;
                }
                Ok(Presence(any))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Presence, A::Error> {
                while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
                Ok(Presence(true))
            }
        }

        deserializer.deserialize_any(Seen)
    }
}
