//! Files in the repository that are made from the code.

use std::path::Path;

/// Set to make the files anew instead of checking them.
const RENEW: &str = "STAGEGATE_RENEW";

/// Checks that `file` holds `text`.
pub(crate) fn check_kept(file: &Path, text: &str) {
    if std::env::var_os(RENEW).is_some() {
        std::fs::write(file, text).expect("the repository can be written");
        return;
    }
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    let name = file.file_name().unwrap_or_default().display();
    let line = text.lines().zip(kept.lines()).position(|(new, old)| new != old);
    let line = line.unwrap_or_else(|| text.lines().count().min(kept.lines().count())) + 1;
    assert!(
        kept == text,
        "{name} is stale from line {line}; renew it: {RENEW}=1 cargo test -p stagegate-config --test it"
    );
}
