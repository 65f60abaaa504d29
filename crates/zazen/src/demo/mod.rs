//! `zazen demo`: the whole way from an issue to a draft pull request, offline.
//!
//! The home, the repository, the daemon, the sandbox, the agent (`mini`), its
//! edits, the commits and the checks are real. Only the model's answers are not
//! made now: they come from a recording that is bundled with the program, and are
//! played by the gateway. `sample` makes the place, `show` shows what happens.

mod sample;
mod show;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zazen_core::engine::Book;
use zazen_core::id::{IssueNumber, PullNumber, TaskId};
use zazen_core::plan::Plan;
use zazen_core::task::{State, Task};

use self::sample::Sample;
use self::show::Show;
use crate::cli::{Context, Result};
use crate::daemon::{self, World};
use crate::forge::local::NewIssue;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Make the demo in this folder [default: a new one among the temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print what happens for machines, one JSON object a line
    #[arg(long)]
    json: bool,
}

/// How long the whole demo may take. It takes seconds; a machine that needs
/// minutes for it has a trouble that should be said.
const DEMO_MAX: Duration = Duration::from_secs(180);

/// How often it is looked what has come of it.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// What the person of the demo answers to the plan's open question.
const ANSWER: &str = "Leave empty months out.\n\n/implement";

pub(crate) fn run(args: &Args, context: &Context) -> Result {
    let show = Show::new(args.json);
    let runtime = daemon::runtime().context("start the demo")?;
    Ok(runtime.block_on(play(args, context, show))?)
}

async fn play(args: &Args, context: &Context, mut show: Show) -> anyhow::Result<()> {
    let began = Instant::now();
    let sample = sample::make(args.dir.as_deref(), &mut show).await?;
    let world = sample.open_world(&context.environment).await?;
    let shutdown = CancellationToken::new();
    let mut work = JoinSet::new();
    work.spawn(daemon::run(world.clone(), shutdown.clone()));
    let told = tell(&world, &sample, &mut show, &mut work).await;
    show.finish();
    shutdown.cancel();
    let ended = work.join_next().await.context("the daemon is gone")?;
    let (task, pull) = told?;
    ended.context("the daemon broke down")??;
    show.end(&sample, (&task, pull), began.elapsed());
    Ok(())
}

/// The story: what the person does, and what comes of it.
async fn tell(
    world: &Arc<World>,
    sample: &Sample,
    show: &mut Show,
    work: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<(Task, PullNumber)> {
    let repo = &sample.repo;
    let person = world.config.name.as_str();
    let new = NewIssue {
        title: sample::ISSUE_TITLE,
        body: sample::ISSUE_BODY,
        author: person,
        labels: &[],
    };
    let issue = world.forge.open_issue(repo, &new)?;
    show.issue(issue, sample::ISSUE_TITLE);
    world.forge.comment(repo, issue, (person, "/plan"))?;
    show.comment(person, "/plan");

    let mut wait = Wait { world, work, began: Instant::now() };
    let task = wait.until(show, |task| task.state == State::AwaitingApproval).await?;
    show.plan(&task, &plan(world, &task)?);
    wait.until_shown(issue).await?;
    world.forge.comment(repo, issue, (person, ANSWER))?;
    show.comment(person, ANSWER);

    let drafted = |task: &Task| matches!(task.state, State::Drafted { .. });
    let task = wait.until(show, drafted).await?;
    let State::Drafted { pull, .. } = task.state else { bail!("the demo ended as {}", task.state) };
    Ok((task, pull))
}

fn plan(world: &World, task: &Task) -> anyhow::Result<Plan> {
    let plan = task.plan.as_ref().context("there is no plan")?;
    Ok(daemon::read_plan(&world.home, &plan.hash)?.1)
}

/// Waits for the daemon, and shows what it does meanwhile.
struct Wait<'a> {
    world: &'a World,
    work: &'a mut JoinSet<anyhow::Result<()>>,
    began: Instant,
}

impl Wait<'_> {
    async fn until(
        &mut self,
        show: &mut Show,
        is_so: impl Fn(&Task) -> bool,
    ) -> anyhow::Result<Task> {
        loop {
            let book = self.look().await?;
            if let Some(task) = book.task(TaskId(1)) {
                show.progress(&task, &self.world.live.all());
                if is_so(&task) {
                    return Ok(task.into_owned());
                }
                if let State::Failed { trouble, .. } = &task.state {
                    bail!("{}: {}", task.state, trouble.evidence);
                }
            }
        }
    }

    /// Waits until zazen's own comment is there, as a person would see it.
    async fn until_shown(&mut self, issue: IssueNumber) -> anyhow::Result<()> {
        loop {
            let book = self.look().await?;
            let task = book.task(TaskId(1)).context("the task is gone")?;
            let comments = self.world.forge.comments(&task.repo, issue)?;
            if comments.iter().any(|comment| comment.key.is_some()) {
                return Ok(());
            }
        }
    }

    async fn look(&mut self) -> anyhow::Result<Book> {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Some(ended) = self.work.try_join_next() {
            ended.context("the daemon broke down")??;
            bail!("the daemon ended before the demo");
        }
        if self.began.elapsed() > DEMO_MAX {
            bail!("the demo takes longer than {} minutes", DEMO_MAX.as_secs() / 60);
        }
        daemon::read_book(&self.world.home)
    }
}
