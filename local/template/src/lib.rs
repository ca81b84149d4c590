//! Reads what the local AWS wires from infra/template.yaml.
