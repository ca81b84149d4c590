//! Calendar files.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stagegate_config::release::Zone;
use stagegate_release::calendar::Calendar;
use stagegate_release::{Circumstances, Opening, State, TimeConditions, Unmeasured, next_opening, parse_calendar};
use stagegate_verdict::Execution;

use crate::{at, gate};

/// A calendar with an event of these lines.
fn event(lines: &str) -> String {
    let event = lines.trim().lines().map(str::trim).collect::<Vec<_>>().join("\r\n");
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
}

fn berlin() -> Zone {
    Zone::named("Europe/Berlin").unwrap()
}

fn parse(text: &str) -> Result<Calendar, String> {
    Calendar::parse(text.as_bytes(), &berlin()).map_err(|error| error.to_string())
}

#[test]
fn events_take_place_when_the_standard_says() {
    for (lines, inside, outside) in [
        // A day of the zone.
        (
            "DTSTART;VALUE=DATE:20261224",
            vec!["2026-12-23T23:00:00Z", "2026-12-24T22:59:59Z"],
            vec!["2026-12-23T22:59:59Z", "2026-12-24T23:00:00Z"],
        ),
        (
            "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227",
            vec!["2026-12-26T22:59:59Z"],
            vec!["2026-12-26T23:00:00Z"],
        ),
        // UTC, a zone, and a time without a zone.
        (
            "DTSTART:20261224T180000Z\nDTEND:20261224T200000Z",
            vec!["2026-12-24T18:00:00Z"],
            vec!["2026-12-24T20:00:00Z", "2026-12-24T17:59:59Z"],
        ),
        (
            "DTSTART;TZID=America/New_York:20261224T180000\nDURATION:PT2H",
            vec!["2026-12-24T23:00:00Z"],
            vec!["2026-12-25T01:00:00Z"],
        ),
        (
            "DTSTART;TZID=\"America/New_York\":20261224T180000\nDURATION:P1DT2H",
            vec!["2026-12-26T00:59:00Z"],
            vec!["2026-12-26T01:00:00Z"],
        ),
        ("DTSTART:20261224T180000\nDURATION:PT2H", vec!["2026-12-24T17:00:00Z"], vec!["2026-12-24T19:00:00Z"]),
        // Every Friday at 18:00 by the clock, in winter and in summer.
        (
            "DTSTART:20261002T180000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=FR",
            vec!["2026-11-27T17:30:00Z", "2027-07-02T16:30:00Z"],
            vec!["2026-11-27T16:30:00Z", "2027-07-02T17:30:00Z", "2026-11-26T17:30:00Z"],
        ),
        (
            "DTSTART:20261002T180000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2",
            vec!["2026-10-09T16:30:00Z"],
            vec!["2026-10-16T16:30:00Z"],
        ),
        // The end of a rule is a moment, here in the zone of the event.
        (
            "DTSTART:20261002T180000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;UNTIL=20261009T160000Z",
            vec!["2026-10-09T16:30:00Z"],
            vec!["2026-10-16T16:30:00Z"],
        ),
        (
            "DTSTART:20261002T180000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;UNTIL=20261009T155959Z",
            vec!["2026-10-02T16:30:00Z"],
            vec!["2026-10-09T16:30:00Z"],
        ),
        (
            "DTSTART;VALUE=DATE:20261002\nRRULE:FREQ=WEEKLY;UNTIL=20261009",
            vec!["2026-10-09T12:00:00Z"],
            vec!["2026-10-16T12:00:00Z"],
        ),
        (
            "DTSTART:20261002T180000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\nEXDATE:20261009T180000,20261016T180000",
            vec!["2026-10-23T16:30:00Z"],
            vec!["2026-10-09T16:30:00Z", "2026-10-16T16:30:00Z"],
        ),
        (
            "DTSTART:20261002T180000\nDURATION:PT1H\nRDATE:20261005T180000",
            vec!["2026-10-02T16:30:00Z", "2026-10-05T16:30:00Z"],
            vec!["2026-10-06T16:30:00Z"],
        ),
        // A day that ends on itself is that day.
        (
            "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224",
            vec!["2026-12-23T23:00:00Z", "2026-12-24T22:59:59Z"],
            vec!["2026-12-23T22:59:59Z", "2026-12-24T23:00:00Z"],
        ),
        // A time without an end is a moment.
        ("DTSTART:20261224T180000Z", vec![], vec!["2026-12-24T17:59:59Z", "2026-12-24T18:00:00Z"]),
        // The last Friday of each November.
        (
            "DTSTART;VALUE=DATE:20241129\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=-1FR",
            vec!["2026-11-27T12:00:00Z"],
            vec!["2026-11-20T12:00:00Z"],
        ),
        (
            "DTSTART;VALUE=DATE:20260131\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1",
            vec!["2026-02-28T12:00:00Z"],
            vec!["2026-03-01T12:00:00Z"],
        ),
        ("DTSTART:20261002T180000\nDURATION:PT1H\nSTATUS:CANCELLED", vec![], vec!["2026-10-02T16:30:00Z"]),
        // A line goes on after a blank.
        ("DTSTART;VALUE=DATE:2026\n 1224", vec![], vec![]),
    ] {
        if lines.contains("2026\n 1224") {
            let folded = event("X:y").replace("X:y", "DTSTART;VALUE=DATE:2026\r\n 1224");
            assert!(parse(&folded).unwrap().covering(at("2026-12-24T12:00:00Z")).unwrap().is_some());
            continue;
        }
        let calendar = parse(&event(lines)).unwrap_or_else(|error| panic!("{lines}: {error}"));
        let covered = |time: &str| calendar.covering(at(time)).unwrap().is_some();
        inside.iter().for_each(|time| assert!(covered(time), "{lines} at {time}"));
        outside.iter().for_each(|time| assert!(!covered(time), "{lines} at {time}"));
    }
}

