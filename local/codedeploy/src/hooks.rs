//! The hooks that wait for their functions: each takes one answer.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::sync::oneshot;
use uuid::Uuid;

/// All hooks of the deployments that are remembered.
#[derive(Debug, Default)]
pub(crate) struct Hooks(Mutex<HashMap<String, Execution>>);

#[derive(Debug)]
struct Execution {
    deployment: String,
    /// `None` once it was answered or given up.
    answer: Option<oneshot::Sender<bool>>,
}

/// A hook that waits. It is given up when this is dropped.
pub(crate) struct Waiting<'h> {
    /// What the function has to send back. It means nothing to anybody else.
    pub(crate) id: String,
    pub(crate) answer: oneshot::Receiver<bool>,
    hooks: &'h Hooks,
}

/// Why an answer is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The deployment has no such hook.
    Unknown,
    /// It was answered before, or nobody waits for it any more.
    Completed,
}

impl Hooks {
    pub(crate) fn open(&self, deployment: &str) -> Waiting<'_> {
        let id = STANDARD.encode(json!({"hook": Uuid::new_v4().to_string()}).to_string());
        let (answered, answer) = oneshot::channel();
        let execution = Execution { deployment: deployment.to_owned(), answer: Some(answered) };
        self.lock().insert(id.clone(), execution);
        Waiting { id, answer, hooks: self }
    }

    /// Takes the one answer of a hook.
    pub(crate) fn answer(&self, deployment: &str, id: &str, succeeded: bool) -> Result<(), Refusal> {
        let mut hooks = self.lock();
        let execution = hooks.get_mut(id).filter(|execution| execution.deployment == deployment);
        let waiting = execution.ok_or(Refusal::Unknown)?.answer.take();
        waiting.and_then(|waiting| waiting.send(succeeded).ok()).ok_or(Refusal::Completed)
    }

    /// Forgets the hooks of a deployment.
    pub(crate) fn forget(&self, deployment: &str) {
        self.lock().retain(|_, execution| execution.deployment != deployment);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Execution>> {
        self.0.lock().expect("no holder of this lock can panic")
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(execution) = self.hooks.lock().get_mut(&self.id) {
            execution.answer = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Call {
        Open(u8),
        Answer { deployment: u8, hook: usize, succeeded: bool },
        GiveUp(usize),
    }

    fn call() -> impl Strategy<Value = Call> {
        prop_oneof![
            2 => (0..3_u8).prop_map(Call::Open),
            6 => (0..3_u8, 0..6_usize, any::<bool>())
                .prop_map(|(deployment, hook, succeeded)| Call::Answer { deployment, hook, succeeded }),
            1 => (0..6_usize).prop_map(Call::GiveUp),
        ]
    }

    proptest! {
        #[test]
        fn each_hook_takes_one_answer_and_only_of_its_deployment(calls in proptest::collection::vec(call(), 1..60)) {
            let hooks = Hooks::default();
            // The deployment, the hook and the answer that it has taken.
            let mut opened: Vec<(u8, Option<Waiting<'_>>, String, Option<bool>)> = Vec::new();
            for call in calls {
                match call {
                    Call::Open(deployment) => {
                        let waiting = hooks.open(&deployment.to_string());
                        let id = waiting.id.clone();
                        prop_assert!(opened.iter().all(|(_, _, other, _)| *other != id));
                        opened.push((deployment, Some(waiting), id, None));
                    }
                    Call::GiveUp(hook) => {
                        if let Some((_, waiting, ..)) = opened.get_mut(hook) {
                            *waiting = None;
                        }
                    }
                    Call::Answer { deployment, hook, succeeded } => {
                        let Some((owner, waiting, id, answered)) = opened.get_mut(hook) else {
                            prop_assert_eq!(hooks.answer("0", "none", succeeded), Err(Refusal::Unknown));
                            continue;
                        };
                        let expected = match (*owner == deployment, &waiting, &answered) {
                            (false, ..) => Err(Refusal::Unknown),
                            (true, Some(_), None) => Ok(()),
                            (true, ..) => Err(Refusal::Completed),
                        };
                        prop_assert_eq!(hooks.answer(&deployment.to_string(), id, succeeded), expected);
                        if expected.is_ok() {
                            *answered = Some(succeeded);
                        }
                    }
                }
            }
            for (_, waiting, _, answered) in opened {
                if let Some(mut waiting) = waiting {
                    prop_assert_eq!(waiting.answer.try_recv().ok(), answered);
                }
            }
        }
    }
}
