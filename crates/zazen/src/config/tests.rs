use std::path::{Path, PathBuf};
use std::time::Duration;

use zazen_core::budget::{Limit, Scope};
use zazen_core::engine::Patience;
use zazen_core::guard::{GuardName, Setting};
use zazen_core::host::{Authority, Way};
use zazen_core::id::AgentName;
use zazen_core::price::Prices;
use zazen_core::review::Blocks;
use zazen_core::roster::{Reviewers, Role, Roster};
use zazen_core::skill::Choice;
use zazen_harness::Name;

use super::{
    Api, Config, Coverage, Engine, Environment, Forge, GithubLogin, Image, Key, OwnReviews, Poll,
    Program, ServerAt, Target, parse,
};

/// The least that is a configuration.
const SMALL: &str =
    "version = 1\n[harness]\nmodel = \"m\"\n[models.anthropic]\napi = \"anthropic\"\n";

fn environment() -> Environment {
    Environment {
        home: PathBuf::from("/home/ada"),
        user: "ada".to_owned(),
        path: Vec::new(),
        zazen_home: None,
        container_sockets: vec!["/run/podman/podman.sock".into()],
        crash: None,
    }
}

fn read(text: &str) -> Result<Config, String> {
    let path = Path::new("/zazen/zazen.toml");
    parse(path, text, Path::new("/zazen"), &environment()).map_err(|err| err.to_string())
}

fn good(text: &str) -> Config {
    read(text).unwrap()
}

/// What is wrong, without the file's name.
fn wrong(text: &str) -> String {
    let said = read(text).expect_err("it is wrong");
    said.strip_prefix("/zazen/zazen.toml:").expect("it names the file and the line").to_owned()
}

#[test]
fn the_least_that_is_written_has_a_value_for_everything() {
    let config = good(SMALL);
    assert_eq!(config.name, "ada");
    assert_eq!(config.n_runs_max, 2);
    assert_eq!(config.sandbox.engine, Engine::Bwrap);
    let agent = &config.agents[&AgentName::default()];
    assert_eq!((agent.harness, agent.route.as_str()), (Name::Mini, "anthropic"));
    assert_eq!(config.roster, Roster::SOLO);
    assert_eq!(config.quota.patience(), Patience::STANDARD);
    assert_eq!(config.limits.wall, Duration::from_secs(1800));
    assert_eq!(config.limits.memory_bytes, 4 << 30);
    let model = &config.models["anthropic"];
    let Target::Live { base_url, key, .. } = &model.target else { panic!("{model:?}") };
    assert_eq!(base_url.as_str(), "https://api.anthropic.com/");
    assert_eq!(*key, Key::None);
}

#[test]
fn the_page_that_init_writes_can_be_read() {
    let text = include_str!("../../assets/home/zazen.toml")
        .replace("{{name}}", "Grace")
        .replace("{{harness}}", "claude")
        .replace("{{model}}", "")
        .replace("{{route_name}}", "anthropic")
        .replace("{{others}}", "# [agents.codex]\n\n")
        .replace("{{engine}}", "bwrap")
        .replace("{{env}}", "CARGO_HOME = \"/opt/cargo\"")
        .replace("{{tools}}", "\"~/.cargo/bin\", \"/opt/tools\"")
        .replace(
            "{{route}}",
            "[models.anthropic]\napi = \"anthropic\"\nkey_env = \"ANTHROPIC_API_KEY\"",
        );
    let config = good(&text);
    assert_eq!(config.name, "Grace");
    assert_eq!(config.agents[&AgentName::default()].harness, Name::Claude);
    let tools = [PathBuf::from("/home/ada/.cargo/bin"), PathBuf::from("/opt/tools")];
    assert_eq!(config.sandbox.tools, tools);
}

/// What has every kind of value, written in every way.
const EVERYTHING: &str = r#"
version = 1
name = "Grace"
[runs]
parallel = 8
[limits]
wall = "90s"
silence = "2h"
memory = "512MiB"
disk = "10GiB"
output = "64KiB"
processes = 64
turns = 7
download = "1GiB"
upload = "1MiB"
[sandbox]
engine = "none"
tools = ["tools"]
env = { LANG = "C" }
[harness]
use = "claude"
model = "opus"
effort = "high"
claude = "~/bin/claude"
[agents.deep]
harness = "mini"
model = "gpt"
route = "other-1"
program = "bin/mini"
[roles]
plan = ["deep", "default"]
[models.other-1]
api = "openai"
base_url = "http://127.0.0.1:8080/v1"
key_file = "~/key"
[models.anthropic]
api = "anthropic"
[models.played]
api = "anthropic"
playback = "recording.jsonl"
[prices."gpt*"]
input = 1.5
output = 10.0
[[repo]]
name = "ada/engine"
source = "https://example.org/engine.git"
remote = "/srv/engine.git"
branch = "next"
check = "make test"
hosts = ["crates", "*.example.org:8443"]
private = ["registry.house:8443"]
[repo.roles]
implement = ["deep"]
[[repo]]
name = "local/tally"
source = "/src/tally"
"#;