#[test]
fn an_occurrence_that_was_moved_is_where_it_was_moved_to() {
    let moved = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20261002T180000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\nEND:VEVENT\n\
        BEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20261009T160000Z\nDTSTART:20261010T100000\nDURATION:PT1H\nEND:VEVENT\n\
        BEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20261016T180000\nDTSTART:20261016T180000\nDURATION:PT1H\nSTATUS:CANCELLED\nEND:VEVENT\nEND:VCALENDAR\n";
    let calendar = parse(moved).unwrap();
    for (time, expected) in [
        ("2026-10-02T16:30:00Z", true),
        ("2026-10-09T16:30:00Z", false),
        ("2026-10-10T08:30:00Z", true),
        ("2026-10-16T16:30:00Z", false),
        ("2026-10-23T16:30:00Z", true),
    ] {
        assert_eq!(calendar.covering(at(time)).unwrap().is_some(), expected, "{time}");
    }
}

/// What is not understood is refused with its line. It could have been a freeze.
#[test]
fn what_is_not_understood_is_refused() {
    for (lines, part) in [
        ("SUMMARY:x", "line 3: the event has no DTSTART"),
        ("DTSTART:tomorrow", "line 5: \"tomorrow\" is no date"),
        ("DTSTART;VALUE=DATE:20261324", "is no date"),
        ("DTSTART;VALUE=PERIOD:20261224T180000Z/PT1H", "VALUE=PERIOD is not supported"),
        ("DTSTART;TZID=W. Europe Standard Time:20261224T180000", "is not one of the IANA database"),
        ("DTSTART:20261224T180000Z\nDTEND:20261224T170000Z", "line 6: the event ends before it begins"),
        ("DTSTART:20261224T180000Z\nDTEND:20261224T180000Z", "line 6: the event ends when it begins"),
        ("DTSTART:20261224T180000Z\nDTEND;TZID=Europe/Berlin:20261224T190000", "line 6: the event ends when it begins"),
        ("DTSTART:20261224T180000Z\nDURATION:PT0S", "line 6: the event ends when it begins"),
        ("DTSTART;VALUE=DATE:20261224\nDURATION:P0D", "line 6: the event ends when it begins"),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261223", "line 6: the event ends before it begins"),
        ("DTSTART:20261224T180000Z\nDTEND:20261224T190000Z\nDURATION:PT1H", "both DTEND and DURATION"),
        ("DTSTART:20261224T180000Z\nDURATION:1 hour", "is no duration"),
        ("DTSTART:20261224T180000Z\nDTSTART:20261225T180000Z", "DTSTART twice"),
        ("DTSTART:20261224T180000Z\nRRULE:FREQ=HOURLY", "FREQ=HOURLY is not supported"),
        ("DTSTART:20261224T180000Z\nRRULE:FREQ=DAILY;BYHOUR=1", "BYHOUR"),
        ("DTSTART:20261224T180000Z\nRRULE:FREQ=DAILY;INTERVAL=0", "an interval is 1 or more"),
        ("DTSTART:20261224T180000Z\nRRULE:FREQ=DAILY;UNTIL=soon", "no date and no time"),
        ("DTSTART:20261224T180000Z\nRRULE:BYDAY=MO", "the rule"),
        ("DTSTART:20261224T180000Z\nRRULE:FREQ=WEEKLY;BYDAY=XX", "the rule"),
        ("DTSTART:20261224T180000Z\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY", "EXRULE is not supported"),
        ("RECURRENCE-ID;RANGE=THISANDFUTURE:20261224T180000Z\nDTSTART:20261224T180000Z", "RANGE is not supported"),
        ("no property", "line 5: this is no property"),
    ] {
        let error = parse(&event(lines)).expect_err(lines);
        assert!(error.contains(part), "{lines}: {error}");
    }
    let whole = event("DTSTART;VALUE=DATE:20261224");
    for (text, part) in [
        ("", "no iCalendar file"),
        ("<html>", "no property"),
        ("SUMMARY:x", "no iCalendar file"),
        (whole.trim_end().strip_suffix("END:VCALENDAR").unwrap(), "it ends before END:VCALENDAR; is it complete?"),
        (&whole.replace("END:VEVENT", "END:VTODO"), "closes something that is not open"),
        (&format!("BEGIN:VCALENDAR\n{}", "BEGIN:X\n".repeat(50_000)), "nest too deeply"),
        (&"x".repeat((1 << 20) + 1), "bytes"),
    ] {
        let error = parse(text).expect_err(part);
        assert!(error.contains(part), "{part}: {error}");
    }
}

