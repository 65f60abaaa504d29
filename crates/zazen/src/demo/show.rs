//! What the demo shows: a live line on a terminal, plain lines elsewhere, JSON for machines.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};
use zazen_core::id::{IssueNumber, PullNumber, RunId};
use zazen_core::plan::Plan;
use zazen_core::task::{Phase, State, Task};
use zazen_core::usage::{Cost, Usage};
use zazen_core::words;

use super::sample::Sample;
use crate::cli;
use crate::daemon::LiveRun;

/// Shows the demo to whoever looks.
pub(super) struct Show {
    is_json: bool,
    bar: Option<ProgressBar>,
    began: Instant,
    /// The last run that was under way, and what it used when it was last looked at.
    current: Option<(RunId, Phase, Instant)>,
    usage: Usage,
}

impl Show {
    pub(super) fn new(is_json: bool) -> Self {
        Self { is_json, bar: None, began: Instant::now(), current: None, usage: Usage::default() }
    }

    fn event(&self, name: &str, mut more: Value) {
        if self.is_json {
            more["event"] = json!(name);
            more["ms"] = json!(millis(self.began.elapsed()));
            cli::line(&more.to_string());
        }
    }

    fn say(&self, text: &str) {
        if self.is_json {
            return;
        }
        match &self.bar {
            Some(bar) => bar.suspend(|| cli::line(text)),
            None => cli::line(text),
        }
    }

    pub(super) fn no_sandbox(&mut self, why: &str) {
        self.event("no-sandbox", json!({ "why": why }));
        self.say(&format!("{} bubblewrap cannot be used here: {why}", "warning".yellow().bold()));
        self.say(
            "        The demo's agent runs without a sandbox, as you. It plays a fixed recording.",
        );
        self.say("        Everything else refuses to run like this unless you ask for it.\n");
    }

    pub(super) fn made(&mut self, clone: &Path, home: &Path, engine: &str) {
        self.event("made", json!({ "clone": clone, "home": home, "sandbox": engine }));
        self.say(&format!("{}  a repository, a home, a daemon", "zazen demo".bold()));
        self.say(&format!("  repository  {}", clone.display()));
        self.say(&format!("  home        {}", home.display()));
        self.say(&format!("  agent       mini, in {engine}; a script plays the model\n"));
    }

    pub(super) fn issue(&mut self, issue: IssueNumber, title: &str) {
        self.event("issue", json!({ "issue": issue, "title": title }));
        self.say(&format!("{} open issue #{issue}: {title}", "you  ".cyan()));
    }

    pub(super) fn comment(&mut self, who: &str, text: &str) {
        self.event("comment", json!({ "by": who, "text": text }));
        self.say(&format!("{} write   {}", "you  ".cyan(), text.replace("\n\n", "  ")));
    }

    pub(super) fn plan(&mut self, task: &Task, plan: &Plan) {
        self.settle(task);
        self.event("plan", json!({ "steps": plan.steps.len(), "questions": plan.questions.len() }));
        self.say(&format!("{} answers with a plan:", "zazen".green()));
        for (n, step) in plan.steps.iter().enumerate() {
            self.say(&format!("        {}. {}", n + 1, step.title));
        }
        for question in &plan.questions {
            self.say(&format!("        {} {}", "?".yellow().bold(), question.text));
        }
    }

    /// Shows how far the task is. Called often; says something only when it changed.
    pub(super) fn progress(&mut self, task: &Task, live: &BTreeMap<RunId, LiveRun>) {
        let under_way = live.iter().next_back();
        if let Some((&run, now)) = under_way {
            if self.current.is_none_or(|(current, _, _)| current != run) {
                self.settle(task);
                self.begin(run, now.phase);
            }
        } else if task.run.is_none() {
            self.settle(task);
        }
        if let (Some(bar), Some((_, now))) = (&self.bar, under_way) {
            let mut usage = self.usage;
            usage += now.usage;
            bar.set_message(format!(
                "{}  {} tokens  {}  {}",
                words::doing(now.phase),
                words::tokens(usage.tokens.total()),
                words::cost(usage.cost),
                now.last.dimmed()
            ));
        }
    }

    fn begin(&mut self, run: RunId, phase: Phase) {
        self.current = Some((run, phase, Instant::now()));
        self.event("run", json!({ "run": run, "phase": phase.to_string() }));
        if !self.is_json && std::io::stderr().is_terminal() {
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner:.green} {elapsed:>4} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(Duration::from_millis(80));
            self.bar = Some(bar);
        }
    }

    /// The run that was under way is over: one line stays.
    fn settle(&mut self, task: &Task) {
        let Some((run, phase, since)) = self.current.take() else { return };
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let (tokens, cost) = (task.usage.tokens.total(), task.usage.cost);
        let spent = tokens.saturating_sub(self.usage.tokens.total());
        self.usage = task.usage;
        let took = since.elapsed();
        self.event(
            "run-ended",
            json!({
                "run": run, "phase": phase.to_string(), "took_ms": millis(took), "tokens": spent,
            }),
        );
        self.say(&format!(
            "{} {} {:<38} {:>7}  {:>6} tokens  {}",
            "zazen".green(),
            "✓".green(),
            words::doing(phase),
            words::elapsed(millis(took)),
            words::tokens(spent),
            so_far(cost)
        ));
    }

    /// Clears the live line, whatever happened.
    pub(super) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// The end: where everything is, and what to try.
    pub(super) fn end(
        &mut self,
        sample: &Sample,
        (task, pull): (&Task, PullNumber),
        took: Duration,
    ) {
        self.settle(task);
        let State::Drafted { head, .. } = &task.state else { return };
        let page = sample.home.forge_dir(&sample.repo).join("pulls").join(format!("{pull}.md"));
        let branch = format!("zazen/{}-{}", task.id, zazen_core::text::slug(&task.title));
        let remote = sample.home.remotes_dir().join(format!("{}.git", sample.repo));
        self.event(
            "draft",
            json!({
                "pull": pull, "commit": head, "branch": branch, "page": page, "remote": remote,
                "home": sample.home.root(), "took_ms": millis(took), "usage": task.usage,
            }),
        );
        self.say(&format!(
            "\n{} Draft pull request #{pull} is ready, after {}.",
            "done".green().bold(),
            words::elapsed(millis(took))
        ));
        self.say(
            "     Edits, commits and checks are real. A script played the model: no money spent.\n",
        );
        self.say(&format!("  pull request  {}", page.display()));
        self.say(&format!("  branch        {branch} in {}", remote.display()));
        self.say(&format!(
            "  task          {}",
            crate::daemon::task_dir(&sample.home, task).display()
        ));
        self.say("\nTry:");
        self.say(&format!("  less {}", page.display()));
        self.say(&format!("  git -C {} log -p main..{branch}", remote.display()));
        let zazen = sample.zazen.display();
        self.say(&format!(
            "  {zazen} --home {} task logs {}",
            sample.home.root().display(),
            task.id
        ));
    }
}

fn so_far(cost: Cost) -> String {
    format!("{} so far", words::cost(cost))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
