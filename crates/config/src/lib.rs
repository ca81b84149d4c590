//! `stagegate.yaml`: what the platform team decides about channels, gates, approvals and
//! notifications, and the `UserParameters` by which a pipeline picks one.
//!
//! Reading is strict: an unknown key, a bad pattern or a limit out of range fails at load, with file, line, column and,
//! where one is near, the key that was probably meant. The crate knows no AWS SDK and no Lambda runtime.

mod approval;
mod channel;
mod coverage_policy;
mod delivery;
mod entry;
mod error;
mod gate;
mod length;
mod name_patterns;
mod notice_kind;
mod notification;
mod parameters;
mod pattern;
mod percentage;
mod places;
pub mod release;
mod rule;
mod sarif_policy;
#[cfg(feature = "schema")]
mod schema;
pub mod smoke;
mod suggest;
mod templates;
mod test_gate;
mod tests_policy;

use std::collections::BTreeMap;
use std::path::Path;

use approval::ApprovalFault;
use channel::ChannelEntry;
use entry::GateEntry;
use gate::Fault;
use notification::NotificationEntry;
use serde::Deserialize;
use templates::TemplatesEntry;

pub use approval::{ApprovalPolicy, Approvers, CommentRule, Escalation, WhenFailed};
pub use channel::{Channel, ChannelKind, WebhookChannel, WebhookUrl};
pub use coverage_policy::CoveragePolicy;
pub use delivery::DeliveryRule;
pub use error::{ConfigError, Place};
pub use gate::{Gate, WrongKind};
pub use length::Length;
pub use name_patterns::NamePatterns;
pub use notice_kind::NoticeKind;
pub use notification::{Notification, NotificationSource, OncePer, QuietHours};
pub use parameters::{GateChoice, MAX_USER_PARAMETERS_CHARS, ParametersError, UserParameters};
pub use pattern::{NamePattern, ReportFiles};
pub use percentage::Percentage;
pub use places::Places;
pub use release::ReleaseGate;
pub use rule::Rule;
pub use sarif_policy::{SarifPolicy, Severity};
#[cfg(feature = "schema")]
pub use schema::json_schema;
pub use smoke::SmokeGate;
pub use suggest::nearest;
pub use templates::{TemplateEntry, TemplateForm, TemplateSource, TemplateSubject, template_subject_name};
pub use test_gate::{Provenance, TestGate, WithoutBaseline};
pub use tests_policy::{CodeBuildReports, Quarantine, TestsPolicy};

/// The most bytes of a `stagegate.yaml` that are read.
pub const MAX_CONFIG_BYTES: u64 = 1024 * 1024;

/// A whole `stagegate.yaml`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    channels: BTreeMap<String, Channel>,
    gates: BTreeMap<String, Gate>,
    approvals: Vec<ApprovalPolicy>,
    notifications: Vec<Notification>,
    templates: Vec<TemplateEntry>,
    delivery: Vec<DeliveryRule>,
}

/// A whole `stagegate.yaml`.
// As it is written; `Config` is what is made of it.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::root))]
#[serde(deny_unknown_fields)]
struct Document {
    /// The places where people hear of something, by name.
    #[serde(default)]
    channels: BTreeMap<String, ChannelEntry>,
    /// The gates by name.
    #[serde(default)]
    gates: BTreeMap<String, GateEntry>,
    /// Which manual approvals are decided how. Of several that match an approval, the first one holds.
    #[serde(default)]
    approvals: Vec<ApprovalPolicy>,
    /// Who hears of what. Every entry that matches counts, and a channel hears of each thing once.
    #[serde(default)]
    notifications: Vec<NotificationEntry>,
    /// Messages in words of one's own, by what they tell. What has no template is told in the words of Stagegate.
    #[serde(default)]
    templates: TemplatesEntry,
    /// Which stage of which pipeline is production, for the metrics of delivery. Of several that match, the first one holds;
    /// without any, it is the stage `Production` of every pipeline.
    #[serde(default)]
    delivery: Vec<DeliveryRule>,
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is larger than [`MAX_CONFIG_BYTES`], or is not a valid configuration.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let unreadable = |error: std::io::Error| ConfigError::unreadable(&name, &error);
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_CONFIG_BYTES {
            return Err(ConfigError::too_large(&name, size));
        }
        Self::parse(&name, &std::fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Reads a configuration from `text`; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// If `text` is not a valid configuration.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        let document: Document = serde_saphyr::from_str(text).map_err(|error| ConfigError::invalid(name, &error))?;
        let mut config = Self { delivery: document.delivery, ..Self::default() };
        let at = |entry: &[&str], below: &[String]| {
            let below = below.iter().map(String::as_str);
            Places::read(text).of(&entry.iter().copied().chain(below).collect::<Vec<_>>())
        };
        for (gate, entry) in document.gates {
            let made = entry.gate().map_err(|Fault { path, what }| {
                ConfigError::bad_gate(name, at(&["gates", &gate], &path), &gate, &what)
            })?;
            config.gates.insert(gate, made);
        }
        for (channel, entry) in document.channels {
            let made = entry.channel().map_err(|Fault { path, what }| {
                let position = at(&["channels", &channel], &path);
                ConfigError::new(name, position, format!("the channel {channel:?} {what}"))
            })?;
            config.channels.insert(channel, made);
        }
        for (number, approval) in document.approvals.into_iter().enumerate() {
            config.check_approval(&approval).map_err(|ApprovalFault { path, what }| {
                let number = number.to_string();
                let position = Places::read(text).of(&[&["approvals", &number], path].concat());
                let pipeline = approval.pipeline.as_str();
                ConfigError::new(name, position, format!("the approval of {pipeline:?} {what}"))
            })?;
            config.approvals.push(approval);
        }
        for (number, entry) in document.notifications.into_iter().enumerate() {
            let made = entry.notification(&config).map_err(|Fault { path, what }| {
                let position = at(&["notifications", &number.to_string()], &path);
                ConfigError::new(name, position, format!("notification {} {what}", number + 1))
            })?;
            config.notifications.push(made);
        }
        config.templates = document.templates.entries();
        Ok(config)
    }

