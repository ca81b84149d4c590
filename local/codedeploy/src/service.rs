//! What stands in for an ECS service: the files of its task sets, behind the service's listeners.
//!
//! No container runs here. Where a container of the task definition has the Docker label [`SITE_LABEL`], the folder that it
//! names, in the artifact with the task definition, is served in the container's place.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use serde_json::Value;
use stagegate_local_actions::FolderServer;
use tokio::net::TcpListener;
use uuid::Uuid;

/// The Docker label of a container whose files can be served in its place.
pub(crate) const SITE_LABEL: &str = "stagegate.local.site";

/// The listeners of one service.
pub struct Listeners {
    /// Has the production traffic.
    pub production: TcpListener,
    /// Has the test traffic, where there is any.
    pub test: Option<TcpListener>,
}

/// Which traffic a listener has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    Production,
    Test,
}

/// All services, by application and deployment group.
#[derive(Debug, Default)]
pub(crate) struct Services(Mutex<BTreeMap<(String, String), Service>>);

#[derive(Debug)]
struct Service {
    production: Served,
    test: Option<Served>,
}

/// A server and the link to the folder that it serves.
#[derive(Debug)]
struct Served {
    link: PathBuf,
    server: FolderServer,
}

impl Services {
    /// Serves what is going to be deployed to a deployment group, from links below `folder`.
    pub(crate) fn serve(&self, folder: &Path, application: &str, group: &str, listeners: Listeners) -> io::Result<()> {
        let folder = folder.join(application).join(group);
        fs::create_dir_all(&folder)?;
        let served = |listener: TcpListener, name: &str| {
            let link = folder.join(name);
            remove(&link)?;
            Ok::<_, io::Error>(Served { server: FolderServer::start(listener, link.clone(), Path::new(""))?, link })
        };
        let service = Service {
            production: served(listeners.production, "production")?,
            test: listeners.test.map(|listener| served(listener, "test")).transpose()?,
        };
        self.lock().insert((application.to_owned(), group.to_owned()), service);
        Ok(())
    }

    /// Where a service is reached, if it is served.
    pub(crate) fn url(&self, application: &str, group: &str, traffic: Traffic) -> Option<String> {
        let services = self.lock();
        let service = services.get(&(application.to_owned(), group.to_owned()))?;
        service.of(traffic).map(|served| served.server.url().to_owned())
    }

    /// Leads the traffic of a listener to a folder, or nowhere. Whoever asks at the same time gets the old or the new one.
    pub(crate) fn lead(&self, application: &str, group: &str, traffic: Traffic, site: Option<&Path>) -> io::Result<()> {
        let services = self.lock();
        let service = services.get(&(application.to_owned(), group.to_owned()));
        let Some(served) = service.and_then(|service| service.of(traffic)) else { return Ok(()) };
        let Some(site) = site else { return remove(&served.link) };
        let next = served.link.with_extension("next");
        remove(&next)?;
        symlink(site, &next)?;
        fs::rename(&next, &served.link)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Service>> {
        self.0.lock().expect("no holder of this lock can panic")
    }
}

impl Service {
    fn of(&self, traffic: Traffic) -> Option<&Served> {
        match traffic {
            Traffic::Production => Some(&self.production),
            Traffic::Test => self.test.as_ref(),
        }
    }
}

fn remove(link: &Path) -> io::Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A folder of its own for the files of an artifact.
pub(crate) fn revision_folder(folder: &Path) -> PathBuf {
    folder.join("revisions").join(Uuid::new_v4().simple().to_string())
}

/// The folder, in the artifact, that a task definition names in place of its containers.
pub(crate) fn site_of(definition: &Value) -> Option<&str> {
    let containers = definition["containerDefinitions"].as_array()?;
    containers.iter().find_map(|container| container["dockerLabels"][SITE_LABEL].as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_site_is_named_by_a_label() {
        for (definition, expected) in [
            (json!({}), None),
            (json!({"containerDefinitions": [{"name": "web"}]}), None),
            (json!({"containerDefinitions": [{"dockerLabels": {"other": "a"}}]}), None),
            (
                json!({"containerDefinitions": [{"name": "proxy"}, {"dockerLabels": {"stagegate.local.site": "site"}}]}),
                Some("site"),
            ),
        ] {
            assert_eq!(site_of(&definition), expected, "{definition}");
        }
    }
}
