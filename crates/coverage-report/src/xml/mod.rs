//! Formats made of XML.

pub(crate) mod clover;
pub(crate) mod cobertura;
pub(crate) mod jacoco;
pub(crate) mod opencover;
