//! What a declaration's conditions must hold (AWS CodePipeline guide, "Configure conditions for a stage").

use super::conditions::ConditionResult as Outcome;
use super::rule_types::{RuleType, problem};
use super::structure::{Checked, Earlier, duplicate};
use super::{
    ActionTypeId, ActionTypes, Condition, ExecutionMode, Moment, PipelineDeclaration, RuleDeclaration, StageDeclaration,
};
use crate::error::ApiError;

impl PipelineDeclaration {
    /// Checks the condition of one moment; `earlier` offers what has been made by then.
    pub(super) fn check_condition(
        &self,
        stage: &StageDeclaration,
        moment: Moment,
        types: &ActionTypes,
        earlier: &Earlier<'_>,
    ) -> Checked {
        if moment == Moment::OnFailure {
            self.check_failure_result(stage)?;
        }
        let Some(condition) = stage.condition(moment) else { return Ok(()) };
        let place = format!("stage {}: {}", stage.name, moment.member());
        self.check_result(stage, condition.result, moment)?;
        check_rules(condition, &place)?;
        for rule in &condition.rules {
            let place = format!("rule {} in {} of stage {}", rule.name, moment.member(), stage.name);
            if let Some(problem) = problem(rule) {
                return wrong(format!("{place} {problem}"));
            }
            check_commands(rule, types, &place)?;
            for artifact in &rule.input_artifacts {
                if !earlier.makes(&artifact.name) {
                    let name = &artifact.name;
                    return wrong(format!("{place} takes the artifact {name}, which no action before it makes"));
                }
            }
            earlier.check_rule_references(rule, &place)?;
        }
        Ok(())
    }

    fn check_failure_result(&self, stage: &StageDeclaration) -> Checked {
        let Some(failure) = &stage.on_failure else { return Ok(()) };
        let name = &stage.name;
        self.check_result(stage, failure.result, Moment::OnFailure)?;
        if failure.result == Some(Outcome::Retry) && !failure.conditions.is_empty() {
            return wrong(format!(
                "stage {name}: onFailure has the result RETRY and conditions; an automatic retry cannot have conditions"
            ));
        }
        let retries = failure.result == Some(Outcome::Retry)
            || failure.conditions.iter().any(|condition| condition.result == Some(Outcome::Retry));
        if failure.retry_configuration.is_some() && !retries {
            return wrong(format!("stage {name}: onFailure has a retryConfiguration, but its result is not RETRY"));
        }
        Ok(())
    }

    fn check_result(&self, stage: &StageDeclaration, result: Option<Outcome>, moment: Moment) -> Checked {
        let Some(result) = result else { return Ok(()) };
        let (name, member) = (&stage.name, moment.member());
        let allowed: &[Outcome] = match moment {
            Moment::BeforeEntry => &[Outcome::Fail, Outcome::Skip],
            Moment::OnSuccess => &[Outcome::Rollback, Outcome::Fail],
            Moment::OnFailure => &[Outcome::Rollback, Outcome::Retry, Outcome::Fail],
        };
        if !allowed.contains(&result) {
            let allowed: Vec<_> = allowed.iter().map(ToString::to_string).collect();
            return wrong(format!("stage {name}: {member} has the result {result}; it may be {}", allowed.join(", ")));
        }
        if result != Outcome::Rollback {
            return Ok(());
        }
        if self.stages.first().is_some_and(|first| first.name == *name) {
            return wrong(format!(
                "stage {name}: {member} has the result ROLLBACK; the source stage cannot be rolled back"
            ));
        }
        if self.execution_mode == ExecutionMode::Parallel {
            return wrong(format!(
                "stage {name}: {member} has the result ROLLBACK, which the mode PARALLEL does not have"
            ));
        }
        Ok(())
    }
}

fn check_rules(condition: &Condition, place: &str) -> Checked {
    if condition.rules.is_empty() {
        return wrong(format!("{place} has a condition without rules"));
    }
    if let Some(name) = duplicate(condition.rules.iter().map(|rule| rule.name.as_str())) {
        return wrong(format!("{place} has two rules named {name}"));
    }
    let may_skip = |rule: &&RuleDeclaration| {
        matches!(RuleType::of(&rule.rule_type_id.provider), Some(RuleType::LambdaInvoke | RuleType::VariableCheck))
    };
    if condition.result == Some(Outcome::Skip)
        && let Some(rule) = condition.rules.iter().find(|rule| !may_skip(rule))
    {
        let (name, provider) = (&rule.name, &rule.rule_type_id.provider);
        return wrong(format!(
            "{place} has the result SKIP and the rule {name} of the type {provider}; with SKIP only LambdaInvoke and VariableCheck are allowed"
        ));
    }
    Ok(())
}

fn check_commands(rule: &RuleDeclaration, types: &ActionTypes, place: &str) -> Checked {
    if RuleType::of(&rule.rule_type_id.provider) == Some(RuleType::Commands) && !types.contains(&commands_type()) {
        return wrong(format!("{place} runs commands, for which the local CodePipeline has no provider"));
    }
    Ok(())
}

/// The action type whose provider runs the commands of rules.
pub(crate) fn commands_type() -> ActionTypeId {
    ActionTypeId {
        category: "Compute".to_owned(),
        owner: "AWS".to_owned(),
        provider: "Commands".to_owned(),
        version: "1".to_owned(),
    }
}

fn wrong(message: String) -> Checked {
    Err(ApiError::new("InvalidStageDeclarationException", message))
}