/// Programs count bytes where they fold, and a character may have several.
#[test]
fn a_line_may_be_folded_within_a_character() {
    let text = event("DTSTART;VALUE=DATE:20261224\nSUMMARY:Büroschluss");
    let mut bytes = text.into_bytes();
    let within = bytes.iter().position(|byte| !byte.is_ascii()).unwrap() + 1;
    let whole = Calendar::parse(&bytes, &berlin()).unwrap();
    bytes.splice(within..within, *b"\r\n ");
    let folded = Calendar::parse(&bytes, &berlin()).unwrap();
    let named = |calendar: &Calendar| calendar.covering(at("2026-12-24T12:00:00Z")).unwrap().unwrap().summary;
    assert_eq!((named(&folded), named(&whole)), ("Büroschluss".to_owned(), "Büroschluss".to_owned()));
    // A half of a character stays what it is.
    bytes.drain(within..within + 4);
    let error = Calendar::parse(&bytes, &berlin()).unwrap_err().to_string();
    assert_eq!(error, "line 6: it is not UTF-8");
}

#[test]
fn a_rule_without_end_is_counted_no_further_than_is_looked() {
    let calendar = parse(&event("DTSTART;VALUE=DATE:19700101\nRRULE:FREQ=DAILY")).unwrap();
    assert!(calendar.covering(at("2026-11-25T12:00:00Z")).unwrap().is_some());
    let error = calendar.occurrences(at("1970-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z")).unwrap_err();
    assert!(error.to_string().contains("more occurrences"), "{error}");
}

const HOLIDAYS: &str = "calendars: [{file: holidays.ics, zone: Europe/Berlin, except: {pipelines: ['hotfix-*'], variables: {KIND: security}}}]";

fn circumstances(pipeline: &str, variables: Result<&[(&str, &str)], &str>) -> Circumstances {
    let owned = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    Circumstances {
        execution: Execution { pipeline: Some(pipeline.to_owned()), ..Execution::default() },
        variables: variables.map(owned).map_err(Unmeasured::new),
    }
}

#[test]
fn a_calendar_freezes_with_exceptions_and_is_an_error_where_it_cannot_be_read() {
    let gate = gate(HOLIDAYS);
    let text = event("DTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas\\, all day");
    let read = parse_calendar(text.as_bytes(), &gate.calendars[0]);
    let now = at("2026-12-25T12:00:00Z");
    for (calendar, whose, state, part) in [
        (
            read.clone(),
            circumstances("web", Ok(&[])),
            State::NotYet,
            "\"Christmas, all day\" in holidays.ics holds until 2026-12-25T23:00:00Z",
        ),
        (read.clone(), circumstances("hotfix-web", Ok(&[])), State::Met, "except for the pipeline hotfix-web"),
        (
            read.clone(),
            circumstances("web", Ok(&[("KIND", "security")])),
            State::Met,
            "except for executions with KIND=security",
        ),
        (read.clone(), circumstances("web", Ok(&[("KIND", "feature")])), State::NotYet, "Christmas"),
        (
            read.clone(),
            circumstances("web", Err("CodePipeline did not answer")),
            State::Error,
            "CodePipeline did not answer",
        ),
        (Err(Unmeasured::new("it is gone")), circumstances("hotfix-web", Ok(&[])), State::Error, "it is gone"),
    ] {
        let calendars = vec![calendar];
        let measured = TimeConditions::new(&gate, &calendars, Some(&whose)).measure(now);
        assert_eq!(measured[0].state, state, "{measured:?}");
        assert!(measured[0].message.contains(part), "{measured:?}");
    }
    let calendars = vec![read];
    let conditions = TimeConditions::new(&gate, &calendars, None);
    assert_eq!(next_opening(&conditions, now), Opening::At(at("2026-12-25T23:00:00Z")));
}

