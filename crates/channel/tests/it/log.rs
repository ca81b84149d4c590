//! What is logged.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Once;

use stagegate_channel::{Outcome, Say as _, Templates};
use stagegate_config::{Config, TemplateForm};
use stagegate_notice::Bulletin;

use crate::server::{Reply, Server};
use crate::world::{CANARY, bulletin, channels, http_channels, send};

thread_local! {
    /// What this thread has logged, while somebody wants to know.
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// What is logged on this thread. All threads have one subscriber: what each of several of them wants of a
/// place in the code is kept once for all, and what one has just begun to want may be missed.
struct Log(());

/// Where it is written.
struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.iter_mut().for_each(|logged| logged.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(|| Writer).finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        LOGGED.set(Some(Vec::new()));
        Self(())
    }

    fn said(&self) -> String {
        LOGGED.with_borrow(|logged| String::from_utf8(logged.clone().unwrap_or_default()).unwrap())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        LOGGED.set(None);
    }
}

/// Which channel it is, by its name in `stagegate.yaml`, and no secret.
#[tokio::test]
async fn what_is_not_delivered_is_logged_with_the_channel() {
    for (kind, channel) in http_channels() {
        let server = Server::start([Reply::status(404)]).await;
        let channels = channels(&server).await;
        let log = Log::start();
        assert!(matches!(send(&channels, &channel).await, Outcome::Refused { .. }), "{kind}");
        let said = log.said();
        for part in ["not delivered", "channel=\"a\"", &format!("kind=\"{kind}\""), "404"] {
            assert!(said.contains(part) && !said.contains(CANARY), "{part}: {said}");
        }
    }
}

/// The words of Stagegate are sent, and it is said why.
#[test]
fn a_template_that_cannot_be_used_is_logged() {
    for (written, form, expected) in [
        ("slack: '{{ lines[0].text }}'", TemplateForm::Slack, "undefined value"),
        ("webhook: '{{ lines[0].text }}'", TemplateForm::Json, "undefined value"),
        ("webhook: '{{ title }}'", TemplateForm::Json, "it is not an object"),
        ("webhook: '{\"a\": {{ title }}'", TemplateForm::Json, "EOF while parsing"),
    ] {
        let config = Config::parse("stagegate.yaml", &format!("templates: {{failed: {{{written}}}}}")).unwrap();
        let templates = Templates::usable(&config, std::path::Path::new("."));
        let bulletin = Bulletin { lines: Vec::new(), ..bulletin() };
        let log = Log::start();
        let said = templates.say(&bulletin);
        match form {
            TemplateForm::Slack => assert_eq!(said.slack(true).unwrap(), bulletin.slack(true).unwrap()),
            _ => assert_eq!(said.webhook_data(), bulletin.data()),
        }
        let said = log.said();
        let is_told = said.contains("Stagegate's own words are sent") && said.contains("template=\"failed\"");
        assert!(is_told && said.contains(expected), "{written}: {said}");
    }
}
