//! The stored form: the document with its kind, its version and the writes that led to it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::document::Document;
use crate::error::Problem;

/// How many earlier writes a document remembers.
pub(crate) const REMEMBERED: usize = 64;

/// The most bytes that everything around the document may have.
pub(crate) const ENVELOPE_BYTES: usize = 4096;

/// The id of one write; two writes never share one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct WriteId(String);

impl WriteId {
    pub(crate) fn new() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }
}

/// A write and those before it, the latest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lineage {
    pub(crate) write: WriteId,
    pub(crate) earlier: Vec<WriteId>,
}

/// What a lineage says about a write that may or may not have been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the latest write.
    Latest,
    /// It was done, and others came after it.
    Overwritten,
    /// It was not done, and what it would replace still stands.
    Pending,
    /// It was not done and cannot be any more.
    Lost,
    /// More writes came since than are remembered.
    Unknown,
}

impl Lineage {
    /// The lineage of a write on top of `base`.
    pub(crate) fn after(base: Option<&Lineage>) -> Self {
        let earlier = base.into_iter().flat_map(|base| std::iter::once(&base.write).chain(&base.earlier));
        Self { write: WriteId::new(), earlier: earlier.take(REMEMBERED).cloned().collect() }
    }

    /// How a write stands that would have replaced `base`, or nothing.
    pub(crate) fn standing(&self, write: &WriteId, base: Option<&WriteId>) -> Standing {
        if self.write == *write {
            return Standing::Latest;
        }
        if self.earlier.contains(write) {
            return Standing::Overwritten;
        }
        match base {
            Some(base) if self.write == *base => Standing::Pending,
            Some(base) if self.earlier.contains(base) => Standing::Lost,
            None if self.earlier.len() < REMEMBERED => Standing::Lost,
            _ => Standing::Unknown,
        }
    }
}

#[derive(Serialize)]
struct Written<'a, D> {
    kind: &'static str,
    version: u32,
    write: &'a WriteId,
    #[serde(skip_serializing_if = "<[WriteId]>::is_empty")]
    earlier: &'a [WriteId],
    document: &'a D,
}

/// Everything but the document, so that a document of another version is told from a damaged one.
#[derive(Deserialize)]
struct Head {
    kind: String,
    version: u32,
    write: WriteId,
    #[serde(default)]
    earlier: Vec<WriteId>,
}

#[derive(Deserialize)]
struct Body<D> {
    document: D,
}

/// The bytes to store.
pub(crate) fn pack<D: Document>(document: &D, lineage: &Lineage) -> Result<Vec<u8>, Problem> {
    // The place of an error in the JSON says nothing here, and its text may quote the document.
    let unwritable = |_| Problem::Unwritable { kind: D::KIND };
    let size = serde_json::to_vec(document).map_err(unwritable)?.len();
    if size > D::MAX_BYTES {
        return Err(Problem::TooLarge { kind: D::KIND, size: Some(size), limit: D::MAX_BYTES });
    }
    let Lineage { write, earlier } = lineage;
    serde_json::to_vec(&Written { kind: D::KIND, version: D::VERSION, write, earlier, document }).map_err(unwritable)
}

/// The writes that led to stored bytes.
pub(crate) fn lineage_of<D: Document>(bytes: &[u8]) -> Result<Lineage, Problem> {
    let head: Head = serde_json::from_slice(bytes).map_err(|error| corrupt(&error))?;
    if head.kind != D::KIND {
        let reason = format!("it is not marked as a document of the kind `{}`", D::KIND);
        return Err(Problem::Corrupt { reason });
    }
    if head.version > D::VERSION {
        return Err(Problem::Newer { version: head.version, known: D::VERSION });
    }
    if head.version < D::OLDEST_VERSION {
        let reason = format!("its version is {}, and {} is the oldest that is read", head.version, D::OLDEST_VERSION);
        return Err(Problem::Corrupt { reason });
    }
    if head.earlier.len() > REMEMBERED {
        let reason = format!("it names more than {REMEMBERED} earlier writes");
        return Err(Problem::Corrupt { reason });
    }
    Ok(Lineage { write: head.write, earlier: head.earlier })
}

/// What stored bytes say they are, and how many writes they remember besides the latest.
pub(crate) fn kind_of(bytes: &[u8]) -> Result<(String, usize), Problem> {
    let head: Head = serde_json::from_slice(bytes).map_err(|error| corrupt(&error))?;
    Ok((head.kind, head.earlier.len()))
}

