//! A local CodePipeline: the engine and its JSON 1.1 API.

pub mod provider;
