//! Which mode and which model a session has, in the ways that agents say it.

use agent_client_protocol_schema::v1::{
    AGENT_METHOD_NAMES, SessionId, SetSessionConfigOptionRequest, SetSessionModeRequest,
};
use serde_json::{Value, json};

/// A request that sets a mode.
#[derive(Debug, PartialEq)]
pub(super) struct Change {
    pub(super) method: &'static str,
    pub(super) params: Value,
    pub(super) mode: String,
}

/// The request that sets the first of the wanted modes that there is. None where none is
/// there, or it is set already.
pub(super) fn change(answer: &Value, id: &SessionId, wanted: &[String]) -> Option<Change> {
    let has = |mode: &str| available(answer).any(|id| id == mode);
    let mode = wanted.iter().find(|mode| has(mode) || option_value(answer, mode).is_some())?;
    if has(mode) {
        let request = SetSessionModeRequest::new(id.clone(), mode.clone());
        let is_set = current(answer).as_deref() == Some(mode);
        let method = AGENT_METHOD_NAMES.session_set_mode;
        return (!is_set).then(|| Change { method, params: json!(request), mode: mode.clone() });
    }
    let (option, value) = option_value(answer, mode)?;
    let request = SetSessionConfigOptionRequest::new(id.clone(), option, value.as_str());
    let method = AGENT_METHOD_NAMES.session_set_config_option;
    Some(Change { method, params: json!(request), mode: mode.clone() })
}

/// The mode that is set.
pub(super) fn current(answer: &Value) -> Option<String> {
    let mode = &answer["modes"]["currentModeId"];
    let of_option = || mode_option(answer).map(|option| &option["currentValue"]);
    mode.as_str().or_else(|| of_option()?.as_str()).map(str::to_owned)
}

/// The model that is set.
pub(super) fn model(answer: &Value) -> Option<String> {
    let of_option = || config(answer, "model").map(|option| &option["currentValue"]);
    let model = answer["models"]["currentModelId"].as_str();
    model.or_else(|| of_option()?.as_str()).map(str::to_owned)
}

fn available(answer: &Value) -> impl Iterator<Item = &str> {
    let modes = answer["modes"]["availableModes"].as_array().map(Vec::as_slice);
    modes.unwrap_or_default().iter().filter_map(|mode| mode["id"].as_str())
}

fn mode_option(answer: &Value) -> Option<&Value> {
    config(answer, "mode")
}

fn config<'a>(answer: &'a Value, category: &str) -> Option<&'a Value> {
    let options = answer["configOptions"].as_array()?;
    options.iter().find(|option| option["category"] == category || option["id"] == category)
}

/// The option's id, and the value that is called like this or ends so, after a `#`.
fn option_value(answer: &Value, mode: &str) -> Option<(String, String)> {
    let option = mode_option(answer)?;
    let values = option["options"].as_array()?.iter().filter_map(|value| value["value"].as_str());
    let value = values.into_iter().find(|value| value.rsplit('#').next() == Some(mode))?;
    let is_set = option["currentValue"] == value;
    (!is_set).then_some((option["id"].as_str()?.to_owned(), value.to_owned()))
}