    fn check_approval(&self, approval: &ApprovalPolicy) -> Result<(), ApprovalFault> {
        let escalation = approval.escalate.as_ref().map(|escalation| &escalation.channel);
        let named: [(&'static [&'static str], _); 2] =
            [(&["channel"], Some(&approval.channel)), (&["escalate", "channel"], escalation)];
        for (path, channel) in named.into_iter().filter_map(|(path, channel)| Some((path, channel?))) {
            if let Err(unknown) = self.channel(channel) {
                return Err(ApprovalFault {
                    path,
                    what: format!("names a channel that is not there: failed to {unknown}"),
                });
            }
        }
        self.check_automatic(approval)?;
        approval.fault().map_or(Ok(()), Err)
    }

    /// A gate that answers approvals is there, decides about releases, and needs nothing that only an action has.
    fn check_automatic(&self, approval: &ApprovalPolicy) -> Result<(), ApprovalFault> {
        let Some(name) = &approval.automatic else { return Ok(()) };
        let fault = |what: String| Err(ApprovalFault { path: &["automatic"], what });
        let gate = match self.gate(name) {
            Ok(gate) => gate,
            Err(unknown) => return fault(format!("is answered by a gate that is not there: failed to {unknown}")),
        };
        let Gate::Release(release) = gate else {
            let does = gate.kind().does();
            return fault(format!(
                "is answered by the gate {name:?}, which {does}; name one that decides whether a release may go on"
            ));
        };
        match release.calendars.iter().find_map(|calendar| calendar.artifact.as_ref()) {
            Some(artifact) => fault(format!(
                "is answered by the gate {name:?}, which reads a calendar in the artifact {artifact}, and an approval has no \
                 artifacts; put the calendar beside stagegate.yaml"
            )),
            None => Ok(()),
        }
    }

    /// The channel of this name.
    ///
    /// # Errors
    ///
    /// If there is none; the error names the nearest one and all that there are.
    pub fn channel(&self, name: &str) -> Result<&Channel, UnknownChannel> {
        self.channels.get(name).ok_or_else(|| UnknownChannel {
            name: name.to_owned(),
            nearest: nearest(name, self.channels.keys().map(String::as_str)).map(str::to_owned),
            known: self.channels.keys().cloned().collect(),
        })
    }

    /// The channels and their names, in the order of the names.
    pub fn channels(&self) -> impl Iterator<Item = (&str, &Channel)> {
        self.channels.iter().map(|(name, channel)| (name.as_str(), channel))
    }

    /// What is said about the approvals of an action; `None` where nothing is, so that they are not Stagegate's.
    pub fn approval(&self, pipeline: &str, stage: &str, action: &str) -> Option<&ApprovalPolicy> {
        self.approvals.iter().find(|approval| approval.matches(pipeline, stage, action))
    }

    /// All that is said about approvals, in the order of the file.
    pub fn approvals(&self) -> &[ApprovalPolicy] {
        &self.approvals
    }

    /// Who hears of what, in the order of the file. Every route that matches counts.
    pub fn notifications(&self) -> &[Notification] {
        &self.notifications
    }

    /// The templates of messages.
    pub fn templates(&self) -> &[TemplateEntry] {
        &self.templates
    }

    /// The gate of this name.
    ///
    /// # Errors
    ///
    /// If there is none; the error names the nearest one and all that there are.
    pub fn gate(&self, name: &str) -> Result<&Gate, UnknownGate> {
        self.gates.get(name).ok_or_else(|| UnknownGate {
            name: name.to_owned(),
            nearest: nearest(name, self.gates.keys().map(String::as_str)).map(str::to_owned),
            known: self.gates.keys().cloned().collect(),
        })
    }

    /// The gates and their names, in the order of the names.
    pub fn gates(&self) -> impl Iterator<Item = (&str, &Gate)> {
        self.gates.iter().map(|(name, gate)| (name.as_str(), gate))
    }
}

/// A gate that `stagegate.yaml` does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("find the gate {name:?} in stagegate.yaml{}; it has {}", did_you_mean(.nearest.as_deref()), list(.known))]
pub struct UnknownGate {
    /// The name that was asked for.
    pub name: String,
    /// The known name nearest to it, where one is near.
    pub nearest: Option<String>,
    /// All gates that there are.
    pub known: Vec<String>,
}

/// A channel that `stagegate.yaml` does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("find the channel {name:?} in stagegate.yaml{}; it has {}", did_you_mean(.nearest.as_deref()), channels(.known))]
pub struct UnknownChannel {
    /// The name that was asked for.
    pub name: String,
    /// The known name nearest to it, where one is near.
    pub nearest: Option<String>,
    /// All channels that there are.
    pub known: Vec<String>,
}

fn channels(names: &[String]) -> String {
    if names.is_empty() { "no channels".to_owned() } else { names.join(", ") }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "no gates".to_owned() } else { names.join(", ") }
}