#[test]
fn a_calendar_opens_windows() {
    let gate = gate("windows: [{days: [mon], zone: UTC}]\ncalendars: [{file: w.ics, events: windows, zone: UTC}]");
    let read = parse_calendar(
        event("DTSTART:20261126T090000\nDURATION:PT2H\nSUMMARY:release train").as_bytes(),
        &gate.calendars[0],
    );
    for (calendar, time, state) in [
        (read.clone(), "2026-11-26T10:00:00Z", State::Met),
        (read.clone(), "2026-11-26T11:00:00Z", State::NotYet),
        (read.clone(), "2026-11-30T11:00:00Z", State::Met),
        (Err(Unmeasured::new("gone")), "2026-11-30T11:00:00Z", State::Met),
        (Err(Unmeasured::new("gone")), "2026-11-26T10:00:00Z", State::Error),
    ] {
        let calendars = vec![calendar];
        let measured = TimeConditions::new(&gate, &calendars, None).measure(at(time));
        assert_eq!((measured.len(), measured[0].state), (1, state), "{time} {measured:?}");
    }
    let calendars = vec![read];
    let conditions = TimeConditions::new(&gate, &calendars, None);
    assert_eq!(next_opening(&conditions, at("2026-11-25T12:00:00Z")), Opening::At(at("2026-11-26T09:00:00Z")));
}

/// A calendar that cannot be read could open or close anything.
#[test]
fn when_it_opens_again_is_not_known_without_the_calendars() {
    let gone = || Err(Unmeasured::new("the calendar w.ics cannot be read: it is gone"));
    let endless =
        || Ok(parse(&event("DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=DAILY;BYMONTHDAY=1,2,3,4,5,6,7")).unwrap());
    let in_calendar = "calendars: [{file: w.ics, events: windows, zone: UTC}]";
    let freezes = "calendars: [{file: w.ics, zone: UTC}]";
    let frozen = "freezes: [{name: f, from: 2026-11-20, to: 2036-11-27, zone: UTC}]";
    for (keys, calendar, part) in [
        (in_calendar.to_owned(), gone(), Some("it is gone")),
        (format!("windows: [{{days: [mon], zone: UTC}}]\n{freezes}"), gone(), Some("it is gone")),
        (format!("{frozen}\n{freezes}"), endless(), None),
    ] {
        let (gate, calendars) = (gate(&keys), vec![calendar]);
        let found = next_opening(&TimeConditions::new(&gate, &calendars, None), at("2026-11-25T12:00:00Z"));
        match (&found, part) {
            (Opening::Never, None) => {}
            (Opening::Unknown(why), Some(part)) => assert!(why.to_string().contains(part), "{keys}: {why}"),
            _ => panic!("{keys}: {found:?}"),
        }
    }
    // A window that stands in the policy opens whatever the calendar of windows says.
    let gate = gate(&format!("windows: [{{days: [mon], zone: UTC}}]\n{in_calendar}"));
    let calendars = vec![gone()];
    let found = next_opening(&TimeConditions::new(&gate, &calendars, None), at("2026-11-25T12:00:00Z"));
    assert_eq!(found, Opening::At(at("2026-11-30T00:00:00Z")));
}

proptest! {
    /// Whatever is in the file: an answer, in time, and the same each time.
    #[test]
    fn hostile_files_are_answered(lines in proptest::collection::vec(
        "(BEGIN|END|DTSTART|DTEND|DURATION|RRULE|EXDATE|RDATE|UID|RECURRENCE-ID|STATUS)(;(TZID|VALUE)=[A-Za-z/\"]{0,12}){0,2}:(VEVENT|VCALENDAR|[0-9TZ]{0,17}|P[0-9DTHW]{0,8}|FREQ=(DAILY|YEARLY);[A-Z]{2,9}=[-0-9A-Z,]{0,9}|.{0,20})",
        0..12,
    )) {
        let text = format!("BEGIN:VCALENDAR\n{}\nEND:VCALENDAR\n", lines.join("\n"));
        let once = parse(&text).map(|calendar| calendar.covering(at("2026-11-25T12:00:00Z")).ok());
        let again = parse(&text).map(|calendar| calendar.covering(at("2026-11-25T12:00:00Z")).ok());
        prop_assert_eq!(once, again);
    }

    /// A file that is cut is refused, or says the same.
    #[test]
    fn a_cut_file_says_nothing_else(cut in 0_usize..200) {
        let whole = event("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY\nSUMMARY:Christmas");
        let cut = whole.len().saturating_sub(cut);
        if let Ok(calendar) = Calendar::parse(&whole.as_bytes()[..cut], &berlin()) {
            prop_assert!(calendar.covering(at("2030-12-25T12:00:00Z")).unwrap().is_some());
        }
    }
}
