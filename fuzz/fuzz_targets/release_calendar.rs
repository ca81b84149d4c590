//! Calendar files of a release gate.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagegate_config::release::Zone;
use stagegate_release::calendar::{Calendar, MAX_BYTES};

fuzz_target!(|input: &[u8]| {
    let zone = Zone::named("Europe/Berlin").expect("a zone of the database");
    let now = "2026-11-25T12:00:00Z".parse().expect("a time");
    match Calendar::parse(input, &zone) {
        Ok(calendar) => {
            assert!(input.len() <= MAX_BYTES);
            // A file that was cut ends in the middle of a component and is refused.
            if let Ok(Some(event)) = calendar.covering(now) {
                assert!(event.start <= now && now < event.end, "{event:?}");
            }
        }
        Err(error) => assert!(error.to_string().len() < 1024, "{error}"),
    }
});
