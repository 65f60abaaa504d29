//! `zazen github`: makes a GitHub App for this zazen, and says what GitHub says.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;
use toml_edit::{DocumentMut, Item, Table, value};
use url::Url;
use zazen_core::id::RepoName;

use super::{Context, ErrorKind, Result, json, kinded, line, say};
use crate::config::{self, Forge, GithubLogin};
use crate::daemon;
use crate::forge::github::client::{Client, Purpose, setup};
use crate::home::Home;
use crate::home::atomic::{self, Durability};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a GitHub App for this zazen: one link, one click
    Setup(Setup),
    /// Say who zazen is at GitHub, and whether it gets at its repositories
    Status(Status),
}

#[derive(Debug, clap::Args)]
pub(super) struct Setup {
    /// The name to propose for the App [default: zazen of <you>]
    #[arg(long)]
    name: Option<String>,
    /// Let the App belong to an organisation of yours
    #[arg(long, value_name = "NAME")]
    org: Option<String>,
    /// The address at which GitHub reaches the webhook listener; without it, zazen polls
    #[arg(long, value_name = "URL")]
    webhook: Option<Url>,
    /// Make another App, in the place of the one in zazen.toml
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

/// What is known before the App is made.
struct Plan {
    home: Home,
    wanted: setup::Wanted,
    key: PathBuf,
    webhook_secret: PathBuf,
}

#[derive(Debug, Serialize)]
struct StatusJson {
    login: String,
    repos: Vec<RepoJson>,
}

#[derive(Debug, Serialize)]
struct RepoJson {
    name: RepoName,
    reached: bool,
    says: String,
}

pub(super) fn run(command: Command, context: &Context) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match command {
        Command::Setup(args) => runtime.block_on(make(&args, context)),
        Command::Status(args) => runtime.block_on(status(&args, context)),
    }
}

async fn make(args: &Setup, context: &Context) -> Result {
    let plan = plan(args, context)?;
    let door = setup::Door::open(&plan.wanted).await?;
    say("Open this link in a browser on this machine, and press the button:");
    line(&format!("  {}", door.link()));
    say("(From elsewhere, forward the port of the link first: ssh -L PORT:127.0.0.1:PORT HOST)");
    let code = door.code(setup::PERSON_TIMEOUT).await?;
    let app = setup::convert(&plan.wanted.api, &code).await.with_context(|| {
        format!(
            "get the key of the App that was just made; remove it at {}settings/apps and try again",
            plan.wanted.web
        )
    })?;
    let kept = app
        .store(&plan.key, &plan.webhook_secret)
        .and_then(|()| write_app(&plan.home, &plan.wanted, app.id));
    kept.with_context(|| {
        let settings = app.settings_link(&plan.wanted);
        format!("keep the App that was just made; remove it at {settings} and try again")
    })?;
    line(&format!("The App `{}` is made, and its key is in {}", app.slug, plan.key.display()));
    line("\nNext:");
    line(&format!("  {}", app.install_link(&plan.wanted.web)));
    line("                            install it on the repositories that zazen is to work on");
    line("  zazen repo add --github OWNER/NAME");
    line("                            points zazen at each of them");
    line("  zazen github status       checks that zazen gets at them");
    Ok(())
}

/// Finds out all that could go wrong, before anything is made at GitHub.
fn plan(args: &Setup, context: &Context) -> Result<Plan> {
    let home = context.home()?;
    let document = document(&home)?;
    let github = document.get("github");
    let text = |key: &str| github.and_then(|table| table.get(key)).and_then(Item::as_str);
    let api = config::check_api(text("api").unwrap_or(config::GITHUB_API))
        .map_err(|why| kinded(ErrorKind::Config)(anyhow::anyhow!("{why}")))?;
    let dir = home.root().join(config::GITHUB_DIR);
    let key = dir.join(config::APP_KEY_FILE);
    let has_app = github.is_some_and(|table| table.get("app_id").is_some()) || key.exists();
    if has_app && !args.replace {
        return Err(kinded(ErrorKind::Usage)(anyhow::anyhow!(
            "there is an App already, in zazen.toml or in {}; `--replace` makes another one and \
             forgets this one's key",
            dir.display()
        )));
    }
    for key in ["app_key_file", "webhook_secret_file"] {
        if text(key).is_some() {
            return Err(kinded(ErrorKind::Usage)(anyhow::anyhow!(
                "`github.{key}` names a file of yours, which is not written over; remove that \
                 line from zazen.toml first"
            )));
        }
    }
    if args.webhook.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
        let why = "`--webhook` takes an address like `https://zazen.example.org/github`";
        return Err(kinded(ErrorKind::Usage)(anyhow::anyhow!(why)));
    }
    setup::prepare(&dir)?;
    let web = config::web_of(&api);
    let name = args.name.clone();
    let name = name.unwrap_or_else(|| format!("zazen of {}", context.environment.user));
    let wanted = setup::Wanted {
        api,
        web,
        name,
        organization: args.org.clone(),
        hook: args.webhook.clone(),
    };
    Ok(Plan { home, wanted, key, webhook_secret: dir.join(config::WEBHOOK_SECRET_FILE) })
}

