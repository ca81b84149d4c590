//! Templates as people write them.

#![expect(clippy::unwrap_used, reason = "the lint knows test functions but not what they call")]

mod delivery;
mod deployed;
mod expressions;
mod functions;
mod mistakes;
mod roles;
mod security_page;
mod wiring;

use stagegate_local_template::{Settings, Template, parse_template};

/// A template with a function that has what it must have, and `more` behind its properties.
fn function(more: &str) -> String {
    format!(
        "Transform: AWS::Serverless-2016-10-31\n\
         Resources:\n  \
           Gate:\n    \
             Type: AWS::Serverless::Function\n    \
             Properties:\n      \
               CodeUri: ../functions/gate\n      \
               Handler: bootstrap\n      \
               Runtime: provided.al2023\n{more}"
    )
}

fn read(text: &str) -> Template {
    parse_template(text, "template.yaml", &Settings::default()).unwrap()
}
