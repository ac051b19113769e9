//! The requests: the rows of the matrix.

use integration_tests::api::{Call, as_caller};
use integration_tests::export::request as body;
use integration_tests::org::Caller as User;
use integration_tests::page::{PAGE, post_form};
use integration_tests::random_id;
use serde_json::{Value, json};

use crate::callers::Caller;
use crate::matrix::Row;
use crate::targets::World;

/// A form that asks for one field of January 2025 in all workspaces.
pub const FORM: [(&str, &str); 4] = [
    ("start_date", "01/01/2025"),
    ("end_date", "01/31/2025"),
    ("workspaces", "all"),
    ("export_fields", "run_id"),
];

/// The request of a row as this caller makes it.
pub async fn request(world: &World, row: &Row, caller: Caller) -> Call {
    let (path, query) = row.path.split_once('?').unwrap_or((&row.path, ""));
    match path.strip_prefix("/page") {
        Some(rest) => {
            let call = to_page(world, row, caller, rest, query).await;
            caller.at_page(world, call).await
        }
        None => caller.at_api(world, to_api(world, row, caller, path, query).await),
    }
}

/// Puts ids into the place of `{export}` and the like.
async fn fill(world: &World, row: &Row, caller: Caller, text: &str) -> String {
    let mut text = text.to_owned();
    if text.contains("{export}") {
        let is_finished = !row.path.contains("cancel");
        text = text.replace("{export}", &world.export(row.whose, caller, is_finished).await);
    }
    if text.contains("{saved}") {
        text = text.replace("{saved}", &world.saved(row.whose).await);
    }
    if text.contains("{user}") {
        text = text.replace("{user}", &world.user(row.whose, caller));
    }
    text.replace("{workspace}", &world.workspace(row.whose))
}

/// A request to the API. It acts for the caller unless the row names a user.
async fn to_api(world: &World, row: &Row, caller: Caller, path: &str, query: &str) -> Call {
    let query = fill(world, row, caller, query).await;
    let mut parameters: Vec<(&str, &str)> =
        query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    if !query.contains("user_id=") {
        parameters.push(("user_id", caller.user_id(world)));
    }
    if row.method == "GET" {
        return Call::get(path, &parameters);
    }
    let user = User { user_id: caller.user_id(world).to_owned(), key: String::new() };
    let members: serde_json::Map<_, _> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let given = match path {
        "/export_data" => body(&json!({"workspace_ids": [members["workspace_ids"]]})),
        _ => Value::Object(members),
    };
    Call::post(path, as_caller(&user, &given).to_string())
}

/// A request to the page: a form if it is a POST, with what the row has behind its `?`.
async fn to_page(world: &World, row: &Row, caller: Caller, rest: &str, query: &str) -> Call {
    let rest = fill(world, row, caller, rest).await;
    let query = fill(world, row, caller, query).await;
    let parameters: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    if row.method == "GET" {
        let path = if rest == "/script" { world.script().await } else { format!("{PAGE}{rest}") };
        return Call::get(&path, &parameters);
    }
    let (name, key) = (random_id("name"), random_id("key"));
    let mut form = match rest.as_str() {
        "/sign_in" => vec![("user_id", caller.user_id(world)), ("api_key", caller.key(world))],
        _ => FORM.to_vec(),
    };
    if parameters.iter().any(|(name, _)| *name == "workspace_ids") {
        form.retain(|(name, _)| *name != "workspaces");
        form.push(("workspaces", "selected"));
    }
    form.extend(parameters);
    form.extend([("name", &*name), ("idempotency_key", &*key)]);
    post_form(&rest, &form)
}
