//! Whether the skills can be given to agents, and whether those are there that are named.

use std::collections::BTreeSet;

use zazen_core::skill::{Choice, SkillName};

use super::{Finding, bad, good};
use crate::cli::skill;
use crate::config::Config;
use crate::home::Home;

pub(super) fn look(home: &Home, config: &Config) -> Vec<Finding> {
    let (found, broken) = match skill::read(home) {
        Ok(read) => read,
        Err(err) => return vec![bad("skills", &format!("{err:#}"), "chmod u+rx the folder")],
    };
    let fix = "mend or remove it; `zazen skill list` shows the rest";
    let mut findings: Vec<Finding> =
        broken.iter().map(|broken| bad("skills", &broken.to_string(), fix)).collect();
    let there: BTreeSet<&SkillName> = found.iter().map(|found| &found.skill.name).collect();
    for repo in &config.repos {
        let Choice::Only(named) = &repo.skills else { continue };
        for name in named.iter().filter(|name| !there.contains(name)) {
            let says = format!("{} names the skill `{name}`, which is not there", repo.name);
            findings.push(bad("skills", &says, "mend `skills` in zazen.toml, or write the skill"));
        }
    }
    if findings.is_empty() && !found.is_empty() {
        let names: Vec<&str> = found.iter().map(|found| found.skill.name.as_str()).collect();
        findings.push(good("skills", &names.join(", ")));
    }
    findings
}
