//! `users.*` and `usergroups.*`.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::{Answer, Refused};
use crate::state::{Person, State, TEAM};

pub(crate) fn info(state: &State, arguments: &Arguments) -> Answer {
    let person = state.person(arguments.needed("user")?).ok_or_else(|| Refused::word("user_not_found"))?;
    Ok(json!({"ok": true, "user": shown(person)}))
}

pub(crate) fn lookup_by_email(state: &State, arguments: &Arguments) -> Answer {
    let email = arguments.needed("email")?;
    let person = state.people().iter().find(|person| person.email.eq_ignore_ascii_case(email) && !person.is_deleted);
    let person = person.ok_or_else(|| Refused::word("users_not_found"))?;
    Ok(json!({"ok": true, "user": shown(person)}))
}

pub(crate) fn group_users(state: &State, arguments: &Arguments) -> Answer {
    let id = arguments.needed("usergroup")?;
    let group = state.groups.iter().find(|group| group.id == id).ok_or_else(|| Refused::word("no_such_subteam"))?;
    let is_active = |id: &&String| state.person(id).is_some_and(|person| !person.is_deleted);
    Ok(json!({"ok": true, "users": group.people.iter().filter(is_active).collect::<Vec<_>>()}))
}

fn shown(person: &Person) -> Value {
    json!({
        "id": person.id, "team_id": TEAM, "name": person.handle(), "real_name": person.name,
        "deleted": person.is_deleted, "is_bot": false, "is_restricted": person.is_guest,
        "is_ultra_restricted": false, "is_email_confirmed": true,
        "profile": {"real_name": person.name, "display_name": person.name, "email": person.email, "team": TEAM},
    })
}
