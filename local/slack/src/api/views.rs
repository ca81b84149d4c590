//! `views.*`.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::{Answer, Refused};
use crate::Shared;
use crate::state::State;
use crate::validate;
use crate::view::{MAX_STACK, View};

pub(crate) fn open(shared: &Shared, state: &mut State, arguments: &Arguments) -> Answer {
    let view = given(arguments)?;
    let id = arguments.needed("trigger_id")?;
    let trigger = state.triggers.get_mut(id).ok_or_else(|| Refused::word("invalid_trigger_id"))?;
    if trigger.is_used {
        return Err(Refused::word("exchanged_trigger_id"));
    }
    if trigger.made.elapsed() > shared.trigger_lifetime {
        return Err(Refused::word("expired_trigger_id"));
    }
    trigger.is_used = true;
    let user = trigger.user.clone();
    if state.views.iter().filter(|view| view.user == user).count() >= MAX_STACK {
        return Err(Refused::word("push_limit_reached"));
    }
    let view = View::new(&user, view);
    let answer = json!({"ok": true, "view": view.to_json()});
    state.views.push(view);
    Ok(answer)
}

pub(crate) fn update(state: &mut State, arguments: &Arguments) -> Answer {
    let view = given(arguments)?;
    let id = arguments.needed("view_id")?;
    let open = state.views.iter_mut().find(|view| view.id == id).ok_or_else(|| Refused::word("not_found"))?;
    if arguments.text("hash").is_some_and(|hash| hash != open.hash) {
        return Err(Refused::word("hash_conflict"));
    }
    open.replace(view);
    Ok(json!({"ok": true, "view": open.to_json()}))
}

fn given(arguments: &Arguments) -> Result<Value, Refused> {
    let view = arguments.get("view").filter(|view| view.is_object());
    let view = view.ok_or_else(|| Refused::word("invalid_arguments"))?;
    validate::view(view)?;
    Ok(view.clone())
}
