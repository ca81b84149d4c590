//! What is known of a death, kept until its job is answered: the guard can die as well.

use codepipeline_job::JobId;
use jiff::Timestamp;
use stagegate_gate::{End, Lease};
use stagegate_state_store::{Decision, Key, StateStore};

use crate::death::Death;
use crate::guard::LOOK;

/// Writes how the job's function ended into its lease, or into a new one, and that its time is over: where this
/// invocation does not get as far as to answer, and AWS Lambda's further tries neither, the next sweep does.
///
/// Whatever fails here is only logged.
pub(crate) async fn note(store: &StateStore, key: &Key<Lease>, job: &JobId, death: &Death) {
    let now = Timestamp::now();
    let written = store.update(key, |known| Decision::Write(over(known, death, now)));
    let reason = match tokio::time::timeout(LOOK, written).await {
        Ok(Ok(_)) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "there was no answer in time".to_owned(),
    };
    tracing::warn!(job_id = %job, reason, "it could not be noted that the function of the job died");
}

fn over(known: Option<Lease>, death: &Death, now: Timestamp) -> Lease {
    let failure = death.failure();
    let end = Some(End { kind: failure.kind(), message: failure.message().to_owned() });
    match known {
        Some(lease) => Lease { deadline: lease.deadline.min(now), end, ..lease },
        None => Lease {
            function: death.function.clone().unwrap_or_default(),
            request_id: death.request_id.clone().unwrap_or_default(),
            started: now,
            deadline: now,
            memory_mb: death.memory_mb,
            execution: Default::default(),
            handover: None,
            nonce: None,
            end,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lease_tells_of_the_end_and_is_over() {
        let now: Timestamp = "2026-03-04T10:00:30Z".parse().expect("a time");
        let known: Lease = serde_json::from_value(json!({
            "function": "stagegate-test-gate", "request_id": "r-1", "started": "2026-03-04T10:00:00Z",
            "deadline": "2026-03-04T10:05:00Z", "memory_mb": 512, "execution": {},
        }))
        .expect("a lease");
        let death = Death::silent(&known);
        for (known, started) in [(Some(known.clone()), known.started), (None, now)] {
            let lease = over(known, &death, now);
            assert_eq!((lease.started, lease.deadline, lease.memory_mb), (started, now, Some(512)));
            let (noted, said) = (Death::silent(&lease).failure(), death.failure());
            assert_eq!((noted.kind(), noted.message()), (said.kind(), said.message()));
        }
    }
}
