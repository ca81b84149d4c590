//! When two paths name the same source file.

/// A source file's path in the one form under which reports are merged. Files with equal normalised paths are one file.
///
/// What is evened out is only what cannot tell two files of one build apart:
///
/// * backslashes are slashes, and a drive letter is a capital; `file://` and `\\?\` are left out;
/// * empty components and `.` are left out, and `..` takes the component before it away;
/// * the number in AWS CodeBuild's working folder (`/codebuild/output/src123/src/...`), which is another in each build
///   of the same sources, is left out.
///
/// Upper and lower case stay as they are. A relative path stays relative, and is never guessed to be the end of an
/// absolute one: `src/lib.rs` of two packages are two files, and nothing in the paths tells. Where shards of one build
/// write different roots, name the roots to [`Merger::with_roots`](crate::Merger::with_roots).
#[must_use]
pub fn normalise_path(path: &str) -> String {
    let slashed = path.trim().replace('\\', "/");
    let path = slashed.strip_prefix("file://").unwrap_or(&slashed);
    let path = path.strip_prefix("//?/").unwrap_or(path);
    // `file:///C:/a` has a slash before the drive.
    let path = path.strip_prefix('/').filter(|rest| drive(rest).is_some()).unwrap_or(path);
    let (drive, path) = drive(path).map_or((None, path), |letter| (Some(letter), &path[2..]));
    let absolute = path.starts_with('/');
    let mut components: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => match components.last() {
                Some(&"..") => components.push(".."),
                None if !absolute => components.push(".."),
                _ => {
                    components.pop();
                }
            },
            _ => components.push(component),
        }
    }
    let build = match components[..] {
        ["codebuild", "output", build, ..] => Some((2, build)),
        ["codebuild", "tmp", "output", build, ..] => Some((3, build)),
        _ => None,
    };
    if let Some((at, build)) = build.filter(|_| absolute)
        && build.strip_prefix("src").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    {
        components[at] = "src";
    }
    let mut normalised = String::with_capacity(path.len() + 2);
    if let Some(letter) = drive {
        normalised.push(letter);
        normalised.push(':');
    }
    if absolute {
        normalised.push('/');
    }
    normalised.push_str(&components.join("/"));
    normalised
}

/// `path` below `root`; `path` alone if it is absolute, or if the root says nothing.
pub(crate) fn join(root: &str, path: &str) -> String {
    if root.is_empty() || is_absolute(path) { normalise_path(path) } else { normalise_path(&format!("{root}/{path}")) }
}

/// Whether a path, as a report writes it, names its root.
pub(crate) fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\']) || drive(path).is_some() || path.starts_with("file://")
}

/// What stands in `path` below `root`; both normalised.
pub(crate) fn below<'a>(root: &str, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(root.trim_end_matches('/'))?.strip_prefix('/').filter(|rest| !rest.is_empty())
}

fn drive(path: &str) -> Option<char> {
    match path.as_bytes() {
        [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic() => Some(letter.to_ascii_uppercase().into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_tells_no_files_apart_is_evened_out() {
        for (path, expected) in [
            ("src/a.c", "src/a.c"),
            ("./src//a.c", "src/a.c"),
            ("src/x/../a.c", "src/a.c"),
            ("../a.c", "../a.c"),
            ("../../a.c", "../../a.c"),
            ("/../a.c", "/a.c"),
            ("a/../../b.c", "../b.c"),
            ("C:\\w\\a.cs", "C:/w/a.cs"),
            ("c:/w/./a.cs", "C:/w/a.cs"),
            ("\\\\?\\c:\\a.cs", "C:/a.cs"),
            ("file:///home/a.js", "/home/a.js"),
            ("file:///c:/a.js", "C:/a.js"),
            ("Src/A.c", "Src/A.c"),
            ("github.com/org/repo/a.go", "github.com/org/repo/a.go"),
            ("/codebuild/output/src4711/src/repo/a.c", "/codebuild/output/src/src/repo/a.c"),
            ("C:\\codebuild\\tmp\\output\\src42\\src\\a.cs", "C:/codebuild/tmp/output/src/src/a.cs"),
            ("/codebuild/output/srcfiles/a.c", "/codebuild/output/srcfiles/a.c"),
            ("codebuild/output/src1/a.c", "codebuild/output/src1/a.c"),
            ("/", "/"),
            ("", ""),
            (".", ""),
        ] {
            assert_eq!(normalise_path(path), expected, "{path}");
            assert_eq!(normalise_path(expected), expected, "twice {path}");
        }
    }

    #[test]
    fn a_root_is_taken_off_at_a_component() {
        for (root, path, expected) in [
            ("/w", "/w/a.c", Some("a.c")),
            ("/w/", "/w/a.c", Some("a.c")),
            ("/", "/a.c", Some("a.c")),
            ("/w", "/wide/a.c", None),
            ("/w", "/w", None),
            ("/w", "a.c", None),
        ] {
            assert_eq!(below(root, path), expected, "{root} {path}");
        }
    }
}
