//! The web server of each instance.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::services::ServeDir;

/// The web servers of the local instances: one for each deployment group, on a loopback port of its own that stays the
/// same as long as this lives. Cloning gives another handle to the same servers; they end with the last handle.
#[derive(Clone, Debug)]
pub struct InstanceServers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ports: Option<RangeInclusive<u16>>,
    document_root: PathBuf,
    running: Mutex<BTreeMap<(String, String), FolderServer>>,
    /// Servers start one after the other, so that they get their ports in the order in which they are asked for.
    starting: tokio::sync::Mutex<()>,
}

/// Where an instance is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceServer {
    /// The CodeDeploy application.
    pub application: String,
    /// The deployment group.
    pub deployment_group: String,
    /// For example `http://127.0.0.1:8081`.
    pub url: String,
}

/// Why an instance cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// All ports are taken.
    #[error("no port from {} to {} is free for the instance {application}/{deployment_group}; give another range or end what uses them", ports.start(), ports.end())]
    NoPort {
        /// The application.
        application: String,
        /// The deployment group.
        deployment_group: String,
        /// The range.
        ports: RangeInclusive<u16>,
    },
    /// The system refuses.
    #[error("the instance {application}/{deployment_group} cannot be served on loopback: {source}")]
    Io {
        /// The application.
        application: String,
        /// The deployment group.
        deployment_group: String,
        /// The reason.
        source: std::io::Error,
    },
}

/// A running server of a folder. Dropping it ends it.
#[derive(Debug)]
pub struct FolderServer {
    url: String,
    task: JoinHandle<()>,
}

impl Drop for FolderServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FolderServer {
    /// Serves the folder `document_root` below `root` on `listener`. As long as there is no `root`, the answer is that
    /// nothing was deployed yet.
    ///
    /// # Errors
    ///
    /// If the address of the listener cannot be found out.
    pub fn start(listener: TcpListener, root: PathBuf, document_root: &std::path::Path) -> std::io::Result<Self> {
        let url = format!("http://{}", listener.local_addr()?);
        let files = ServeDir::new(root.join(document_root));
        let router = Router::new().fallback_service(files).layer(from_fn_with_state(Arc::new(root), from_instance));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the web server of an instance has ended");
            }
        });
        Ok(Self { url, task })
    }

    /// For example `http://127.0.0.1:8081`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Says when nothing was deployed yet, and keeps browsers from showing an old version after a deployment.
async fn from_instance(State(root): State<Arc<PathBuf>>, request: Request, next: Next) -> Response {
    if tokio::fs::metadata(root.as_path()).await.is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "nothing was deployed to this instance yet\n").into_response();
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl InstanceServers {
    /// Servers on ports of the given range, or on ports that the system chooses. What is served is the folder
    /// `var/www/html` of each instance.
    pub fn new(ports: Option<RangeInclusive<u16>>) -> Self {
        Self::with_document_root(ports, "var/www/html")
    }

    /// As [`InstanceServers::new`], with another folder, relative to the instance's root.
    pub fn with_document_root(ports: Option<RangeInclusive<u16>>, document_root: impl Into<PathBuf>) -> Self {
        let shared = Shared {
            ports,
            document_root: document_root.into(),
            running: Mutex::default(),
            starting: tokio::sync::Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Where the instance of a deployment group is served, if it is.
    pub fn url(&self, application: &str, deployment_group: &str) -> Option<String> {
        let key = (application.to_owned(), deployment_group.to_owned());
        self.running().get(&key).map(|server| server.url.clone())
    }

    /// All instances that are served.
    pub fn list(&self) -> Vec<InstanceServer> {
        let running = self.running();
        let servers = running.iter().map(|((application, deployment_group), server)| InstanceServer {
            application: application.clone(),
            deployment_group: deployment_group.clone(),
            url: server.url.clone(),
        });
        servers.collect()
    }

    pub(super) fn document_root(&self) -> &std::path::Path {
        &self.shared.document_root
    }

    /// Serves an instance, if it is not served yet, and says where.
    pub(super) async fn serve(&self, application: &str, group: &str, root: PathBuf) -> Result<String, ServeError> {
        let _one_at_a_time = self.shared.starting.lock().await;
        if let Some(url) = self.url(application, group) {
            return Ok(url);
        }
        let failed =
            |source| ServeError::Io { application: application.to_owned(), deployment_group: group.to_owned(), source };
        let listener = match &self.shared.ports {
            None => loopback(0).await.map_err(failed)?,
            Some(ports) => self.first_free(ports).await.ok_or_else(|| ServeError::NoPort {
                application: application.to_owned(),
                deployment_group: group.to_owned(),
                ports: ports.clone(),
            })?,
        };
        let server = FolderServer::start(listener, root, &self.shared.document_root).map_err(failed)?;
        let url = server.url.clone();
        self.running().insert((application.to_owned(), group.to_owned()), server);
        Ok(url)
    }

    async fn first_free(&self, ports: &RangeInclusive<u16>) -> Option<TcpListener> {
        for port in ports.clone() {
            if let Ok(listener) = loopback(port).await {
                return Some(listener);
            }
        }
        None
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), FolderServer>> {
        self.shared.running.lock().expect("no holder of this lock can panic")
    }
}

/// Listens on a loopback port; 0 has the system choose one.
pub(super) async fn loopback(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}
