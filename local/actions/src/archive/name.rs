//! Which names and link targets are safe to create below a folder.

use super::ArchiveError;

/// Checks the name of an entry: a plain relative path with `/` between its parts. A trailing `/` (a folder) is allowed.
pub(super) fn check_name(name: &str) -> Result<(), ArchiveError> {
    let path = name.strip_suffix('/').unwrap_or(name);
    let plain = !path.is_empty()
        && !name.contains(['\\', '\0'])
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if plain { Ok(()) } else { Err(ArchiveError::UnsafeName { name: name.to_owned() }) }
}

/// Checks that the link called `name` (relative to the folder) which points to `target` stays in the folder.
///
/// `..` is allowed only at the start of the target, and only as often as the link lies deep. After that, each part goes
/// down, or follows another link that was checked in the same way; so no chain of links can lead out.
pub(crate) fn check_link(name: &str, target: &str) -> Result<(), ArchiveError> {
    let refuse = || ArchiveError::UnsafeLink { name: name.to_owned(), target: target.to_owned() };
    if target.is_empty() || target.starts_with('/') || target.contains(['\\', '\0']) {
        return Err(refuse());
    }
    let depth = name.split('/').count() - 1;
    let parts: Vec<&str> = target.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let ups = parts.iter().take_while(|part| **part == "..").count();
    if ups > depth || parts.iter().skip(ups).any(|part| *part == "..") {
        return Err(refuse());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for name in ["a", "a/b.txt", "a/", "a..b/..c", "ü/ß"] {
            check_name(name).unwrap_or_else(|error| panic!("{name:?}: {error}"));
        }
        for name in
            ["", "/", "/etc/passwd", "../a", "a/../../b", "a/./b", "a//b", "a\\b", "c:\\a", "a\0b", "..", "a/.."]
        {
            assert!(check_name(name).is_err(), "{name:?} must be refused");
        }
    }

    #[test]
    fn links_that_leave_the_folder_are_refused() {
        for (name, target) in [("a", "b"), ("a/b", "../c"), ("a/b/c", "../../d/e"), ("a", "./b"), ("a/b", "..")] {
            check_link(name, target).unwrap_or_else(|error| panic!("{name:?} -> {target:?}: {error}"));
        }
        for (name, target) in
            [("a", "/etc"), ("a", ".."), ("a/b", "../.."), ("a", "b/../../c"), ("a", "b/.."), ("a", "")]
        {
            assert!(check_link(name, target).is_err(), "{name:?} -> {target:?} must be refused");
        }
    }
}
