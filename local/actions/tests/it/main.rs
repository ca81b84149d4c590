//! The action providers with real shells, real files and real HTTP.

mod codebuild;
mod codedeploy;
mod example;
mod others;
mod source;
mod support;
mod unpack;
