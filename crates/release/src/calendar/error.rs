//! What can be wrong with a calendar file.

/// A calendar file that cannot be used. Reads as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct CalendarError {
    line: Option<usize>,
    problem: Problem,
}

impl CalendarError {
    pub(super) fn at(line: usize, problem: Problem) -> Self {
        Self { line: Some(line), problem }
    }

    pub(super) fn whole(problem: Problem) -> Self {
        Self { line: None, problem }
    }
}

impl std::fmt::Display for CalendarError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => self.problem.fmt(f),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("it has {0} bytes, and at most {max} are read", max = super::lines::MAX_BYTES)]
    TooLarge(usize),
    #[error("it is not UTF-8")]
    NoText,
    #[error("it is no iCalendar file: everything stands between BEGIN:VCALENDAR and END:VCALENDAR")]
    NoCalendar,
    #[error("END:{0} closes something that is not open")]
    Unbalanced(String),
    #[error("components nest too deeply")]
    TooDeep,
    #[error("it ends before END:{0}; is it complete?")]
    Truncated(String),
    #[error("this is no property of the form NAME:VALUE")]
    NoProperty,
    #[error("it has more than {0} events")]
    TooManyEvents(usize),
    #[error("the event has no {0}")]
    Missing(&'static str),
    #[error("the event has {0} twice")]
    Twice(String),
    #[error("{0} is no date and no time of the forms 20261224, 20261224T180000 and 20261224T180000Z")]
    NoTime(String),
    #[error(
        "the time zone {0} is not one of the IANA database, and the file's own definitions are not read; export the calendar with IANA names"
    )]
    UnknownZone(String),
    #[error("{0} is no duration such as PT8H or P1D")]
    NoDuration(String),
    #[error("the event ends before it begins")]
    Backwards,
    #[error("the event ends when it begins and so takes no time; its end must be later")]
    NoLength,
    #[error("the event has both DTEND and DURATION")]
    TwoEnds,
    #[error("{0} is not supported; write the events out one by one")]
    Unsupported(String),
    #[error("the rule {rule} cannot be used: {reason}")]
    BadRule { rule: String, reason: String },
    #[error("the rule {0} gives more occurrences than are counted")]
    TooManyOccurrences(String),
    #[error("the time is out of range")]
    OutOfRange,
}
