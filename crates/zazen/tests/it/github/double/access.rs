//! Who a request comes from, and whether they may: tokens, scopes, roles.
//!
//! emulate takes an unknown token for its first user and lets anybody write in a public
//! repository, so none of this is left to it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Method;
use serde_json::Value;

use super::description::Matched;
use super::state::{Holder, NAME, OWNER, Permission, State};
use super::wire::{Ask, Reply};

/// How far ahead an App's own token may end. GitHub says ten minutes.
const APP_TOKEN_SECONDS_MAX: i64 = 600;
/// How far clocks may be apart.
const SKEW_SECONDS: i64 = 60;

/// The token of a request, from either way to carry one.
pub(super) fn token_of(ask: &Ask) -> Option<String> {
    let value = ask.header("authorization")?;
    let (kind, token) = value.split_once(' ')?;
    match kind.to_ascii_lowercase().as_str() {
        "bearer" | "token" => Some(token.trim().to_owned()),
        "basic" => {
            let engine = base64::engine::general_purpose::STANDARD;
            let pair = String::from_utf8(engine.decode(token.trim()).ok()?).ok()?;
            Some(pair.split_once(':')?.1.to_owned())
        }
        _ => None,
    }
}

/// Says who holds a token, and the token that emulate knows for it.
pub(super) fn holder_of(state: &State, token: Option<&str>) -> Result<(Holder, String), Reply> {
    let Some(token) = token else {
        return Err(Reply::error(401, "Requires authentication"));
    };
    if token.starts_with("eyJ") {
        check_app_token(token)?;
        // Whether it is signed with the App's key is for emulate to say.
        return Ok((Holder::App, token.to_owned()));
    }
    match state.tokens.get(token) {
        Some(known) if !known.is_dead => Ok((known.holder.clone(), known.inner.clone())),
        _ => Err(Reply::error(401, "Bad credentials")),
    }
}

fn check_app_token(token: &str) -> Result<(), Reply> {
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Value =
        claims.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null);
    let now = jiff::Timestamp::now().as_second();
    let (Some(issued), Some(ends)) = (claims["iat"].as_i64(), claims["exp"].as_i64()) else {
        return Err(Reply::error(401, "A JSON web token could not be decoded"));
    };
    if issued > now + SKEW_SECONDS {
        return Err(Reply::error(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the \
             assertion was issued",
        ));
    }
    if ends > now + APP_TOKEN_SECONDS_MAX {
        return Err(Reply::error(401, "'Expiration time' claim ('exp') is too far in the future"));
    }
    if ends <= now {
        let what = "'Expiration time' claim ('exp') must be a numeric value representing the \
                    future time at which the assertion expires";
        return Err(Reply::error(401, what));
    }
    Ok(())
}

/// Says whether a token may do this at all. Whether a person may do it to somebody
/// else's text is [`least_role`]'s.
pub(super) fn check(
    state: &State,
    holder: &Holder,
    method: &Method,
    matched: &Matched,
) -> Result<(), Reply> {
    let template = matched.template.as_str();
    let is_app_path = template.starts_with("/app/") || template == "/app";
    let is_app = *holder == Holder::App;
    if is_app_path != is_app && !template.ends_with("/installation") {
        return Err(Reply::error(401, "A JSON web token could not be decoded"));
    }
    let Some(rest) = template.strip_prefix("/repos/{owner}/{repo}") else {
        return match (holder, template) {
            (Holder::Installation { .. }, "/user") => Err(not_by(holder)),
            (Holder::Person { .. } | Holder::Machine { .. }, "/installation/repositories") => {
                Err(not_by(holder))
            }
            _ => Ok(()),
        };
    };
    let owner = matched.text("owner");
    let is_there = owner == OWNER || state.forks.contains(owner);
    if matched.text("repo") != NAME || !is_there {
        return Err(Reply::error(404, "Not Found"));
    }
    check_scope(state, holder, method, rest)
}

