//! Several agents: who acts in which role, and what becomes of one that is gone.

use serde_json::{Value, json};

use crate::harness::model::{Model, SMALL_PLAN, Turn, script, small_script};
use crate::harness::place::{Place, Setup};

/// The agent `deep`, with a route of its own to a service at `url`.
fn deep(url: &str) -> String {
    format!(
        "[agents.deep]\nharness = \"mini\"\nmodel = \"large\"\nroute = \"other\"\n\
         [models.other]\napi = \"anthropic\"\nbase_url = \"{url}\"\nkey_env = \"OTHER_KEY\"\n"
    )
}

/// Who acted in each run of a task.
fn acted(place: &Place, task: u64) -> Vec<Value> {
    let show = place.json(&["task", "show", &task.to_string(), "--json"]);
    let runs = show["runs"].as_array().expect("runs").iter();
    let agent = |run: &Value| {
        let mut agent = run["agent"].clone();
        if let Some(lines) = agent.as_object_mut().and_then(|agent| agent.remove("lines")) {
            assert!(lines["n"].as_u64() > Some(0) && lines["n_unknown"] == 0, "{lines}");
        }
        agent
    };
    runs.map(agent).collect()
}

#[test]
fn each_role_has_its_agent_with_its_own_route_and_key() {
    let (first, other) = (Model::start(small_script()), Model::start(small_script()));
    let mut place = Place::new(&Setup {
        more: format!("{}[roles]\nplan = [\"deep\"]\n", deep(&other.url())),
        ..Setup::mini("none", &first.url())
    });
    place.set("OTHER_KEY", "the-other-key");
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    place.wait_for(1, &["drafted"]);

    let labels = |model: &Model| {
        let calls = model.calls().into_iter().map(|call| (call.label.clone(), call.model()));
        let mut calls: Vec<_> = calls.collect();
        calls.dedup();
        calls
    };
    assert_eq!(labels(&other), [("plan".to_owned(), "large".to_owned())]);
    let implement = ("implement/1".to_owned(), "claude-sonnet-4-5".to_owned());
    assert_eq!(labels(&first), [implement]);
    assert!(other.calls().iter().all(|call| call.key == "the-other-key"));

    let version = env!("CARGO_PKG_VERSION");
    let agent = |agent: &str, model: &str, route: &str| {
        json!({ "agent": agent, "harness": "mini", "model": model, "route": route,
            "version": version })
    };
    let wanted = [
        agent("deep", "large", "other"),
        agent("default", "claude-sonnet-4-5", "anthropic"),
        // The checks, and those of the base.
        Value::Null,
        Value::Null,
    ];
    assert_eq!(acted(&place, 1), wanted);
    let logs = place.zazen(&["task", "logs", "1"]);
    assert!(logs.contains(&format!("── run 1.1 (deep: mini {version} with large)")), "{logs}");
    assert!(
        logs.contains(&format!("── run 1.2 (mini {version} with claude-sonnet-4-5)")),
        "{logs}"
    );
    place.down();
}

#[test]
fn a_run_whose_agent_is_gone_from_the_configuration_is_read_to_its_end() {
    let waits = "while ! test -e go; do sleep 0.05; done";
    let held = script(&[("plan", vec![Turn::run(waits), Turn::say(SMALL_PLAN)])]);
    let (first, other) = (Model::start(small_script()), Model::start(held));
    let roles = "[roles]\nplan = [\"deep\"]\n";
    let agents = deep(&other.url());
    let mut place = Place::new(&Setup {
        more: format!("{agents}{roles}"),
        ..Setup::mini("none", &first.url())
    });
    place.set("OTHER_KEY", "the-other-key");
    place.up();
    place.ask_for_plan();
    place.wait("the agent waits", |_| (!other.calls().is_empty()).then_some(()));
    place.kill();

    // The route stays, so its last call can be answered; the agent goes, and so does its role.
    let (_, route) = agents.split_once("[models.other]").expect("a route");
    place.configure(&format!("{agents}{roles}"), &format!("[models.other]{route}"));
    place.up();
    place.wait("the run is found", |place| place.log().contains("is found again").then_some(()));
    let work = place.home().join(".zazen/work/1.1");
    std::fs::write(work.join("go"), "").expect("the agent goes on");
    place.wait_for(1, &["awaiting-approval"]);
    assert_eq!(acted(&place, 1)[0]["agent"], "deep");
    assert_eq!(other.calls().len(), 2);
    assert_eq!(first.calls().len(), 0);
    place.down();
}

#[test]
fn a_key_is_asked_for_where_an_agent_uses_it_and_nowhere_else() {
    let model = Model::start(small_script());
    let mut place =
        Place::new(&Setup { more: deep(&model.url()), ..Setup::mini("none", &model.url()) });
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.down();

    place.configure("[models.other]", "[roles]\nreview = [\"default\", \"deep\"]\n[models.other]");
    let said = place.try_zazen(&["up"]);
    assert!(!said.status.success());
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("prepare the route `other`") && said.contains("OTHER_KEY"), "{said}");
}
