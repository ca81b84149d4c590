//! What smoke tests may reach.

use stagegate_config::smoke::NetworkRules;
use stagegate_hurl_runner::{InvalidPolicy, NetworkPolicy, Outbound};

/// A rule that the runner does not understand. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use the network rules of the gate: {0}")]
pub struct InvalidNetwork(#[from] InvalidPolicy);

/// Connections under the rules of a policy. The Lambda Runtime API is never reached, whatever they say.
///
/// # Errors
///
/// If a host or network is none; the configuration checks that before.
pub fn outbound(rules: &NetworkRules) -> Result<Outbound, InvalidNetwork> {
    Ok(Outbound::new(policy(rules)?))
}

/// The same, with the loopback addresses open: for a person who tests what runs on the same machine.
///
/// # Errors
///
/// As [`outbound`].
pub fn outbound_with_loopback(rules: &NetworkRules) -> Result<Outbound, InvalidNetwork> {
    let policy = policy(rules)?.allow_network("127.0.0.0/8".parse()?).allow_network("::1".parse()?);
    Ok(Outbound::new(policy))
}

fn policy(rules: &NetworkRules) -> Result<NetworkPolicy, InvalidPolicy> {
    NetworkPolicy::written(rules.hosts(), rules.networks(), rules.deny_private)
}

#[cfg(test)]
mod tests {
    use stagegate_config::Config;

    use super::*;

    /// The configuration checks hosts and networks by itself, because it knows no network; both must agree.
    #[test]
    fn what_the_configuration_takes_the_runner_takes() {
        let hosts = ["a.b", "*.a.b", "a.b:8443", "[::1]:80", "127.0.0.1", "A-1_2.b.", "*.a:1", "::1"];
        let networks = ["10.0.0.0/8", "::1", "127.0.0.1", "fd00::/8", "0.0.0.0/0", "::/0"];
        let refused =
            ["", "a b", "https://a", "a/b", "a:99999", "*.", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "localhost"];
        for (key, values) in [("allow_hosts", hosts.as_slice()), ("allow_networks", &networks)] {
            for value in values.iter().chain(&refused) {
                let text = format!("gates: {{s: {{hurl: [a], network: {{{key}: ['{value}']}}}}}}");
                match Config::parse("stagegate.yaml", &text) {
                    Ok(config) => {
                        let gate = config.gate("s").unwrap().smoke().unwrap();
                        assert!(outbound(&gate.network).is_ok(), "{key} {value}");
                    }
                    Err(error) => assert!(!values.contains(value), "{key} {value}: {error}"),
                }
            }
        }
    }
}