fn check_scope(state: &State, holder: &Holder, method: &Method, rest: &str) -> Result<(), Reply> {
    let writes = *method != Method::GET;
    match holder {
        Holder::App => Ok(()),
        Holder::Installation { permissions, repos } => {
            let is_out = repos.as_ref().is_some_and(|repos| !repos.iter().any(|r| r == NAME));
            if is_out && (writes || state.is_private) {
                return Err(if writes { not_by(holder) } else { Reply::error(404, "Not Found") });
            }
            // The public part of a repository is everybody's to read.
            if grants(permissions, rest, method) || !writes && !state.is_private {
                Ok(())
            } else {
                Err(not_by(holder))
            }
        }
        Holder::Machine { login, permissions } => {
            if is_for_apps(rest, writes) || !grants(permissions, rest, method) {
                return Err(not_by(holder));
            }
            check_role(state, login, rest, method)
        }
        Holder::Person { login } => {
            if is_for_apps(rest, writes) {
                return Err(Reply::error(403, "You must authenticate via a GitHub App."));
            }
            check_role(state, login, rest, method)
        }
    }
}

fn is_for_apps(rest: &str, writes: bool) -> bool {
    writes && rest.starts_with("/check-")
}

fn check_role(state: &State, login: &str, rest: &str, method: &Method) -> Result<(), Reply> {
    let has = state.permission(login);
    if has < Permission::Read {
        return Err(Reply::error(404, "Not Found"));
    }
    let needs = match (method.as_str(), rest) {
        ("GET", "/collaborators/{username}/permission") => Permission::Write,
        ("GET", _) => Permission::Read,
        (_, path) if path.starts_with("/actions/") => Permission::Write,
        (_, path) if path.contains("/labels") || path.ends_with("/assignees") => {
            if path.starts_with("/labels") { Permission::Write } else { Permission::Triage }
        }
        (_, path) if path.ends_with("/requested_reviewers") => Permission::Triage,
        (_, path) if path.starts_with("/statuses") => Permission::Write,
        (_, path) if path.ends_with("/lock") || path.ends_with("/merge") => Permission::Write,
        (_, path) if path.starts_with("/git/") || path.starts_with("/contents") => {
            Permission::Write
        }
        _ => Permission::Read,
    };
    if has >= needs {
        return Ok(());
    }
    Err(if rest.starts_with("/collaborators") {
        Reply::error(403, "Must have push access to view collaborator permission.")
    } else {
        Reply::error(403, "Must have admin rights to Repository.")
    })
}

/// Whether the permissions of a token cover a request.
pub(super) fn grants(
    permissions: &std::collections::BTreeMap<String, String>,
    rest: &str,
    method: &Method,
) -> bool {
    let writes = *method != Method::GET;
    let names: &[&str] = match rest {
        "" | "/installation" => return true,
        path if path.starts_with("/collaborators") => return true,
        path if path.starts_with("/actions") => &["actions"],
        path if path.ends_with("/status") || path.contains("/statuses") => &["statuses"],
        path if path.starts_with("/check-") || path.contains("/check-") => &["checks"],
        path if path.ends_with("/merge") => &["contents"],
        path if path.starts_with("/pulls") || path.ends_with("/pulls") => &["pull_requests"],
        path if path.starts_with("/issues") || path.starts_with("/labels") => {
            &["issues", "pull_requests"]
        }
        _ => &["contents"],
    };
    names.iter().any(|name| {
        let level = permissions.get(*name).map_or("", String::as_str);
        level == "write" || (!writes && level == "read")
    })
}

/// What a person needs to be to change a text of somebody else.
pub(super) fn least_role(template: &str) -> Permission {
    if template.ends_with("/issues/{issue_number}") {
        Permission::Triage
    } else {
        Permission::Write
    }
}

pub(super) fn not_by(holder: &Holder) -> Reply {
    let is_app = holder.is_app();
    let whom = if is_app { "integration" } else { "personal access token" };
    Reply::error(403, &format!("Resource not accessible by {whom}"))
}