/// The document in stored bytes whose lineage was read.
pub(crate) fn unpack<D: Document>(bytes: &[u8]) -> Result<D, Problem> {
    let body: Body<D> = serde_json::from_slice(bytes).map_err(|error| corrupt(&error))?;
    Ok(body.document)
}

/// The texts of JSON errors quote what they found, so only sort and place are told.
fn corrupt(error: &serde_json::Error) -> Problem {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Eof => "it ends too early",
        Category::Syntax | Category::Io => "it is not valid JSON",
        Category::Data => "a member is missing or has a value that is not allowed",
    };
    Problem::Corrupt { reason: format!("{what}, at line {}, column {}", error.line(), error.column()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Note {
        text: String,
    }

    impl Document for Note {
        const KIND: &'static str = "note";
        const VERSION: u32 = 3;
        const OLDEST_VERSION: u32 = 2;
        const MAX_BYTES: usize = 40;
    }

    #[test]
    fn a_write_finds_itself_among_the_writes_since() {
        let base = Lineage::after(None);
        let mine = Lineage::after(Some(&base));
        let theirs = Lineage::after(Some(&base));
        let of_mine = |lineage: &Lineage| lineage.standing(&mine.write, Some(&base.write));
        assert_eq!(of_mine(&mine), Standing::Latest);
        assert_eq!(of_mine(&base), Standing::Pending);
        assert_eq!(of_mine(&theirs), Standing::Lost);
        let (mut on_mine, mut on_theirs) = (mine.clone(), theirs);
        for writes in 1..200 {
            on_mine = Lineage::after(Some(&on_mine));
            on_theirs = Lineage::after(Some(&on_theirs));
            let mine_is_known = writes <= REMEMBERED;
            let expected = if mine_is_known { Standing::Overwritten } else { Standing::Unknown };
            assert_eq!(of_mine(&on_mine), expected, "{writes} writes after mine");
            let base_is_known = writes < REMEMBERED;
            let expected = if base_is_known { Standing::Lost } else { Standing::Unknown };
            assert_eq!(of_mine(&on_theirs), expected, "{writes} writes after theirs");
        }
    }

    #[test]
    fn a_creation_finds_itself_among_the_writes_since() {
        let mine = Lineage::after(None);
        let mut theirs = Lineage::after(None);
        for writes in 1..200 {
            let expected = if writes <= REMEMBERED { Standing::Lost } else { Standing::Unknown };
            assert_eq!(theirs.standing(&mine.write, None), expected, "{writes} writes");
            theirs = Lineage::after(Some(&theirs));
        }
    }

    #[test]
    fn the_envelope_stays_small() {
        let mut lineage = Lineage::after(None);
        for _ in 0..100 {
            lineage = Lineage::after(Some(&lineage));
        }
        let note = Note { text: String::new() };
        let packed = pack(&note, &lineage).unwrap();
        assert!(packed.len() < ENVELOPE_BYTES, "{}", packed.len());
        assert_eq!(lineage_of::<Note>(&packed).unwrap(), lineage);
    }

    #[test]
    fn what_is_damaged_is_told_without_its_content() {
        let cases = [
            (r#"{"kind":"note","version":3,"write":"a","document":{"text":7}}"#, "a value that is not allowed"),
            (r#"{"kind":"note","version":3,"write":"a","document":{"hunter2":"hunter2"}}"#, "a member is missing"),
            (r#"{"kind":"note","version":3,"write":"a","document":{"text":"hunter2"#, "it ends too early, at line 1"),
            (r#"hunter2"#, "it is not valid JSON"),
            (r#"{"kind":"hunter2","version":3,"write":"a","document":{"text":"x"}}"#, "kind `note`"),
            (r#"{"kind":"note","version":4,"write":"a","document":"hunter2"}"#, "version 4"),
            (r#"{"kind":"note","version":1,"write":"a","document":{"text":"x"}}"#, "2 is the oldest"),
            ("", "it ends too early"),
        ];
        for (stored, expected) in cases {
            let read = lineage_of::<Note>(stored.as_bytes()).and_then(|_| unpack::<Note>(stored.as_bytes()));
            let problem = read.err().map(|problem| problem.to_string()).unwrap_or_default();
            assert!(problem.contains(expected), "{stored}: {problem}");
            assert!(!problem.contains("hunter2"), "{stored}: {problem}");
        }
    }

    #[test]
    fn a_document_over_its_size_is_not_written() {
        let note = |length: usize| Note { text: "x".repeat(length) };
        assert!(pack(&note(29), &Lineage::after(None)).is_ok());
        let problem = pack(&note(30), &Lineage::after(None)).unwrap_err().to_string();
        assert!(problem.contains("41 bytes") && problem.contains("40"), "{problem}");
    }
}
