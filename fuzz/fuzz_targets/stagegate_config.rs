//! `stagegate.yaml`, and the UserParameters of an action.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagegate_config::{Config, Gate, GateChoice, MAX_USER_PARAMETERS_CHARS, Places, UserParameters};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let config = check_config(text);
    check_parameters(text, config.as_ref());
});

fn check_config(text: &str) -> Option<Config> {
    let places = Places::read(text);
    let read = Config::parse("stagegate.yaml", text);
    assert_eq!(read, Config::parse("stagegate.yaml", text), "reading again gives something else");
    match read {
        Ok(config) => {
            for (name, _) in config.gates() {
                assert!(places.of(&["gates", name]).is_some(), "the gate {name:?} has no place");
                assert!(config.gate(name).is_ok());
            }
            Some(config)
        }
        Err(error) => {
            assert!(!error.message.is_empty());
            assert!(error.message.len() < 8192, "{error}");
            if let Some((line, column)) = error.place.position {
                let lines = text.split(['\n', '\r']).count() as u64 + 1;
                assert!((1..=lines).contains(&line) && column >= 1, "{error}");
            }
            None
        }
    }
}

fn check_parameters(text: &str, config: Option<&Config>) {
    let read = UserParameters::parse(Some(text));
    assert_eq!(read, UserParameters::parse(Some(text)), "reading again gives something else");
    let Ok(parameters) = read else {
        assert!(read.is_err_and(|error| !error.to_string().is_empty()));
        return;
    };
    assert!(text.chars().count() <= MAX_USER_PARAMETERS_CHARS);
    match parameters.choice() {
        Ok(GateChoice::Inline(gate)) => {
            let has_a_rule = match *gate {
                Gate::Test(gate) => gate.tests.is_some() || gate.coverage.is_some() || gate.sarif.is_some(),
                Gate::Smoke(gate) => !gate.hurl.is_empty() || !gate.checks.is_empty(),
                Gate::Release(gate) => {
                    let by_the_clock = gate.windows.len() + gate.freezes.len() + gate.calendars.len();
                    let measured = gate.metrics.len() + gate.probes.len();
                    let asked = [gate.alarms.is_some(), gate.soak.is_some(), gate.verdicts.is_some()];
                    by_the_clock + measured > 0 || asked.contains(&true)
                }
            };
            assert!(has_a_rule, "a policy without a rule");
        }
        Ok(choice @ GateChoice::Named(_)) => {
            if let Some(config) = config {
                let _ = choice.resolve(config);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
