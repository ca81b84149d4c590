//! An app behind an interactivity URL, and plain requests.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use stagegate_local_slack::Slack;
use stagegate_slack::SigningSecret;
use stagegate_slack::interaction::Interaction;
use stagegate_slack::signature::{SIGNATURE_HEADER, SignedRequest, TIMESTAMP_HEADER, verify};
use tokio::net::TcpListener;

type Handler = Box<dyn Fn(&Interaction) -> (u16, String) + Send + Sync>;

/// An app that believes only what Slack signed.
#[derive(Clone)]
pub(crate) struct App {
    secret: SigningSecret,
    handler: Arc<Handler>,
    received: Arc<Mutex<Vec<Interaction>>>,
}

impl App {
    /// Serves the app and tells Slack where.
    pub(crate) async fn start(
        slack: &Slack,
        handler: impl Fn(&Interaction) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let secret = SigningSecret::new(slack.signing_secret());
        let app = Self { secret, handler: Arc::new(Box::new(handler)), received: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        slack.set_interactivity_url(&format!("http://{}/slack", listener.local_addr().unwrap()));
        let router = Router::new().fallback(receive).with_state(app.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        app
    }

    pub(crate) fn received(&self) -> Vec<Interaction> {
        self.received.lock().unwrap().clone()
    }
}

async fn receive(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    let request =
        SignedRequest { timestamp: header(TIMESTAMP_HEADER), signature: header(SIGNATURE_HEADER), body: &body };
    let Ok(verified) = verify(&app.secret, request, Timestamp::now()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let interaction = Interaction::parse(verified).unwrap();
    let (status, body) = (app.handler)(&interaction);
    app.received.lock().unwrap().push(interaction);
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

/// What a request was answered with.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

pub(crate) async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
    let mut request = axum::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let response = client.request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Reply { status, location, body: String::from_utf8_lossy(&body).into_owned() }
}
