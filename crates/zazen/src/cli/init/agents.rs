//! The coding agents that a new home can have: those whose programs are on this machine,
//! and `mini`, which always is.

use std::path::PathBuf;

use zazen_harness::{Api, Name};

use crate::config::Environment;

/// An agent that could be configured here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Here {
    pub(crate) harness: Name,
    /// Where its program is. None for what is built in.
    pub(super) program: Option<PathBuf>,
}

/// Those that can act here, the first choice first. `mini` is the last of them.
pub(super) fn find(environment: &Environment) -> Vec<Here> {
    let found = Name::ALL.into_iter().filter_map(|harness| {
        let program = environment.find_program(harness.abilities().program?)?;
        Some(Here { harness, program: Some(program) })
    });
    found.chain([Here { harness: Name::Mini, program: None }]).collect()
}

impl Here {
    /// The built-in one.
    pub(crate) const MINI: Self = Self { harness: Name::Mini, program: None };

    /// The model to ask for. Empty where the harness has its own choice.
    pub(crate) fn model(&self) -> &'static str {
        self.harness.abilities().model.usual()
    }

    fn api(&self) -> Api {
        self.harness.abilities().speaks.first().copied().unwrap_or(Api::Anthropic)
    }

    /// The name of the route that its calls take.
    pub(super) fn route(&self) -> &'static str {
        self.api().word()
    }

    /// The lines of that route.
    pub(super) fn route_lines(&self) -> String {
        let (name, variable) = (self.route(), variable(self.api()));
        format!("[models.{name}]\napi = \"{name}\"\nkey_env = \"{variable}\"\n")
    }

    /// Where it is, for people.
    pub(super) fn words(&self) -> String {
        match &self.program {
            Some(program) => format!("{} ({})", self.harness, program.display()),
            None => format!("{} (built in)", self.harness),
        }
    }
}

/// The variable that the vendors' own programs take a key from.
fn variable(api: Api) -> &'static str {
    match api {
        Api::Anthropic => "ANTHROPIC_API_KEY",
        Api::OpenAi => "OPENAI_API_KEY",
        Api::Gemini => "GEMINI_API_KEY",
    }
}

/// The agents that were found beside the one that was taken, as lines to be uncommented.
pub(super) fn others(taken: &Here, here: &[Here]) -> String {
    let others: Vec<&Here> = here.iter().filter(|other| other.harness != taken.harness).collect();
    if others.is_empty() {
        return String::new();
    }
    let mut lines =
        vec!["More agents that are here. Without the `#` they can be given roles; see".to_owned()];
    lines.push("docs/configuration.md. `zazen harness test NAME` tries one.".to_owned());
    let mut routes = vec![taken.route()];
    for other in others {
        let (name, model, route) = (other.harness, other.model(), other.route());
        lines.push(format!("[agents.{name}]\nharness = \"{name}\""));
        if !model.is_empty() {
            lines.push(format!("model = \"{model}\""));
        }
        lines.push(format!("route = \"{route}\""));
        if !routes.contains(&route) {
            routes.push(route);
            lines.push(other.route_lines());
        }
    }
    let lines = lines.iter().flat_map(|text| text.trim_end().lines());
    lines.flat_map(|line| ["# ", line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use zazen_harness::Name;

    use super::{Here, others};

    fn here(harness: Name) -> Here {
        Here { harness, program: Some(format!("/usr/bin/{harness}").into()) }
    }

    #[test]
    fn agents_that_were_not_taken_are_there_to_be_uncommented() {
        let all = [here(Name::Claude), here(Name::Codex), Here::MINI];
        expect![[r#"
            # More agents that are here. Without the `#` they can be given roles; see
            # docs/configuration.md. `zazen harness test NAME` tries one.
            # [agents.codex]
            # harness = "codex"
            # model = "gpt-5.5"
            # route = "openai"
            # [models.openai]
            # api = "openai"
            # key_env = "OPENAI_API_KEY"
            # [agents.mini]
            # harness = "mini"
            # model = "claude-sonnet-4-5"
            # route = "anthropic"
        "#]]
        .assert_eq(&others(&all[0], &all));
        assert_eq!(others(&Here::MINI, &[Here::MINI]), "");
    }
}