fn document(home: &Home) -> anyhow::Result<DocumentMut> {
    let path = home.config_page();
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let document: DocumentMut = text.parse().with_context(|| format!("read {}", path.display()))?;
    if let Some(github) = document.get("github") {
        anyhow::ensure!(
            github.is_table(),
            "`github` in {} is not written as [github]",
            path.display()
        );
    }
    Ok(document)
}

/// Writes the App's number to `zazen.toml`, and leaves the rest of the file as it is now.
fn write_app(home: &Home, wanted: &setup::Wanted, id: u64) -> anyhow::Result<()> {
    let mut document = document(home)?;
    let github = document.entry("github").or_insert(Item::Table(Table::new()));
    let table = github.as_table_mut().context("`github` in zazen.toml is not a table")?;
    table.insert("app_id", value(i64::try_from(id).context("the App's number is too large")?));
    if wanted.api.as_str().trim_end_matches('/') != config::GITHUB_API {
        table.entry("api").or_insert(value(wanted.api.as_str()));
    }
    let path = home.config_page();
    atomic::write(&path, document.to_string().as_bytes(), Durability::Durable)
        .with_context(|| format!("write {}", path.display()))
}

async fn status(args: &Status, context: &Context) -> Result {
    let (_, config) = context.configured()?;
    let client = daemon::github_client(&config, &context.environment)
        .map_err(kinded(ErrorKind::Unavailable))?;
    let Some(client) = client else {
        return Err(kinded(ErrorKind::Config)(anyhow::anyhow!(
            "zazen.toml does not say how to log in to GitHub; `zazen github setup` makes an App, \
             and `token_env` in `[github]` names a token"
        )));
    };
    let me = client.me().await?;
    let mut repos = Vec::new();
    for repo in config.repos.iter().filter(|repo| repo.forge == Forge::Github) {
        repos.push(reach(&client, &repo.name).await);
    }
    let is_reached = repos.iter().all(|repo| repo.reached);
    let is_app = config
        .github
        .as_ref()
        .is_some_and(|github| matches!(github.login, GithubLogin::App { .. }));
    let answer = StatusJson { login: me.login, repos };
    if args.json {
        json(&answer)?;
    } else {
        let kind = if is_app { "an App" } else { "a person's token" };
        line(&format!("zazen is {} at GitHub ({kind})", answer.login));
        for repo in &answer.repos {
            let sign = if repo.reached { "ok  " } else { "BAD " };
            line(&zazen_core::text::plain(&format!("{sign}  {:<24} {}", repo.name, repo.says)));
        }
    }
    if is_reached {
        return Ok(());
    }
    Err(kinded(ErrorKind::Unavailable)(anyhow::anyhow!(
        "zazen does not get at some of its repositories; see above"
    )))
}

/// Tries what work on a repository needs, without doing anything.
async fn reach(client: &Client, name: &RepoName) -> RepoJson {
    let tried = async {
        client.changed_items(name, None, None).await?;
        client.git_auth(name, Purpose::Push).await
    };
    let (reached, says) = match tried.await {
        Ok(_) => (true, "can be read, and may be pushed to as far as GitHub says".to_owned()),
        Err(err) => (false, err.to_string()),
    };
    RepoJson { name: name.clone(), reached, says }
}

#[cfg(test)]
mod tests;
