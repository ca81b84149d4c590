//! The example application as the demo uses it: a copy, so that a new version or a broken test changes nothing else.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The line of the application whose loss breaks exactly one test: without it, markup in a changelog entry becomes
/// markup of the page.
const ESCAPING: (&str, &str) = ("lib/html.sh", "&lt;");

/// The line of the build whose loss breaks the page and no test: without it, the site has no stylesheet.
const STYLESHEET: (&str, &str) = ("build.sh", "templates/style.css");

/// A copy of the example application.
pub(crate) struct Example {
    pub(crate) folder: PathBuf,
}

impl Example {
    /// Copies the application to `folder`, in place of whatever is there.
    pub(crate) fn copy(original: &Path, folder: &Path) -> Result<Self, String> {
        let failed = |error: io::Error| format!("copy {} to {}: {error}", original.display(), folder.display());
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(failed)?;
        }
        copy_folder(original, folder).map_err(failed)?;
        Ok(Self { folder: folder.to_owned() })
    }

    pub(crate) fn version(&self) -> Result<String, String> {
        Ok(self.read("VERSION")?.trim().to_owned())
    }

    /// Raises the second number of the version, with an entry in the changelog, and gives the new version.
    pub(crate) fn next_version(&self) -> Result<String, String> {
        let version = self.version()?;
        let mut numbers = version.split('.').map(str::parse::<u32>);
        let next = match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => format!("{major}.{}.0", minor + 1),
            _ => return Err(format!("raise the version {version:?} of the example: it is not of the form 1.2.3")),
        };
        self.write("VERSION", &format!("{next}\n"))?;
        let changelog = self.read("CHANGELOG.md")?;
        let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        let entry = format!("## {next} - {today}\n- added: Releases wait at a gate\n\n## {version} ");
        self.write("CHANGELOG.md", &changelog.replacen(&format!("## {version} "), &entry, 1))?;
        Ok(next)
    }

    /// Takes out the line that one test is about.
    pub(crate) fn break_a_test(&self) -> Result<(), String> {
        self.take_out(ESCAPING)
    }

    /// Takes out a line without which the deployed page is broken, and which no test is about.
    pub(crate) fn break_the_page(&self) -> Result<(), String> {
        self.take_out(STYLESHEET)
    }

    fn take_out(&self, (file, sign): (&str, &str)) -> Result<(), String> {
        let text = self.read(file)?;
        let broken: String = text.split_inclusive('\n').filter(|line| !line.contains(sign)).collect();
        if broken.len() == text.len() {
            return Err(format!("break the example: {file} has no line with {sign:?}"));
        }
        self.write(file, &broken)
    }

    fn read(&self, file: &str) -> Result<String, String> {
        fs::read_to_string(self.folder.join(file)).map_err(|error| format!("read {file} of the example: {error}"))
    }

    fn write(&self, file: &str, text: &str) -> Result<(), String> {
        fs::write(self.folder.join(file), text).map_err(|error| format!("write {file} of the example: {error}"))
    }
}

/// The version in the `version.json` that the application serves.
pub(crate) fn version_in(json: &str) -> Result<String, String> {
    let value: serde_json::Value =
        serde_json::from_str(json).map_err(|error| format!("read the version that production serves: {error}"))?;
    let version = value["version"].as_str().map(str::to_owned);
    version.ok_or_else(|| "read the version that production serves: there is none in version.json".to_owned())
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type()? {
            kind if kind.is_dir() => copy_folder(&source, &target)?,
            kind if kind.is_file() => drop(fs::copy(&source, &target)?),
            _ => {}
        }
    }
    Ok(())
}
