//! Names that become folders.

/// Checks that `name` can be the name of a folder: nothing that leads elsewhere, hides it or breaks a line.
pub(crate) fn check_folder_name(what: &str, name: &str) -> Result<(), String> {
    let usable = !name.is_empty()
        && name.len() <= 150
        && !name.starts_with('.')
        && name.chars().all(|each| each.is_alphanumeric() || "-_.+=,@: ".contains(each));
    if usable {
        return Ok(());
    }
    Err(format!("{what} {name:?} cannot be used here; use letters, digits and -_.+=,@ and at most 150 characters"))
}
