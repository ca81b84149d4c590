//! Release gates: what the reader takes but cannot be applied, or cannot be meant.

use std::path::Path;

use jiff::civil::Date;
use stagegate_config::{Config, Places, ReleaseGate};
use stagegate_release::{Plan, read_calendar};

use super::config::PlaceInGate;
use super::problem::{Problems, instead};

/// Checks one gate; `at` is the day by which a freeze is over or not.
pub(super) fn check_gate(place: PlaceInGate<'_>, gate: &ReleaseGate, at: Date, problems: &mut Problems) {
    if let Err(error) = Plan::new(gate) {
        let number = (error.number - 1).to_string();
        problems.error(place(&["probes", &number, error.key]), error.message);
    }
    for (number, freeze) in gate.freezes.iter().enumerate().filter(|(_, freeze)| freeze.to.date() < at) {
        let position = place(&["freezes", &number.to_string(), "to"]);
        problems.warning(position, format!("the freeze {:?} is over; remove it, or name a later day", freeze.name));
    }
}

/// Checks what gates need around them: other gates, and files beside the configuration.
pub(super) fn check_around(file: &str, config: &Config, places: &Places, problems: &mut Problems) {
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    for (name, gate) in config.gates().filter_map(|(name, gate)| Some((name, gate.release().ok()?))) {
        for gate in gate.verdicts.iter().flat_map(|verdicts| &verdicts.gates) {
            let position = places.of(&["gates", name, "verdicts"]);
            if gate == name {
                problems.error(position, format!("the gate {name:?} waits for its own verdict, which never comes"));
            } else if config.gate(gate).is_err() {
                let known =
                    instead(gate, config.gates().map(|(known, _)| known).filter(|known| *known != name), "gates");
                problems.error(
                    position,
                    format!("the gate {name:?} waits for the verdict of {gate:?}, and there is no such gate{known}"),
                );
            }
        }
        for (number, calendar) in gate.calendars.iter().enumerate().filter(|(_, calendar)| calendar.artifact.is_none())
        {
            if let Err(error) = read_calendar(folder, calendar) {
                let position = places.of(&["gates", name, "calendars", &number.to_string(), "file"]);
                problems.error(position, error.to_string());
            }
        }
    }
}
