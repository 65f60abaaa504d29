//! The repositories of `zazen.toml`, checked: names, places, and the hosts that runs may reach.
//!
//! What else the file has is checked in the parent.

use zazen_core::host::{Hosts, InvalidHost};
use zazen_core::id::RepoName;
use zazen_core::skill::{Choice, InvalidSkillName};

use super::{Check, Coverage, Error, Forge, Github, Repo, Sandbox, raw};

/// How many people may be asked for a review: GitHub asks no more of one pull request.
const N_REVIEWERS_MAX: usize = 15;

impl Check<'_> {
    pub(super) fn repos(
        &self,
        raw: Vec<raw::Repo>,
        around: (&Sandbox, Option<&Github>),
    ) -> Result<Vec<Repo>, Error> {
        let mut repos: Vec<Repo> = Vec::new();
        for (raw, index) in raw.into_iter().zip(0_usize..) {
            let place = index.to_string();
            let wrong = |why: &str| self.wrong(&["repo", &place, "name"], why);
            let name: RepoName = raw
                .name
                .parse()
                .map_err(|err: zazen_core::id::InvalidId| wrong(&err.to_string()))?;
            if repos.iter().any(|repo| repo.name == name) {
                let why =
                    format!("there are two repositories called `{name}`; give one another name");
                return Err(wrong(&why));
            }
            repos.push(self.repo(name, raw, (&place, around))?);
        }
        Ok(repos)
    }

    fn hosts(&self, place: &str, raw: &raw::Repo) -> Result<Hosts, Error> {
        type Add = fn(&mut Hosts, &str) -> Result<(), InvalidHost>;
        let mut hosts = Hosts::default();
        let lists: [(&str, &[String], Add); 2] =
            [("hosts", &raw.hosts, Hosts::add), ("private", &raw.private, Hosts::add_private)];
        for (key, entries, add) in lists {
            for (entry, n) in entries.iter().zip(0_usize..) {
                let wrong = |err: InvalidHost| {
                    let why = format!("`{}` cannot be in `{key}`: {}", err.entry, err.why);
                    self.wrong(&["repo", place, key, &n.to_string()], &why)
                };
                add(&mut hosts, entry).map_err(wrong)?;
            }
        }
        Ok(hosts)
    }

    fn coverage(&self, place: &str, raw: &raw::Repo) -> Result<Coverage, Error> {
        let command = raw.coverage.clone().unwrap_or_default();
        let file = raw.coverage_file.clone().unwrap_or_default();
        let is_path = |path: &str| {
            let is_part = |part: &str| !matches!(part, "" | "." | "..");
            path.split('/').all(is_part) && !path.contains(['\n', '\0'])
        };
        if !file.is_empty() && !is_path(&file) {
            let why = "`coverage_file` is a path in the repository, like `coverage/lcov.info`";
            return Err(self.wrong(&["repo", place, "coverage_file"], why));
        }
        Ok(Coverage { command, file })
    }

    fn skills(&self, place: &str, raw: Option<&[String]>) -> Result<Choice, Error> {
        let Some(names) = raw else { return Ok(Choice::All) };
        let all = names.iter().zip(0_usize..).map(|(name, n)| {
            let at = ["repo", place, "skills", &n.to_string()];
            name.parse().map_err(|err: InvalidSkillName| self.wrong(&at, &err.to_string()))
        });
        Ok(Choice::Only(all.collect::<Result<_, _>>()?))
    }

    fn reviewers(
        &self,
        (place, forge): (&str, Forge),
        raw: &raw::Repo,
    ) -> Result<Vec<String>, Error> {
        let wrong = |why: &str| self.wrong(&["repo", place, "reviewers"], why);
        if forge == Forge::Local && !raw.reviewers.is_empty() {
            let why = "`reviewers` are asked on GitHub, and this repository has no `forge = \
                       \"github\"`";
            return Err(wrong(why));
        }
        if raw.reviewers.len() > N_REVIEWERS_MAX {
            let why = format!("`reviewers` may have {N_REVIEWERS_MAX} names at the most");
            return Err(wrong(&why));
        }
        let is_login = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        match raw.reviewers.iter().find(|login| !is_login(login)) {
            Some(login) => {
                let why = format!("`{login}` is nobody's login; write it without the `@`");
                Err(wrong(&why))
            }
            None => Ok(raw.reviewers.clone()),
        }
    }

    fn repo(
        &self,
        name: RepoName,
        raw: raw::Repo,
        (place, (sandbox, github)): (&str, (&Sandbox, Option<&Github>)),
    ) -> Result<Repo, Error> {
        let engine = match &raw.engine {
            None => sandbox.engine,
            Some(engine) => self.engine(&["repo", place, "engine"], engine)?,
        };
        let image = self.image(&raw, (place, engine, sandbox.containers.image.as_ref()))?;
        let hosts = self.hosts(place, &raw)?;
        let skills = self.skills(place, raw.skills.as_deref())?;
        let (forge, source) = self.forge(&raw, (place, github))?;
        let reviewers = self.reviewers((place, forge), &raw)?;
        let coverage = self.coverage(place, &raw)?;
        let remote = match raw.remote {
            Some(path) => self.host_path(&path),
            None => self.root.join(".zazen/remotes").join(format!("{name}.git")),
        };
        Ok(Repo {
            name,
            forge,
            source,
            remote,
            branch: raw.branch.unwrap_or_default(),
            check: raw.check.unwrap_or_default(),
            coverage,
            reviewers,
            hosts,
            skills,
            engine,
            image,
        })
    }
}
