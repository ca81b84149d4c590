//! The `Rules` section: what CloudFormation refuses before it changes anything (CloudFormation guide, "Rules").

use crate::error::{Problem, Result};
use crate::evaluate::Evaluator;
use crate::properties::{Properties, list};
use crate::yaml::Node;

/// Fails at the first assertion that does not hold. Functions that only rules have, such as `Fn::Contains`, are not
/// supported.
pub(crate) fn check_rules(section: Option<&Node>, evaluator: &Evaluator<'_>) -> Result<()> {
    let Some(section) = section else { return Ok(()) };
    for entry in Properties::of(section, "`Rules`")?.entries() {
        let rule = Properties::of(&entry.value, "a rule")?;
        rule.only(&["Assertions", "RuleCondition"], "a rule")?;
        let applies = rule.get("RuleCondition").map(|condition| evaluator.condition_value(condition)).transpose()?;
        for assertion in list(rule.require("Assertions", "a rule")?, "Assertions")? {
            let given = Properties::of(assertion, "an assertion")?;
            given.only(&["Assert", "AssertDescription"], "an assertion")?;
            let holds = evaluator.condition_value(given.require("Assert", "an assertion")?)?;
            if applies.unwrap_or(true) && !holds {
                let why = given.string("AssertDescription")?.unwrap_or_else(|| "an assertion does not hold".to_owned());
                let why = why.trim_end_matches('.');
                return Err(Problem::setting(format!("the rule `{}` is broken by the parameters: {why}", entry.key)));
            }
        }
    }
    Ok(())
}
