//! The servers of tools that an agent gets, as the protocol says it.

use serde_json::{Value, json};

use crate::{At, Kit};

/// A list for `session/new` and `session/load`.
pub(super) fn print(kit: &Kit) -> String {
    let mut servers = Vec::new();
    for (name, server) in &kit.servers {
        match (&server.at, server.argv().as_deref()) {
            (At::Gateway { url, token }, _) => {
                let header = json!({ "name": "Authorization", "value": format!("Bearer {token}") });
                servers
                    .push(json!({ "type": "http", "name": name, "url": url, "headers": [header] }));
            }
            (At::Program { env, .. }, Some([program, args @ ..])) => {
                let env = env.iter().map(|(name, value)| json!({ "name": name, "value": value }));
                let env = env.collect::<Vec<_>>();
                servers.push(json!({ "name": name, "command": program, "args": args, "env": env }));
            }
            (At::Program { .. }, _) => {}
        }
    }
    Value::Array(servers).to_string()
}