#[test]
fn all_that_can_be_written_is_taken() {
    let config = good(EVERYTHING);
    assert_eq!(config.limits.silence, Duration::from_secs(7200));
    assert_eq!(config.limits.output_bytes, 64 << 10);
    assert_eq!((config.limits.n_processes_max, config.limits.n_turns_max), (64, 7));
    assert_eq!(config.sandbox.tools, [PathBuf::from("/zazen/tools")]);
    assert_eq!(config.sandbox.env["LANG"], "C");
    check_agents(&config);
    let other = &config.models["other-1"];
    assert_eq!(other.api, Api::OpenAi);
    assert!(matches!(&other.target, Target::Live { key: Key::File(path), .. }
        if path == Path::new("/home/ada/key")));
    assert!(matches!(&config.models["played"].target, Target::Playback { recording }
        if recording == Path::new("/zazen/recording.jsonl")));
    let [engine, tally] = config.repos.try_into().unwrap();
    assert_eq!(engine.remote, Path::new("/srv/engine.git"));
    assert_eq!((engine.branch.as_str(), engine.check.as_str()), ("next", "make test"));
    assert_eq!(tally.remote, Path::new("/zazen/.zazen/remotes/local/tally.git"));
    assert_eq!((config.limits.download_bytes, config.limits.upload_bytes), (1 << 30, 1 << 20));
    assert!(tally.hosts.is_empty());
    for host in ["index.crates.io:443", "a.example.org:8443", "registry.house:8443"] {
        let authority = Authority::parse(host, None).unwrap();
        assert!(engine.hosts.find(Way::Tunnel, &authority).is_some(), "{host}");
    }
}

/// Who is in the configuration that has everything.
fn check_agents(config: &Config) {
    let default = &config.agents[&AgentName::default()];
    assert_eq!(default.program, Some(PathBuf::from("/home/ada/bin/claude")));
    assert_eq!((default.model.as_str(), default.effort.as_str()), ("opus", "high"));
    let deep = &config.agents[&"deep".parse().unwrap()];
    assert_eq!((deep.harness, deep.route.as_str()), (Name::Mini, "other-1"));
    assert_eq!(deep.program, Some(PathBuf::from("/zazen/bin/mini")));
    assert_eq!(config.used_routes().into_iter().collect::<Vec<_>>(), ["anthropic", "other-1"]);
}

