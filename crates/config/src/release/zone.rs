//! Time zones by their names.

use std::fmt;
use std::path::Path;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::de::{Deserialize, Deserializer, Error};

use crate::nearest;

/// A time zone of the IANA database, such as `Europe/Berlin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// Coordinated Universal Time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// The zone of a name.
    ///
    /// # Errors
    ///
    /// If the database has no such zone; the error names the nearest one.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        find(name).map(|zone| Self { name: name.to_owned(), zone }).ok_or_else(|| {
            let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
            let near = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
            UnknownZone { name: name.to_owned(), nearest: near }
        })
    }

    /// The name as it was written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone's rules.
    pub fn rules(&self) -> &TimeZone {
        &self.zone
    }
}

/// Where a system keeps the rules of time zones.
const SYSTEM: &str = "/usr/share/zoneinfo";

/// The zone of exactly that name, with the rules of the system where it has them: they may be newer than the program.
///
/// Jiff alone would look through all folders of the system's database first, which takes longer than the whole start of a
/// function. It is asked where the program does not know the name.
fn find(name: &str) -> Option<TimeZone> {
    // The databases also find names in other letter case; one spelling is enough for a file.
    let is_exact = |zone: &TimeZone| zone.iana_name() == Some(name);
    match TimeZoneDatabase::bundled().get(name).ok().filter(is_exact) {
        Some(bundled) if bundled == TimeZone::UTC => Some(bundled),
        Some(bundled) => {
            let of_system = std::fs::read(Path::new(SYSTEM).join(name)).ok();
            Some(of_system.and_then(|rules| TimeZone::tzif(name, &rules).ok()).unwrap_or(bundled))
        }
        None => TimeZone::get(name).ok().filter(is_exact),
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A name that is no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no time zone{}; write a name of the IANA database such as Europe/Berlin or UTC", did_you_mean(.nearest.as_deref()))]
pub struct UnknownZone {
    name: String,
    nearest: Option<String>,
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::named(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    /// Jiff's own look-up is the measure, by all that systems and programs know.
    #[test]
    fn zones_are_those_that_jiff_finds() {
        let times = ["1999-12-31T23:59:59Z", "2026-03-29T01:00:00Z", "2026-07-01T12:00:00Z", "2037-11-01T06:00:00Z"];
        let times = times.map(|time| time.parse::<Timestamp>().expect("a time"));
        let mut compared = 0;
        for name in jiff::tz::db().available() {
            let expected = TimeZone::get(name.as_str()).expect("the database has it");
            let zone = Zone::named(name.as_str()).expect("it is a zone");
            assert_eq!((zone.name(), zone.rules().iana_name()), (name.as_str(), expected.iana_name()));
            for time in times {
                assert_eq!(zone.rules().to_offset(time), expected.to_offset(time), "{} at {time}", name.as_str());
            }
            compared += 1;
        }
        assert!(compared > 400, "{compared}");
    }

    #[test]
    fn only_exact_names_are_zones() {
        for name in
            ["", "europe/berlin", "Europe/Berlni", "../../etc/passwd", "/etc/passwd", "Europe/../Europe/Berlin", "."]
        {
            assert_eq!(Zone::named(name).expect_err(name).name, name);
        }
        assert_eq!(Zone::named("UTC").expect("it is a zone"), Zone::utc());
    }
}
