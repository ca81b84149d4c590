//! Logs without secrets.

use std::str::FromStr as _;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Nothing is ever logged at TRACE: `lambda_runtime` logs the event there, with the artifact credentials in it.
const MOST: LevelFilter = LevelFilter::DEBUG;

/// Crates that log requests, responses or keys at DEBUG, and the most that they may log.
const CAPPED: [(&str, LevelFilter); 10] = [
    ("aws_config", LevelFilter::INFO),
    ("aws_credential_types", LevelFilter::INFO),
    ("aws_runtime", LevelFilter::INFO),
    ("aws_sdk_", LevelFilter::INFO),
    ("aws_sigv4", LevelFilter::INFO),
    ("aws_smithy_", LevelFilter::INFO),
    ("h2", LevelFilter::WARN),
    ("hyper", LevelFilter::WARN),
    ("reqwest", LevelFilter::WARN),
    ("rustls", LevelFilter::WARN),
];

/// Writes logs to the standard output, as JSON objects unless `AWS_LAMBDA_LOG_FORMAT` is `Text`.
///
/// The level is that of `AWS_LAMBDA_LOG_LEVEL` (AWS Lambda guide, advanced logging controls), else that of `RUST_LOG`,
/// else INFO. `RUST_LOG` may also give levels for single crates, as in `info,my_gate=debug`. TRACE is never reached,
/// and the crates that the AWS SDK is made of stay at INFO or above: they log requests, and `lambda_runtime` logs
/// the event with its credentials.
///
/// When logging has been set up already, nothing happens.
pub fn init_logging() {
    let variable = |name| std::env::var(name).ok();
    let levels = levels(variable("AWS_LAMBDA_LOG_LEVEL").as_deref(), variable("RUST_LOG").as_deref());
    let text = variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("text"));
    let registry = tracing_subscriber::registry().with(levels);
    let set = if text {
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).without_time();
        registry.with(layer).try_init()
    } else {
        let layer = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false);
        registry.with(layer).try_init()
    };
    if set.is_err() {
        tracing::debug!("logging was set up before");
    }
}

/// What may be logged, by crate.
fn levels(lambda: Option<&str>, rust_log: Option<&str>) -> Targets {
    let mut default = None;
    let mut named = Vec::new();
    for directive in rust_log.unwrap_or_default().split(',').map(str::trim) {
        match directive.split_once('=') {
            Some((target, level)) => named.extend(parse(level).map(|level| (target.trim(), level))),
            None => default = parse(directive).or(default),
        }
    }
    let default = lambda.and_then(parse).or(default).unwrap_or(LevelFilter::INFO);
    let mut targets = Targets::new().with_default(default);
    for (target, most) in CAPPED {
        targets = targets.with_target(target, default.min(most));
    }
    for (target, level) in named {
        let capped = CAPPED.iter().find(|(capped, _)| target.starts_with(capped));
        targets = targets.with_target(target, capped.map_or(level, |(_, most)| level.min(*most)));
    }
    targets
}

/// Reads a level of AWS Lambda or of Rust.
fn parse(level: &str) -> Option<LevelFilter> {
    let level = level.trim();
    if level.is_empty() {
        return None;
    }
    if level.eq_ignore_ascii_case("fatal") {
        return Some(LevelFilter::ERROR);
    }
    LevelFilter::from_str(level).ok().map(|level| level.min(MOST))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn trace_is_never_reached() {
        for (lambda, rust_log) in [
            (Some("TRACE"), None),
            (None, Some("trace")),
            (Some("trace"), Some("trace,lambda_runtime=trace,aws_smithy_runtime=trace,hyper=trace,h2::codec=trace")),
            (None, Some("lambda_runtime::layers=trace,=trace,aws_sdk_s3=5,hyper=5")),
        ] {
            let levels = levels(lambda, rust_log);
            for target in ["lambda_runtime", "lambda_runtime::layers::api_response", "aws_smithy_runtime", "hyper", "x"]
            {
                assert!(!levels.would_enable(target, &Level::TRACE), "{lambda:?} {rust_log:?} {target}");
            }
            for target in ["aws_smithy_runtime::client", "aws_sdk_s3", "aws_sigv4", "hyper_util", "h2::codec"] {
                assert!(!levels.would_enable(target, &Level::DEBUG), "{lambda:?} {rust_log:?} {target}");
            }
        }
    }

    #[test]
    fn levels_follow_the_environment() {
        for (lambda, rust_log, target, expected) in [
            (None, None, "gate", LevelFilter::INFO),
            (Some("DEBUG"), Some("error"), "gate", LevelFilter::DEBUG),
            (Some("FATAL"), None, "gate", LevelFilter::ERROR),
            (Some("nonsense"), Some("warn"), "gate", LevelFilter::WARN),
            (None, Some("warn, gate = debug"), "gate::policy", LevelFilter::DEBUG),
            (None, Some("warn,gate=debug"), "other", LevelFilter::WARN),
            (Some("ERROR"), None, "aws_smithy_runtime", LevelFilter::ERROR),
            (None, Some("off"), "gate", LevelFilter::OFF),
        ] {
            let levels = levels(lambda, rust_log);
            for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
                let enabled = levels.would_enable(target, &level);
                assert_eq!(enabled, level <= expected, "{lambda:?} {rust_log:?} {target} {level}");
            }
        }
    }
}