#[test]
fn a_host_that_cannot_be_is_named_with_its_own_line() {
    let repo = "[[repo]]\nname = \"a/b\"\nsource = \"/x\"\n";
    let lists = "hosts = [\n  \"crates\",\n  \"*.org\",\n]\n";
    let says = "11: `*.org` cannot be in `hosts`: name at least two labels after `*.`";
    assert_eq!(wrong(&format!("{SMALL}{repo}{lists}")), says);
    let says = "9: `169.254.169.254:80` cannot be in `private`: no run ever reaches an address of \
        the kind `metadata`";
    assert_eq!(wrong(&format!("{SMALL}{repo}private = [\"169.254.169.254:80\"]\n")), says);
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_one() {
    let text = format!("{SMALL}[limits]\nsilense = \"1m\"\n");
    assert_eq!(wrong(&text), "7: `silense` is not a key here; did you mean `silence`?");
    let text = SMALL.replace("[harness]", "[harnes]");
    assert_eq!(wrong(&text), "2: `harnes` is not a key here; did you mean `harness`?");
}

#[test]
fn kinds_of_work_say_what_they_are_known_by_and_who_has_to_see_them() {
    let text = "[policy.delegate.auth]\nwords = [\"login\"]\napprove = \"maintain\"\n\
        [policy.delegate.chores]\nlabels = [\"chore\"]\ngood = true\n";
    let kinds = good(&format!("{SMALL}{text}")).policy.kinds;
    assert_eq!(kinds.iter().map(|kind| kind.name.as_str()).collect::<Vec<_>>(), ["auth", "chores"]);
    assert!(kinds[0].need().is_some() && kinds[1].hands.is_good);
    for (text, says) in [
        ("approve = \"maintain\"", "nothing says which work is of this kind"),
        ("words = [\"--\"]\ngood = true", "`--` is no word"),
        ("words = [\"x\"]", "say who has to see such work"),
        ("words = [\"x\"]\ngood = true\napprove = \"admin\"", "one of the two"),
        ("words = [\"x\"]\napprove = \"none\"", "`none` would let everybody command"),
        ("words = [\"x\"]\napprove = \"boss\"", "`boss` is not a permission"),
    ] {
        let said = wrong(&format!("{SMALL}[policy.delegate.a]\n{text}\n"));
        assert!(said.contains(says), "{text}: {said}");
    }
}

#[test]
fn roles_of_a_repository_that_is_not_there_are_said_to_need_one() {
    let says = wrong("version = 1\n[repo.roles]\nplan = [\"default\"]\n");
    assert!(says.contains("begins with a line in double brackets, such as `[[repo]]`"), "{says}");
    assert!(says.starts_with("2: "), "{says}");
}

#[test]
fn what_is_not_toml_is_named_with_its_line() {
    assert!(wrong(&format!("{SMALL}[limits\n")).starts_with("6: "));
    assert!(wrong(&format!("{SMALL}[runs]\nparallel = \"two\"\n")).starts_with("7: invalid type"));
}

#[test]
fn another_version_is_refused() {
    let text = SMALL.replace("version = 1", "version = 2");
    assert_eq!(wrong(&text), "1: `version` is 2; this zazen reads version 1");
}

#[test]
fn every_value_that_cannot_be_says_where_it_is_and_what_would_be_right() {
    for (more, says) in [
        ("[runs]\nparallel = 0\n", "7: `runs.parallel` is 0; write 1 or more"),
        (
            "[limits]\nwall = \"soon\"\n",
            "7: `soon` is not a span of time; write it like `90s`, `30m` or `2h`",
        ),
        ("[limits]\nsilence = \"0m\"\n", "7: `0m` would stop every run at once; write more than 0"),
        (
            "[limits]\nmemory = \"4GB\"\n",
            "7: `4GB` is not a size; write it like `512MiB` or `4GiB`",
        ),
        (
            "[sandbox]\nengine = \"docker\"\n",
            "7: `docker` is not an engine; there are `bwrap`, `container` and `none`",
        ),
        (
            "[models.b]\napi = \"grpc\"\n",
            "7: `grpc` is not an api; there are `anthropic`, `openai` and `gemini`",
        ),
        (
            "[models.B]\napi = \"openai\"\n",
            "6: `models.B`: a route's name has only a-z, 0-9 and `-`",
        ),
        (
            "[models.b]\napi = \"openai\"\nbase_url = \"ftp://x\"\n",
            "8: `ftp://x` is not a URL like `https://host/path`",
        ),
        (
            "[models.b]\napi = \"openai\"\nkey_env = \"K\"\nkey_file = \"k\"\n",
            "9: write `key_env` or `key_file`, not both",
        ),
        (
            "[models.b]\napi = \"openai\"\nlogin_env = \"K\"\n",
            "8: `login_env` is for routes with `api = \"anthropic\"` only",
        ),
        (
            "[models.b]\napi = \"anthropic\"\nlogin_file = \"K\"\nkey_env = \"k\"\n",
            "8: write `key_env` or `login_file`, not both",
        ),
        (
            "[budget]\nrun = \"10\"\n",
            "7: `10` is not a sum of money; write it like `$10`, `$0.50` or `none`",
        ),
        (
            "[budget.tokens]\nday = \"5 MB\"\n",
            "7: `5 MB` is not a number of tokens; write it like `500k`, `5M` or `none`",
        ),
        (
            "[budget]\nreserve = \"95%\"\n",
            "7: `95%` is not a share; write it like `10%`, between `0%` and `90%`",
        ),
    ] {
        assert_eq!(wrong(&format!("{SMALL}{more}")), says);
    }
}

#[test]
fn the_line_is_that_of_the_value_and_not_of_another_with_its_key() {
    let more = "[models.b]\napi = \"openai\"\nbase_url = \"https://a\"\n\
        [models.c]\napi = \"nonsense\"\n";
    let says = "10: `nonsense` is not an api; there are `anthropic`, `openai` and `gemini`";
    assert_eq!(wrong(&format!("{SMALL}{more}")), says);
}

#[test]
fn a_harness_without_what_it_needs_is_refused() {
    let text = SMALL.replace("model = \"m\"", "model = \"m\"\nroute = \"other\"");
    assert_eq!(wrong(&text), "4: `harness.route` is `other`, and there is no `[models.other]`");
    let text = SMALL.replace("model = \"m\"\n", "");
    assert!(wrong(&text).starts_with("2: `mini` needs `harness.model`"));
    let text = SMALL.replace("model = \"m\"", "use = \"vim\"");
    let names = "`acp`, `aider`, `claude`, `codex`, `copilot`, `custom`, `gemini`, `mini`, `opencode` and \
                 `qwen`";
    assert_eq!(wrong(&text), format!("3: `vim` is not a harness; there are {names}"));
    let text =
        SMALL.replace("model = \"m\"", "use = \"claude\"").replace("\"anthropic\"", "\"openai\"");
    assert!(wrong(&text).contains("`claude` needs a route with `api = \"anthropic\"`"));
    let codex = SMALL.replace("model = \"m\"", "use = \"codex\"\nmodel = \"m\"");
    assert!(wrong(&codex).contains("`codex` needs a route with `api = \"openai\"`"));
    let codex = codex.replace("\"anthropic\"\n", "\"openai\"\nbase_url = \"https://a\"\n");
    assert_eq!(good(&codex).agents[&AgentName::default()].harness, Name::Codex);
    let without = codex.replace("model = \"m\"\n", "");
    assert!(wrong(&without).contains("`codex` needs `harness.model`, such as \"gpt-5.5\""));
    let gemini = SMALL.replace("model = \"m\"", "use = \"gemini\"");
    assert!(wrong(&gemini).contains("`gemini` needs a route with `api = \"gemini\"`"));
    let gemini = gemini.replace("\"anthropic\"\n", "\"gemini\"\n");
    assert_eq!(good(&gemini).agents[&AgentName::default()].harness, Name::Gemini);
    for (harness, such_as) in [("opencode", "gpt-5.5"), ("qwen", "qwen3-coder-plus")] {
        let text = codex.replace("\"codex\"", &format!("\"{harness}\""));
        assert_eq!(good(&text).agents[&AgentName::default()].harness.word(), harness);
        let without = text.replace("model = \"m\"\n", "");
        assert!(wrong(&without).contains(&format!("such as \"{such_as}\"")));
    }
}

/// A home whose second agent has these lines.
fn with_agent(lines: &str) -> String {
    format!("{SMALL}[agents.own]\n{lines}")
}

#[test]
fn a_program_that_zazen_does_not_know_is_told_what_its_owner_says() {
    let text = with_agent(
        "harness = \"acp\"\nprogram = \"/opt/owl\"\nargs = [\"--acp\"]\nlogin = \"key\"\n\
         [agents.own.env]\nOWL_KEY = \"{key}\"\n",
    );
    let own = good(&text).agents[&"own".parse().unwrap()].own.clone();
    assert_eq!((own.args, own.login.as_str()), (vec!["--acp".to_owned()], "key"));
    assert_eq!(own.env["OWL_KEY"], "{key}");
    let text = with_agent(
        "harness = \"custom\"\nprogram = \"owl\"\n[agents.own.lines]\ndone = [\"^Bye\"]\n",
    );
    assert_eq!(good(&text).agents[&"own".parse().unwrap()].own.lines.done, ["^Bye"]);
    let acp = "harness = \"acp\"\nprogram = \"owl\"\n";
    for (lines, says) in [
        ("harness = \"acp\"\n".to_owned(), "`acp` can be any program; name it with `program`"),
        (format!("{acp}args = [\"{{key}}\"]\n"), "every process can read arguments"),
        (format!("{acp}env = {{ \"A B\" = \"x\" }}\n"), "`A B` is no name of a variable"),
        (format!("{acp}lines = {{ done = [\"x\"] }}\n"), "`acp` has no use for `lines`"),
        (format!("{acp}lines = {{ dome = [] }}\n"), "did you mean `done`?"),
        (
            "harness = \"mini\"\nmodel = \"m\"\nargs = [\"x\"]\n".to_owned(),
            "`mini` has no use for `args`; leave it out",
        ),
        (
            "harness = \"custom\"\nprogram = \"owl\"\nlines = { text = [\"(\"] }\n".to_owned(),
            "`(` is no pattern: error: unclosed group",
        ),
    ] {
        let said = wrong(&with_agent(&lines));
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn a_price_that_nobody_would_pay_is_refused() {
    let text = format!("{SMALL}[prices.m]\ninput = -1.0\noutput = 2.0\n");
    assert_eq!(wrong(&text), "6: a price of `m` is wrong: -1 is not between 0 and 100000 dollars");
}

#[test]
fn own_work_is_reviewed_by_another_agent_and_corrected_once_unless_the_owner_says_otherwise() {
    let standard =
        OwnReviews { by: Reviewers::WhenAnother, blocks: Blocks::High, n_corrections_max: 1 };
    assert_eq!(good(SMALL).policy.own_review, standard);
    let own = "[policy]\nreview = \"always\"\nreview_blocks = \"medium\"\ncorrections = 0\n";
    let own = good(&format!("{SMALL}{own}")).policy.own_review;
    let (by, blocks) = (Reviewers::Always, Blocks::Medium);
    assert_eq!(own, OwnReviews { by, blocks, n_corrections_max: 0 });
    for (line, says) in [
        ("review = \"sometimes\"", "`sometimes` does not say when work is reviewed"),
        ("review_blocks = \"low\"", "`low` does not say which findings are corrected"),
        ("corrections = 4", "`corrections` may be 3 at the most"),
    ] {
        let wrong = wrong(&format!("{SMALL}[policy]\n{line}\n"));
        assert!(wrong.contains(says), "{wrong}");
    }
}

#[test]
fn a_coverage_report_is_a_file_of_the_repository() {
    let repo = "[[repo]]\nname = \"a/b\"\nsource = \"/x\"\n";
    let good = good(&format!("{SMALL}{repo}coverage = \"make cover\"\n"));
    let coverage = Coverage { command: "make cover".to_owned(), file: String::new() };
    assert_eq!(good.repos[0].coverage, coverage);
    for path in ["/etc/passwd", "../x", "a//b", "a/../b", "a\\nb"] {
        let wrong = wrong(&format!("{SMALL}{repo}coverage_file = \"{path}\"\n"));
        assert!(wrong.contains("`coverage_file` is a path in the repository"), "{path}: {wrong}");
    }
}

#[test]
fn two_repositories_of_one_name_are_refused() {
    let repo = "[[repo]]\nname = \"a/b\"\nsource = \"/x\"\n";
    let says = wrong(&format!("{SMALL}{repo}{repo}"));
    assert_eq!(says, "10: there are two repositories called `a/b`; give one another name");
}

#[test]
fn a_budget_has_defaults_for_a_run_and_a_task_and_for_nothing_else() {
    let budget = good(SMALL).budget;
    let limit = |dollars: u64| Limit { micros: Some(dollars * 1_000_000), tokens: None };
    assert_eq!(
        budget.limits.into_iter().collect::<Vec<_>>(),
        [(Scope::Run, limit(10)), (Scope::Task, limit(50))]
    );
    assert_eq!(budget.reserve_percent, 10);
    assert_eq!(budget.unknown, Prices::builtin().dearest());
}

#[test]
fn each_limit_is_read_and_a_default_can_be_taken_away() {
    let more = "[budget]\nrun = \"none\"\ntask = \"$0.5\"\nrepo_month = \"$1000\"\n\
        reserve = \"25%\"\nunknown = { input = 1, output = 2.5 }\n\
        [budget.tokens]\ntask = \"5M\"\ntotal = \"70k\"\nday = \"none\"\n";
    let budget = good(&format!("{SMALL}{more}")).budget;
    let limit = |micros, tokens| Limit { micros, tokens };
    assert_eq!(
        budget.limits.into_iter().collect::<Vec<_>>(),
        [
            (Scope::Task, limit(Some(500_000), Some(5_000_000))),
            (Scope::RepoMonth, limit(Some(1_000_000_000), None)),
            (Scope::Total, limit(None, Some(70_000))),
        ]
    );
    assert_eq!((budget.reserve_percent, budget.unknown.output), (25, 2_500_000));
}

#[test]
fn a_login_is_for_claude_code_only() {
    let login = "[models.anthropic]\napi = \"anthropic\"\nlogin_env = \"TOKEN\"\n";
    let text = SMALL.replace("[models.anthropic]\napi = \"anthropic\"\n", login);
    assert!(wrong(&text).contains("`mini` needs a route with"), "{}", wrong(&text));
    let config = good(&text.replace("model = \"m\"", "use = \"claude\""));
    assert!(config.models["anthropic"].is_login());
}

#[test]
fn a_container_has_an_image_of_its_own_or_that_of_all() {
    let repo = "[[repo]]\nname = \"ada/tally\"\nsource = \"/src\"\n";
    let all = format!("{SMALL}[sandbox]\nengine = \"container\"\nimage = \"rust:1\"\n{repo}");
    let config = good(&all);
    assert_eq!(config.repos[0].engine, Engine::Container);
    assert_eq!(config.repos[0].image, Some(Image::Named("rust:1".to_owned())));
    let own = good(&format!("{all}containerfile = \".zazen/Containerfile\"\n"));
    let built = Image::Built { containerfile: ".zazen/Containerfile".to_owned() };
    assert_eq!(own.repos[0].image, Some(built));
    let one = good(&format!("{SMALL}{repo}engine = \"container\"\nimage = \"rust:1\"\n"));
    assert_eq!((one.sandbox.engine, one.repos[0].engine), (Engine::Bwrap, Engine::Container));
}

#[test]
fn a_container_without_an_image_and_a_file_outside_are_refused() {
    let repo = "[[repo]]\nname = \"ada/tally\"\nsource = \"/src\"\n";
    let none = wrong(&format!("{SMALL}{repo}engine = \"container\"\n"));
    assert!(none.contains("takes an image"), "{none}");
    for file in ["/etc/x", "../x", "a/../../x", "", "a/"] {
        let said = wrong(&format!("{SMALL}{repo}containerfile = \"{file}\"\n"));
        assert!(said.contains("not a path inside"), "{said}");
    }
    let both = format!("{SMALL}{repo}image = \"a\"\ncontainerfile = \"b\"\n");
    assert!(wrong(&both).contains("not both"));
}

#[test]
fn the_engine_of_containers_is_on_this_machine() {
    let at = |socket: &str| format!("{SMALL}[sandbox]\ncontainer_socket = \"{socket}\"\n");
    let sockets = good(&at("unix:///run/p.sock")).sandbox.containers.sockets;
    assert_eq!(sockets, [PathBuf::from("/run/p.sock")]);
    let said = wrong(&at("tcp://10.0.0.1:2375"));
    assert!(said.contains("not a unix socket"), "{said}");
}

/// A configuration with what is written below `[github]`, and a repository there.
fn at_github(lines: &str) -> String {
    format!("{SMALL}[github]\n{lines}[[repo]]\nname = \"ada/tally\"\nforge = \"github\"\n")
}

#[test]
fn a_repository_at_github_has_its_address_from_there() {
    let config = good(&at_github("app_id = 7\n"));
    let github = config.github.unwrap();
    let key = PathBuf::from("/zazen/.zazen/github/app.pem");
    assert_eq!(github.login, GithubLogin::App { id: 7, key });
    assert_eq!((github.poll, github.closes, github.keeps_limits), (Poll::Auto, false, true));
    assert_eq!(github.webhook_secret, Path::new("/zazen/.zazen/github/webhook-secret"));
    assert_eq!(config.repos[0].forge, Forge::Github);
    assert_eq!(config.repos[0].source, "https://github.com/ada/tally.git");
    let asked = good(&format!("{}reviewers = [\"bob\"]\n", at_github("gh = true\n")));
    assert_eq!(asked.repos[0].reviewers, ["bob"]);
    for (api, source) in [
        ("https://git.example.org/api/v3/", "https://git.example.org/ada/tally.git"),
        ("https://api.house.ghe.com", "https://house.ghe.com/ada/tally.git"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/ada/tally.git"),
    ] {
        let config = good(&at_github(&format!("api = \"{api}\"\ngh = true\n")));
        assert_eq!(config.repos[0].source, source);
    }
}

#[test]
fn an_app_comes_before_a_token_and_a_token_before_gh() {
    let login = |lines: &str| good(&at_github(lines)).github.unwrap().login;
    let several = "gh = true\ntoken_file = \"~/t\"\ntoken_env = \"T\"\n";
    assert_eq!(login(several), GithubLogin::Variable("T".to_owned()));
    let file = GithubLogin::File("/home/ada/t".into());
    assert_eq!(login("gh = true\ntoken_file = \"~/t\"\n"), file);
    assert!(matches!(login("app_id = 1\ntoken_env = \"T\"\n"), GithubLogin::App { id: 1, .. }));
}

#[test]
fn what_is_wrong_about_github_is_named() {
    for (lines, says) in [
        ("api = \"http://git.example.org/api/v3\"\ngh = true\n", "has to be `https`"),
        ("api = \"https://a:b@git.example.org\"\ngh = true\n", "no login"),
        ("api = \"https://github.com\"\ngh = true\n", "where the pages are"),
        ("app_id = 0\n", "`app_id` is 0"),
        ("gh = true\nlisten = \"7171\"\n", "not an address and a port"),
        ("gh = true\npoll = \"often\"\n", "write `auto`, `off` or `60s`"),
        ("gh = true\npoll = \"off\"\n", "would hear of nothing"),
        ("gh = true\nlimits = \"none\"\n", "write `github` or `as-told`"),
        ("", "does not say how zazen logs in"),
    ] {
        let said = wrong(&at_github(lines));
        assert!(said.contains(says), "{said}");
    }
    for (reviewers, says) in [
        ("[\"@bob\"]", "write it without the `@`"),
        ("[\"bob\", \"\"]", "`` is nobody's login"),
        (&format!("[{}]", "\"bob\", ".repeat(16)), "15 names at the most"),
    ] {
        let said = wrong(&format!("{}reviewers = {reviewers}\n", at_github("gh = true\n")));
        assert!(said.contains(says), "{said}");
    }
    let local = "[[repo]]\nname = \"a/b\"\nsource = \"/b\"\nreviewers = [\"bob\"]\n";
    let said = wrong(&format!("{SMALL}{local}"));
    assert!(said.contains("are asked on GitHub"), "{said}");
    let said = wrong(&format!("{SMALL}[[repo]]\nname = \"a/b\"\n"));
    assert!(said.contains("has no `source`"), "{said}");
    let said = wrong(&format!("{SMALL}[[repo]]\nname = \"a/b\"\nforge = \"gitlab\"\n"));
    assert!(said.contains("there are `local` and `github`"), "{said}");
}

#[test]
fn a_repository_names_its_skills_and_a_name_that_is_none_is_refused_with_its_place() {
    let repo = "[[repo]]\nname = \"a/b\"\nsource = \"/src\"\n";
    assert_eq!(good(&format!("{SMALL}{repo}")).repos[0].skills, Choice::All);
    let only = good(&format!("{SMALL}{repo}skills = [\"release\"]\n")).repos.remove(0).skills;
    assert_eq!(only, Choice::Only(["release".parse().unwrap()].into()));
    let none = good(&format!("{SMALL}{repo}skills = []\n")).repos.remove(0).skills;
    assert_eq!(none, Choice::Only([].into()));
    let said = wrong(&format!("{SMALL}{repo}skills = [\"release\", \"../etc\"]\n"));
    assert!(said.starts_with("9: `../etc` is not the name of a skill"), "{said}");
    assert!(!good(SMALL).policy.repo_texts.skills);
    assert!(good(&format!("{SMALL}[policy]\nrepo_skills = true\n")).policy.repo_texts.skills);
}

#[test]
fn servers_of_tools_are_programs_or_services() {
    let repo = "[[repo]]\nname = \"a/b\"\nsource = \"/src\"\n";
    let config = good(&format!(
        "{SMALL}[mcp.owls]\ncommand = [\"~/owls/server\", \"-q\"]\nrepos = [\"a/b\"]\n\
         tools = [\"count\"]\n[mcp.npx-one]\ncommand = [\"npx\"]\n[mcp.issues]\n\
         url = \"https://example.org/mcp?x=1\"\nkey_env = \"KEY\"\n{repo}"
    ));
    let name = |text: &str| text.parse().unwrap();
    let owls = &config.servers["owls"];
    let ServerAt::Program { program, args, .. } = &owls.at else { panic!("{owls:?}") };
    assert_eq!(*program, Program::Path("/home/ada/owls/server".into()));
    assert_eq!(args, &["-q"]);
    assert!(owls.is_for(&name("a/b")) && !owls.is_for(&name("a/c")));
    let npx = &config.servers["npx-one"];
    assert!(
        matches!(&npx.at, ServerAt::Program { program: Program::Name(name), .. } if name == "npx")
    );
    assert!(npx.is_for(&name("a/c")));
    let issues = &config.servers["issues"];
    assert!(
        matches!(&issues.at, ServerAt::Service { key: Key::Variable(name), .. } if name == "KEY")
    );
}

#[test]
fn a_server_that_cannot_be_is_named_with_its_line() {
    let of = |lines: &str| wrong(&format!("{SMALL}[mcp.owls]\n{lines}"));
    for (lines, expected) in [
        ("", "6: write `command`"),
        ("command = [\"a\"]\nurl = \"https://example.org\"\n", "8: write `command`"),
        ("command = []\n", "7: `command` is a program"),
        ("command = [\"a\"]\nkey_env = \"KEY\"\n", "7: a program in the sandbox gets no key"),
        ("url = \"https://a.example\"\nenv = { A = \"b\" }\n", "8: `env` is for a program"),
        ("url = \"ftp://a.example\"\n", "7: `ftp://a.example` is not a URL"),
        ("url = \"https://me:pw@a.example\"\n", "7: `https://me:pw@a.example` is not a URL"),
        ("url = \"http://a.example\"\nkey_env = \"KEY\"\n", "7: a key goes out over https only"),
        ("command = [\"a\"]\nrepos = [\"a/b\"]\n", "8: there is no `[[repo]]`"),
        ("command = [\"a\"]\ntools = [\"x y\"]\n", "8: `x y` is not the name of a tool"),
    ] {
        let said = of(lines);
        assert!(said.starts_with(expected), "{lines}: {said}");
    }
    let secret =
        ["command = [\"a\", \"ghp_", "x7Kq2Lm9Zr4Tb8Wc1Vd6", "Yf3Hg5Jn0PsQaEuR", "\"]\n"].concat();
    let said = of(&secret);
    assert!(said.contains("looks like a secret") && !said.contains("x7Kq2"), "{said}");
    let said = wrong(&format!("{SMALL}[mcp.Owls]\ncommand = [\"a\"]\n"));
    assert!(said.starts_with("6: `mcp.Owls`: a server's name has only"), "{said}");
    let said = wrong(&format!("{SMALL}[models.mcp]\napi = \"openai\"\n"));
    assert!(said.starts_with("6: `models.mcp`: that name is taken"), "{said}");
}

#[test]
fn what_is_denied_is_commands_and_tools_by_their_names() {
    let policy = "[policy]\ncommands_denied = [\"git push\"]\ntools_denied = [\"WebFetch\"]\n";
    let denied = good(&format!("{SMALL}{policy}")).policy.denied;
    assert_eq!(denied.commands[0].to_string(), "git push");
    assert_eq!(denied.tools[0].as_str(), "WebFetch");
    let said = wrong(&format!("{SMALL}[policy]\ncommands_denied = [\"a\", \"Bash(git:*)\"]\n"));
    assert!(said.starts_with("7: `Bash(git:*)` is not the beginning of a command"), "{said}");
    let said = wrong(&format!("{SMALL}[policy]\ntools_denied = [\"Bash(x)\"]\n"));
    assert!(said.starts_with("7: `Bash(x)` is not the name of a tool"), "{said}");
}

#[test]
fn who_acts_in_a_role_is_an_agent_that_is_there() {
    let agents = format!(
        "{SMALL}[agents.deep]\nharness = \"claude\"\n[agents.cheap]\nharness = \"mini\"\n\
         model = \"small\"\n"
    );
    let roles = |lines: &str| wrong(&format!("{agents}[roles]\n{lines}\n"));
    assert_eq!(roles("plan = [\"dep\"]"), "12: there is no agent `dep`; did you mean `deep`?");
    assert_eq!(roles("ask = []"), "12: this list is empty; name an agent, or leave it out");
    assert_eq!(roles("ask = [\n\"deep\",\n\"deep\"]"), "14: `deep` is in this list twice");
    assert_eq!(
        roles("implment = []"),
        "12: `implment` is not a key here; did you mean `implement`?"
    );
    let repo = "[[repo]]\nname = \"a/b\"\nsource = \"/x\"\n[repo.roles]\nreview = [\"chep\"]\n";
    let says = "15: there is no agent `chep`; did you mean `cheap`?";
    assert_eq!(wrong(&format!("{agents}{repo}")), says);
    let config = good(&format!("{agents}{}", repo.replace("chep", "cheap")));
    let names = |role| {
        let agents = config.roster.agents(&config.repos[0].name, role);
        agents.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        (names(Role::Review), names(Role::Ask)),
        (vec!["cheap".into()], vec!["default".into()])
    );
}

#[test]
fn an_agent_is_checked_where_it_is_written() {
    let agent = |lines: &str| wrong(&format!("{SMALL}[agents.deep]\n{lines}\n"));
    assert!(agent("model = \"m\"").contains("missing field `harness`"));
    assert!(agent("harness = \"vim\"").starts_with("7: `vim` is not a harness"));
    let says = "8: `agents.deep.route` is `x`, and there is no `[models.x]`";
    assert_eq!(agent("harness = \"claude\"\nroute = \"x\""), says);
    assert_eq!(
        agent("harness = \"mini\""),
        "6: `mini` needs `agents.deep.model`, such as \"claude-sonnet-4-5\""
    );
    let mini = "harness = \"mini\"\nmodel = \"m\"\n";
    let says = "9: `mini` cannot be told an effort; leave it out";
    assert_eq!(agent(&format!("{mini}effort = \"high\"")), says);
    let says = "8: `-x y` is no effort; write a word like \"low\" or \"high\"";
    assert_eq!(agent("harness = \"claude\"\neffort = \"-x y\""), says);
    assert!(
        wrong(&format!("{SMALL}[agents.Deep]\n{mini}"))
            .starts_with("6: `Deep` is not an agent's name")
    );
    let says = "6: `default` is the agent of `[harness]`; give this one another name";
    assert_eq!(wrong(&format!("{SMALL}[agents.default]\n{mini}")), says);
    let both =
        SMALL.replace("model = ", "use = \"claude\"\nclaude = \"a\"\nprogram = \"b\"\nmodel = ");
    assert_eq!(wrong(&both), "5: write `program` or `claude`, not both");
}

#[test]
fn without_a_harness_every_role_needs_its_list() {
    let text = "version = 1\n[models.anthropic]\napi = \"anthropic\"\n[agents.deep]\n\
        harness = \"claude\"\n";
    let roles = "[roles]\nplan = [\"deep\"]\nimplement = [\"deep\"]\nask = [\"deep\"]\n";
    let says = wrong(&format!("{text}{roles}"));
    assert!(says.starts_with("6: a role without a list has the agent `default`"), "{says}");
    let config = good(&format!("{text}{roles}review = [\"deep\"]\n"));
    assert_eq!(config.agents.len(), 1);
}

#[test]
fn when_an_agents_quota_is_used_up_its_task_waits_or_the_next_agent_takes_over() {
    let then = |word: &str| format!("{SMALL}[quota]\nthen = \"{word}\"\nresume = false\n");
    let patience = |word| good(&then(word)).quota.patience();
    let waits = Patience { resumes: false, ..Patience::STANDARD };
    assert_eq!(patience("wait"), waits);
    assert_eq!(patience("fail-over"), Patience { fails_over: true, ..waits });
    let said = wrong(&then("failover"));
    assert!(said.contains("write \"wait\""), "{said}");
    assert!(said.contains("or \"fail-over\" (the next agent of the role takes over)"), "{said}");
}

#[test]
fn a_reserve_of_quota_is_a_share_and_counts_where_use_is_paced() {
    let reserve = |more: &str| {
        let pace = good(&format!("{SMALL}[quota]\n{more}\n")).quota.pace;
        pace.map(|pace| pace.reserve.percent())
    };
    assert_eq!(reserve(""), None);
    assert_eq!(reserve("pace = false"), None);
    assert_eq!(reserve("pace = true"), Some(20));
    assert_eq!(reserve("pace = true\nreserve = \"30%\""), Some(30));
    let said = wrong(&format!("{SMALL}[quota]\nreserve = \"30%\"\n"));
    assert!(said.contains("with `quota.pace = true` only"), "{said}");
    wrong(&format!("{SMALL}[quota]\npace = true\nreserve = \"100%\"\n"));
}

#[test]
fn what_becomes_of_what_guards_find_is_set_for_each() {
    let text = |guards: &str| format!("{SMALL}[policy.guards]\n{guards}\n");
    let rules = good(&text(
        "tests = \"flag\"\nclaims = \"hold\"\nempty = \"off\"\nprotected_paths = [\"db/**\"]\n\
         file_bytes_max = 5",
    ))
    .policy
    .guards;
    assert_eq!(rules.setting(GuardName::Tests), Setting::Flag);
    assert_eq!(rules.setting(GuardName::Claims), Setting::Hold);
    assert_eq!(rules.setting(GuardName::Empty), Setting::Off);
    assert_eq!(rules.setting(GuardName::Scope), Setting::Own);
    assert!(rules.protected[0].matches("db/a/b.sql"));
    assert_eq!(rules.file_bytes_max, 5);
    for (guards, says) in [
        ("tests = \"warn\"", "`warn` is not what becomes of what a guard finds"),
        ("test = \"off\"", "tests"),
        ("protected_paths = [\"/\"]", "`/` protects no path: a pattern cannot be empty"),
        ("file_bytes_max = 0", "0 would hold every file"),
    ] {
        let err = wrong(&text(guards));
        assert!(err.contains(says), "{guards}: {err}");
    }
}
