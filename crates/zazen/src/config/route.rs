//! Routes for model calls, checked: where they go, and whose key is put in.
//!
//! The key itself is not read here; the daemon does that when it starts.

use super::{Api, Check, Error, Key, Model, Target, raw};

impl Model {
    /// Whether the calls go out with a person's login.
    pub fn is_login(&self) -> bool {
        matches!(self.target, Target::Live { is_login: true, .. })
    }
}

impl Check<'_> {
    pub(super) fn model(&self, name: &str, raw: raw::Model) -> Result<Model, Error> {
        let api = match raw.api.as_str() {
            "anthropic" => Api::Anthropic,
            "openai" => Api::OpenAi,
            "gemini" => Api::Gemini,
            other => {
                let why = format!(
                    "`{other}` is not an api; there are `anthropic`, `openai` and `gemini`"
                );
                return Err(self.wrong(&["models", name, "api"], &why));
            }
        };
        if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            let why = format!("`models.{name}`: a route's name has only a-z, 0-9 and `-`");
            return Err(self.wrong(&["models", name], &why));
        }
        if name == "mcp" {
            let why = "`models.mcp`: that name is taken; give the route another one";
            return Err(self.wrong(&["models", name], why));
        }
        let allow = raw.allow.clone();
        if let Some(recording) = raw.playback {
            let target = Target::Playback { recording: self.host_path(&recording) };
            return Ok(Model { api, target, allow });
        }
        let default = match api {
            Api::Anthropic => "https://api.anthropic.com",
            Api::OpenAi => "https://api.openai.com/v1",
            Api::Gemini => "https://generativelanguage.googleapis.com",
        };
        let (key, is_login) = self.key(name, api, &raw)?;
        let text = raw.base_url.unwrap_or_else(|| default.to_owned());
        let base_url = url::Url::parse(&text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.password().is_none())
            .ok_or_else(|| {
                self.wrong(
                    &["models", name, "base_url"],
                    &format!("`{text}` is not a URL like `https://host/path`"),
                )
            })?;
        Ok(Model { api, target: Target::Live { base_url, key, is_login }, allow })
    }

    /// Where the key of a route comes from, and whether it is a login.
    fn key(&self, name: &str, api: Api, raw: &raw::Model) -> Result<(Key, bool), Error> {
        let variable = |name: &Option<String>| name.clone().map(Key::Variable);
        let file =
            |path: &Option<String>| path.as_ref().map(|path| Key::File(self.host_path(path)));
        let mut keys = [
            ("key_env", variable(&raw.key_env), false),
            ("key_file", file(&raw.key_file), false),
            ("login_env", variable(&raw.login_env), true),
            ("login_file", file(&raw.login_file), true),
        ]
        .into_iter()
        .filter_map(|(word, key, is_login)| Some((word, key?, is_login)));
        let Some((first, key, is_login)) = keys.next() else { return Ok((Key::None, false)) };
        if let Some((second, ..)) = keys.next() {
            let why = format!("write `{first}` or `{second}`, not both");
            return Err(self.wrong(&["models", name, second], &why));
        }
        if is_login && api != Api::Anthropic {
            let why = format!("`{first}` is for routes with `api = \"anthropic\"` only");
            return Err(self.wrong(&["models", name, first], &why));
        }
        Ok((key, is_login))
    }
}
