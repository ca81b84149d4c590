//! The compute platforms with functions in their lifecycle hooks, and how they shift traffic.

use std::time::Duration;

/// `ComputePlatform` of the AWS model, without `Server`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// An alias is led from one version of a function to another.
    Lambda,
    /// A task set takes the place of another.
    Ecs,
}

/// What happens in a lifecycle event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A function is asked, where the AppSpec names one.
    Hook,
    /// The replacement comes into being.
    Install,
    /// The replacement gets test traffic.
    TestTraffic,
    /// The replacement gets production traffic.
    Traffic,
}

const LAMBDA: [(&str, Step); 3] =
    [("BeforeAllowTraffic", Step::Hook), ("AllowTraffic", Step::Traffic), ("AfterAllowTraffic", Step::Hook)];

const ECS: [(&str, Step); 8] = [
    ("BeforeInstall", Step::Hook),
    ("Install", Step::Install),
    ("AfterInstall", Step::Hook),
    ("AllowTestTraffic", Step::TestTraffic),
    ("AfterAllowTestTraffic", Step::Hook),
    ("BeforeAllowTraffic", Step::Hook),
    ("AllowTraffic", Step::Traffic),
    ("AfterAllowTraffic", Step::Hook),
];

impl Platform {
    /// The name in the AWS model.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lambda => "Lambda",
            Self::Ecs => "ECS",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Lambda, Self::Ecs].into_iter().find(|platform| platform.name() == name)
    }

    /// The lifecycle events in their order (AWS CodeDeploy guide, "AppSpec 'hooks' section"), without Start and End, in
    /// which nothing happens here.
    pub(crate) fn lifecycle(self) -> &'static [(&'static str, Step)] {
        match self {
            Self::Lambda => &LAMBDA,
            Self::Ecs => &ECS,
        }
    }

    /// The events in which a function can be asked.
    pub(crate) fn hooks(self) -> impl Iterator<Item = &'static str> {
        self.lifecycle().iter().filter(|(_, step)| *step == Step::Hook).map(|(name, _)| *name)
    }

    /// The deployment configuration where none is named. AWS documents `CodeDeployDefault.OneAtATime`, which is none of
    /// these platforms; all at once is assumed.
    pub(crate) fn default_config(self) -> &'static DeploymentConfig {
        let name = match self {
            Self::Lambda => "CodeDeployDefault.LambdaAllAtOnce",
            Self::Ecs => "CodeDeployDefault.ECSAllAtOnce",
        };
        CONFIGS.iter().find(|config| config.name == name).unwrap_or(&CONFIGS[0])
    }
}

/// How traffic is shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeploymentConfig {
    pub(crate) name: &'static str,
    pub(crate) platform: Platform,
    routing: Routing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Routing {
    AllAtOnce,
    Canary { percent: u8, minutes: u8 },
    Linear { percent: u8, minutes: u8 },
}

/// The predefined deployment configurations (AWS CodeDeploy guide, "Working with deployment configurations").
const CONFIGS: [DeploymentConfig; 14] = [
    config("CodeDeployDefault.LambdaAllAtOnce", Platform::Lambda, Routing::AllAtOnce),
    config("CodeDeployDefault.LambdaCanary10Percent5Minutes", Platform::Lambda, canary(5)),
    config("CodeDeployDefault.LambdaCanary10Percent10Minutes", Platform::Lambda, canary(10)),
    config("CodeDeployDefault.LambdaCanary10Percent15Minutes", Platform::Lambda, canary(15)),
    config("CodeDeployDefault.LambdaCanary10Percent30Minutes", Platform::Lambda, canary(30)),
    config("CodeDeployDefault.LambdaLinear10PercentEvery1Minute", Platform::Lambda, linear(1)),
    config("CodeDeployDefault.LambdaLinear10PercentEvery2Minutes", Platform::Lambda, linear(2)),
    config("CodeDeployDefault.LambdaLinear10PercentEvery3Minutes", Platform::Lambda, linear(3)),
    config("CodeDeployDefault.LambdaLinear10PercentEvery10Minutes", Platform::Lambda, linear(10)),
    config("CodeDeployDefault.ECSAllAtOnce", Platform::Ecs, Routing::AllAtOnce),
    config("CodeDeployDefault.ECSCanary10Percent5Minutes", Platform::Ecs, canary(5)),
    config("CodeDeployDefault.ECSCanary10Percent15Minutes", Platform::Ecs, canary(15)),
    config("CodeDeployDefault.ECSLinear10PercentEvery1Minutes", Platform::Ecs, linear(1)),
    config("CodeDeployDefault.ECSLinear10PercentEvery3Minutes", Platform::Ecs, linear(3)),
];

const fn config(name: &'static str, platform: Platform, routing: Routing) -> DeploymentConfig {
    DeploymentConfig { name, platform, routing }
}

const fn canary(minutes: u8) -> Routing {
    Routing::Canary { percent: 10, minutes }
}

const fn linear(minutes: u8) -> Routing {
    Routing::Linear { percent: 10, minutes }
}

impl DeploymentConfig {
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        CONFIGS.iter().find(|config| config.name == name)
    }

    /// The names of all configurations of a platform.
    pub(crate) fn names(platform: Platform) -> Vec<&'static str> {
        CONFIGS.iter().filter(|config| config.platform == platform).map(|config| config.name).collect()
    }

    /// The percentages that the replacement gets one after the other, and how long each is kept.
    pub(crate) fn shifts(&self) -> Vec<(u8, Duration)> {
        let wait = |minutes: u8| Duration::from_secs(60 * u64::from(minutes));
        let all = (100, Duration::ZERO);
        match self.routing {
            Routing::AllAtOnce => vec![all],
            Routing::Canary { percent, minutes } => vec![(percent, wait(minutes)), all],
            Routing::Linear { percent, minutes } => {
                let parts = (1..100 / percent).map(|part| (part * percent, wait(minutes)));
                parts.chain([all]).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_configuration_ends_with_all_traffic() {
        for config in &CONFIGS {
            let shifts = config.shifts();
            assert!(shifts.is_sorted_by(|one, next| one.0 < next.0), "{config:?}: {shifts:?}");
            assert_eq!(shifts.last(), Some(&(100, Duration::ZERO)), "{config:?}");
            assert!(config.name.contains(config.platform.name()), "{config:?}");
        }
        let minutes = |name: &str| {
            let shifts = DeploymentConfig::find(name).unwrap().shifts();
            (shifts.len(), shifts.iter().map(|(_, wait)| wait.as_secs()).sum::<u64>() / 60)
        };
        assert_eq!(minutes("CodeDeployDefault.LambdaCanary10Percent5Minutes"), (2, 5));
        assert_eq!(minutes("CodeDeployDefault.ECSLinear10PercentEvery3Minutes"), (10, 27));
    }
}
