//! `stagegate init`: a start for a pipeline.

use std::path::Path;

use stagegate_local_template::Settings;

use crate::args::InitOptions;
use crate::exit::{CommandError, Exit};
use crate::init::{Start, start};
use crate::terminal::say;

pub(crate) fn run(options: &InitOptions) -> Result<Exit, CommandError> {
    let settings = Settings { parameters: options.parameters.iter().cloned().collect(), ..Settings::default() };
    let start = start(&options.pipeline, &settings, &options.prefix).map_err(CommandError::broken_input)?;
    write(&options.out, &start, options.force)?;
    for file in &start.files {
        say(format_args!("wrote {}", options.out.join(&file.path).display()));
    }
    say("");
    start.places.iter().for_each(say);
    start.notes.iter().for_each(|note| say(format_args!("note: {note}")));
    let config = options.out.join("stagegate.yaml");
    say(format_args!("next: fill in what is yours in {0}, then `stagegate check --config {0}`", config.display()));
    Ok(Exit::Passed)
}

/// Writes all files, or none where one of them would be lost.
fn write(folder: &Path, start: &Start, force: bool) -> Result<(), CommandError> {
    let there = start.files.iter().map(|file| folder.join(&file.path)).filter(|path| path.exists());
    let there: Vec<String> = there.map(|path| path.display().to_string()).collect();
    if !there.is_empty() && !force {
        let message = format!("write over {}: use --force, or another folder with --out", there.join(", "));
        return Err(CommandError::wrong_call(message));
    }
    for file in &start.files {
        let path = folder.join(&file.path);
        let parent = path.parent().unwrap_or(folder);
        let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, &file.content));
        written.map_err(|error| CommandError::unavailable(format!("write {}: {error}", path.display())))?;
    }
    Ok(())
}
