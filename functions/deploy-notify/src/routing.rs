//! From `stagegate.yaml` to who wants to hear what. Nothing here asks anybody.

use jiff::{SignedDuration, Timestamp};
use stagegate_config::{Config, Notification, OncePer};
use stagegate_notice::{Item, Kind, Notice, Once, Picture, Route, Subject, Wish};

/// Who wants to hear of an execution at this time: nobody, where no route is about it.
pub fn routes<'a>(config: &'a Config, subject: Subject, name: &'a str, now: Timestamp) -> Vec<Route<'a>> {
    let of = config.notifications().iter().filter(|notification| is_of(notification, subject, name));
    let channels = of.flat_map(|notification| notification.channels.iter().map(move |channel| (notification, channel)));
    let route = |(notification, channel): (&'a Notification, &'a String)| {
        let is_interactive = config.channel(channel).is_ok_and(stagegate_config::Channel::is_interactive);
        let wish = move |notice: &Notice, picture: &Picture| {
            let wish = wish(notification, name, notice, picture, now)?;
            Some(Wish { mentions: wish.mentions && is_interactive, ..wish })
        };
        Route {
            channel: channel.clone(),
            is_threaded: notification.thread && is_interactive,
            stuck_after: notification.stuck_after.map(signed),
            wish: Box::new(wish),
        }
    };
    channels.map(route).collect()
}

/// Whether all routes of a channel are quiet at this time, so that nothing that was kept for it is due.
pub(crate) fn is_silent(config: &Config, channel: &str, now: Timestamp) -> bool {
    let is_quiet = |route: &&Notification| route.quiet_hours.as_ref().is_some_and(|hours| hours.end(now).is_some());
    let mut of = to(config, channel).peekable();
    of.peek().is_some() && of.all(|route| is_quiet(&route))
}

/// Whether a notice that was kept for a channel is kept at this time, too: by each route that wants it.
pub(crate) fn is_kept(config: &Config, channel: &str, item: &Item, now: Timestamp) -> bool {
    let Some(origin) = &item.origin else { return false };
    let wants = |route: &&Notification| {
        is_of(route, origin.subject, &origin.name) && route.wants(item.kind, origin.stage.as_deref())
    };
    let keeps =
        |route: &Notification| route.quiet_hours.as_ref().is_some_and(|hours| hours.until(item.kind, now).is_some());
    let mut wanting = to(config, channel).filter(wants).peekable();
    wanting.peek().is_some() && wanting.all(keeps)
}

/// The routes that lead to a channel.
fn to<'a>(config: &'a Config, channel: &str) -> impl Iterator<Item = &'a Notification> {
    config.notifications().iter().filter(move |route| route.channels.iter().any(|name| name == channel))
}

fn is_of(notification: &Notification, subject: Subject, name: &str) -> bool {
    match subject {
        Subject::Pipeline => notification.is_of_pipeline(name),
        Subject::Build => notification.is_of_project(name),
        Subject::Deployment => notification.is_of_application(name.split_once('/').map_or(name, |(first, _)| first)),
    }
}

fn wish(notification: &Notification, name: &str, notice: &Notice, picture: &Picture, now: Timestamp) -> Option<Wish> {
    if !notification.wants(notice.kind, notice.stage.as_deref()) {
        return None;
    }
    let is_silent_for = |length: SignedDuration| notice.silence.is_some_and(|silence| silence >= length);
    if notice.kind == Kind::Stuck && !notification.stuck_after.map(signed).is_some_and(is_silent_for) {
        return None;
    }
    let mut once = Vec::new();
    if notice.kind == Kind::Failed && notification.first_failure_only {
        if picture.breaks == Some(false) {
            return None;
        }
        once.push(Once { key: "first failure".to_owned(), is_shared: false });
    }
    once.extend(notification.once_per.and_then(|per| once_per(per, name, notice, picture)));
    let is_for_later = notification.quiet_hours.as_ref().is_some_and(|hours| hours.until(notice.kind, now).is_some());
    Some(Wish { is_for_later, mentions: notification.mention_author && notice.kind == Kind::Failed, once })
}

/// By what something is known of which there is one notice of a kind.
fn once_per(per: OncePer, name: &str, notice: &Notice, picture: &Picture) -> Option<Once> {
    let kind = notice.kind.name();
    match per {
        OncePer::Execution => Some(Once { key: format!("{kind} of the execution"), is_shared: false }),
        OncePer::Stage => {
            let of = notice.stage.as_deref().map_or("the execution".to_owned(), |stage| format!("the stage {stage}"));
            Some(Once { key: format!("{kind} of {of}"), is_shared: false })
        }
        // Without a revision there is nothing of which another execution could have told.
        OncePer::Revision => {
            let revision = &picture.about.revision.as_ref()?.id;
            Some(Once { key: format!("{name}/{revision}/{kind}"), is_shared: true })
        }
    }
}

fn signed(length: stagegate_config::Length) -> SignedDuration {
    SignedDuration::try_from(length.as_duration()).unwrap_or(SignedDuration::MAX)
}
