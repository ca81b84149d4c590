//! What is logged.

use std::io::Write;
use std::sync::{Arc, Mutex};

use stagegate_channel::{Outcome, Say as _, Templates};
use stagegate_config::{Config, TemplateForm};
use stagegate_notice::Bulletin;
use tracing::subscriber::DefaultGuard;

use crate::server::{Reply, Server};
use crate::world::{CANARY, bulletin, channels, http_channels, send};

/// What is logged on this thread.
struct Log {
    written: Arc<Mutex<Vec<u8>>>,
    _guard: DefaultGuard,
}

/// Where it is written.
struct Writer(Arc<Mutex<Vec<u8>>>);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> Self {
        let written = Arc::new(Mutex::new(Vec::new()));
        let writer = written.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || Writer(writer.clone())).finish();
        Self { written, _guard: tracing::subscriber::set_default(subscriber) }
    }

    fn said(&self) -> String {
        String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
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
