//! What an event costs: calls of S3, one after the other, are most of the time that it takes.

use std::sync::{Arc, Mutex};

use stagegate_local_aws::faults::{ApiCall, CallFault, CallFaults};

use crate::world::{ROUTES, World};

/// Lets everything pass and notes the calls of S3, with the folder that they are about.
#[derive(Default)]
struct Calls(Mutex<Vec<String>>);

impl CallFaults for Calls {
    fn call(&self, call: &ApiCall<'_>) -> CallFault {
        if call.service == "s3" {
            let folder = call.resource.split('/').nth(1).unwrap_or_default();
            self.0.lock().unwrap().push(format!("{} {folder}", call.operation));
        }
        CallFault::None
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_read_once_for_an_event_and_written_once_for_a_step() {
    let calls = Arc::new(Calls::default());
    let watched = calls.clone();
    let world = World::with(|options| stagegate_local_aws::Options { call_faults: Some(watched), ..options }).await;
    let story = world.run(0, true).await;
    let case = world.case("calls", ROUTES).await;
    let mut writes = Vec::new();
    for (number, event) in story.events.iter().enumerate() {
        calls.0.lock().unwrap().clear();
        case.hear(event, &format!("event-{number}"), 0).await;
        let seen = calls.0.lock().unwrap().clone();
        let count = |wanted: &str| seen.iter().filter(|call| *call == wanted).count();
        assert_eq!(count("GetObject threads"), 1, "{seen:?}");
        writes.push(count("PutObject threads"));
    }
    // CodePipeline knows at the first event how it has ended. So that is listed, looked up, posted and taken from the list,
    // and all that is measured is in the last of these writes; the other events are only noted.
    assert_eq!(writes[0], 5, "{writes:?}");
    assert!(writes[1..].iter().all(|count| *count <= 1), "{writes:?}");
}
