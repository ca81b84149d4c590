//! Which rights were used.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

/// Names a file to which each right is added that a function used, for a check of all tests together.
const FILE: &str = "STAGEGATE_RIGHTS_USED";

/// The rights that functions used, and the file that is told of each of them once.
#[derive(Default)]
pub(super) struct Used {
    rights: Mutex<BTreeSet<(String, String)>>,
    file: Option<File>,
}

impl Used {
    /// With the file that the environment names, if it names one.
    pub(super) fn from_environment() -> Self {
        let path = std::env::var_os(FILE);
        let file = path.and_then(|path| {
            let opened = OpenOptions::new().create(true).append(true).open(&path);
            opened
                .inspect_err(|error| tracing::error!(%error, ?path, "the rights that are used are not written down"))
                .ok()
        });
        Self { rights: Mutex::default(), file }
    }

    pub(super) fn note(&self, function: &str, action: &str) {
        let right = (function.to_owned(), action.to_owned());
        let is_new = self.rights.lock().unwrap_or_else(PoisonError::into_inner).insert(right);
        if let (true, Some(mut file)) = (is_new, self.file.as_ref()) {
            // One write of less than a page: lines of several processes do not mix.
            if let Err(error) = file.write_all(format!("{function} {action}\n").as_bytes()) {
                tracing::error!(%error, "a right that is used is not written down");
            }
        }
    }

    pub(super) fn all(&self) -> BTreeSet<(String, String)> {
        self.rights.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
