//! The notifications and templates of `stagegate.yaml`: routes that match nothing, and templates that cannot say everything
//! that they may have to.

use std::path::Path;

use stagegate_channel::Templates;
use stagegate_config::{Config, Notification, NotificationSource, Places, template_subject_name};

use super::problem::{Position, Problems};

/// The place of a key or of an item of a list (by its number) in one route.
type PlaceInRoute<'a> = &'a dyn Fn(&[&str]) -> Option<Position>;

/// A pipeline and its stages.
pub(crate) struct Stages {
    pub(crate) pipeline: String,
    pub(crate) stages: Vec<String>,
}

/// Checks what the reader takes but cannot be meant. `pipelines` are those that are looked at; `None` where none could be
/// read, so that nothing is known about what a route matches. Templates are read from beside `file`.
pub(crate) fn check(file: &Path, text: &str, config: &Config, pipelines: Option<&[Stages]>, problems: &mut Problems) {
    let places = Places::read(text);
    for (number, route) in config.notifications().iter().enumerate() {
        let index = number.to_string();
        let place = |path: &[&str]| places.of(&[&["notifications", index.as_str()][..], path].concat());
        if let Some(pipelines) = pipelines {
            check_route(&place, route, pipelines, problems);
        }
        let earlier = &config.notifications()[..number];
        if earlier.contains(route) {
            problems.warning(
                place(&[]),
                format!("notification {} stands here twice; a channel hears of each thing once", number + 1),
            );
        }
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    for error in Templates::faults(config, folder) {
        let place = places.of(&["templates", template_subject_name(error.subject), error.form.name()]);
        problems.error(place, error.to_string());
    }
}

fn check_route(place: PlaceInRoute<'_>, route: &Notification, pipelines: &[Stages], problems: &mut Problems) {
    let NotificationSource::Pipeline { pipeline, stages } = &route.source else { return };
    let matching: Vec<_> = pipelines.iter().filter(|known| pipeline.matches(&known.pipeline)).collect();
    if matching.is_empty() {
        let pattern = pipeline.as_str();
        problems.warning(place(&["pipeline"]), format!("{pattern:?} matches none of these pipelines"));
        return;
    }
    for (number, stage) in stages.iter().enumerate() {
        if !matching.iter().any(|known| known.stages.iter().any(|name| stage.matches(name))) {
            let (stage, pattern) = (stage.as_str(), pipeline.as_str());
            let message = format!("{stage:?} matches no stage of the pipelines that {pattern:?} matches");
            problems.warning(place(&["stages", &number.to_string()]), message);
        }
    }
}
