//! Where documents are kept.

use std::fmt;
use std::marker::PhantomData;

use stagegate_verdict::Verdict;

use crate::document::Document;
use crate::segment::{Decoded, decode, encode};

const SUFFIX: &str = ".json";

/// Where a document of the kind `D` is kept. `Display` is the object's key.
///
/// Each part of it may be any text: it is encoded so that it stays within its folder and meets no other one. A part of
/// more than 64 bytes is cut, and a hash stands for the whole.
pub struct Key<D> {
    path: String,
    name: Option<String>,
    document: PhantomData<fn() -> D>,
}

impl<D: Document> Key<D> {
    /// The key of these parts: folders, and the document's name as the last.
    pub fn new(parts: &[&str]) -> Self {
        let encoded: Vec<_> = parts.iter().map(|part| encode(part)).collect();
        let name = parts.last().map(|name| (*name).to_owned());
        Self { path: encoded.join("/") + SUFFIX, name, document: PhantomData }
    }

    /// What a gate remembers about a pipeline: `baselines/<pipeline>/<gate>.json`.
    pub fn baseline(pipeline: &str, gate: &str) -> Self {
        Self::new(&["baselines", pipeline, gate])
    }

    /// The last part as it was given; of a listed key with a very long name it is not known.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The object's key.
    pub fn as_str(&self) -> &str {
        &self.path
    }
}

impl Key<Verdict> {
    /// The verdict of a gate about an execution: `executions/<execution>/verdicts/<gate>.json`.
    pub fn verdict(execution: &str, gate: &str) -> Self {
        Self::new(&["executions", execution, "verdicts", gate])
    }
}

/// A folder of documents of the kind `D`. `Display` is the prefix of their keys.
pub struct Folder<D> {
    prefix: String,
    document: PhantomData<fn() -> D>,
}

impl<D: Document> Folder<D> {
    /// The folder of these parts.
    pub fn new(parts: &[&str]) -> Self {
        let prefix = parts.iter().map(|part| encode(part) + "/").collect();
        Self { prefix, document: PhantomData }
    }

    /// What the gates remember about a pipeline.
    pub fn baselines(pipeline: &str) -> Self {
        Self::new(&["baselines", pipeline])
    }

    /// The prefix of the objects' keys.
    pub fn as_str(&self) -> &str {
        &self.prefix
    }

    /// The document of an object in this folder; `None` for the folder itself, which S3's console makes an object of.
    pub(crate) fn key_of(&self, path: &str) -> Result<Option<Key<D>>, NotADocument> {
        let Some(rest) = path.strip_prefix(&self.prefix) else { return Err(NotADocument) };
        if rest.is_empty() {
            return Ok(None);
        }
        let name = match rest.strip_suffix(SUFFIX).and_then(decode) {
            Some(Decoded::Text(name)) => Some(name),
            Some(Decoded::Hashed) => None,
            None => return Err(NotADocument),
        };
        Ok(Some(Key { path: path.to_owned(), name, document: PhantomData }))
    }
}

impl Folder<Verdict> {
    /// The verdicts about an execution.
    pub fn verdicts(execution: &str) -> Self {
        Self::new(&["executions", execution, "verdicts"])
    }
}

/// An object whose key is not one that this crate makes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotADocument;

impl<D> Clone for Key<D> {
    fn clone(&self) -> Self {
        Self { path: self.path.clone(), name: self.name.clone(), document: PhantomData }
    }
}

impl<D> PartialEq for Key<D> {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl<D> Eq for Key<D> {}

impl<D> fmt::Display for Key<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl<D> fmt::Debug for Key<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.path)
    }
}

impl<D> fmt::Display for Folder<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix)
    }
}

impl<D> fmt::Debug for Folder<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Folder({})", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_layout_is_what_is_documented() {
        let id = "3f2a0c9e-8b1d-4c6f-9a57-0e4d2b7c8f13";
        let verdict = Key::verdict(id, "web-tests");
        assert_eq!(verdict.as_str(), format!("executions/{id}/verdicts/web-tests.json"));
        assert_eq!(verdict.name(), Some("web-tests"));
        let baseline = Key::<Verdict>::baseline("web", "../x");
        assert_eq!(baseline.as_str(), "baselines/web/!2E.!2Fx.json");
        assert_eq!(Folder::<Verdict>::baselines("web").as_str(), "baselines/web/");
    }

    #[test]
    fn a_folder_knows_its_documents() {
        let folder = Folder::verdicts("e1");
        let key = Key::verdict("e1", "a b/c");
        let listed = folder.key_of(key.as_str()).unwrap().unwrap();
        assert_eq!((listed.name(), &listed), (Some("a b/c"), &key));
        assert_eq!(folder.key_of("executions/e1/verdicts/"), Ok(None));
        for other in ["readme.txt", "a/b.json", "a b.json", "x", ".json"] {
            assert_eq!(folder.key_of(&format!("executions/e1/verdicts/{other}")), Err(NotADocument), "{other}");
        }
        assert_eq!(folder.key_of("executions/e10/verdicts/a.json"), Err(NotADocument));
    }

    proptest! {
        #[test]
        fn different_parts_never_share_a_key(
            one in proptest::collection::vec("[a/.!]{0,3}", 1..4),
            other in proptest::collection::vec("[a/.!]{0,3}", 1..4),
        ) {
            let key = |parts: &[String]| {
                Key::<Verdict>::new(&parts.iter().map(String::as_str).collect::<Vec<_>>()).to_string()
            };
            prop_assert_eq!(one == other, key(&one) == key(&other));
        }

        #[test]
        fn no_name_leaves_its_folder(execution in any::<String>(), gate in any::<String>()) {
            let key = Key::verdict(&execution, &gate);
            let parts: Vec<_> = key.as_str().split('/').collect();
            prop_assert_eq!(parts.len(), 4, "{}", key);
            prop_assert!(parts.iter().all(|part| !part.is_empty() && *part != "." && *part != ".."), "{}", key);
            let listed = Folder::verdicts(&execution).key_of(key.as_str());
            prop_assert!(matches!(listed, Ok(Some(listed)) if listed == key));
        }
    }
}
