//! `zazen replay BUNDLE`: the runs of a bundle made again in a home that knows nothing of them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use zazen::home::Home;
use zazen::home::keys::{self, SigningKey};
use zazen_core::receipt::{Envelope, Unsigned, Verdict, statement};

use super::{ALL_SAME, came, edit, left_over, replay_of};
use crate::claude;
use crate::harness::model::{Model, SMALL_PLAN, Turn, demo_script, script};
use crate::harness::place::{KEY, Place, Setup, files_below, git, has_bwrap};
use crate::receipt::{check_folder, give_skill};

/// A bundle, the page of its keys, and another home, whose own task is none.
struct Carried {
    from: Place,
    to: Place,
    bundle: PathBuf,
    keys: PathBuf,
    model: Model,
}

/// Takes the issue of a home to its draft, and the bundle of it to another home.
fn carried(setup: &Setup, model: Model) -> Carried {
    let mut from = Place::new(setup);
    give_skill(&from);
    from.carry_through();
    from.down();
    let to = Place::new(setup);
    let beside = |name: &str| to.home().with_file_name(name);
    let (bundle, keys) = (beside("theirs.tar"), beside("theirs.pub"));
    from.zazen(&["bundle", "export", "1", "-o", text(&bundle)]);
    fs::copy(from.home().join("receipts.pub"), &keys).expect("a page of keys");
    Carried { from, to, bundle, keys, model }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

/// The same by `mini` without a sandbox, in one step with these commands.
fn small(commands: &[&str]) -> Carried {
    let mut turns: Vec<Turn> = commands.iter().map(|command| Turn::run(command)).collect();
    turns.push(Turn::say("It says hello."));
    let plan = ("plan", vec![Turn::say(SMALL_PLAN)]);
    let model = Model::start(script(&[plan, ("implement/1", turns)]));
    carried(&Setup::mini("none", &model.url()), model)
}

impl Carried {
    fn replay(&self, what: &Path) -> (Value, Option<i32>, String) {
        replay_of(&self.to, &[text(what), "--key", text(&self.keys)])
    }

    /// What is said where nothing is replayed.
    fn refusal(&self, what: &Path, args: &[&str]) -> String {
        let output = self.to.try_zazen(&[&["replay", text(what), "--json"], args].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(left_over(&self.to), Vec::<PathBuf>::new());
        String::from_utf8(output.stderr).expect("text")
    }

    fn unpacked(&self) -> PathBuf {
        let there = self.to.home().with_file_name("unpacked");
        self.to.zazen(&["bundle", "import", text(&self.bundle), "--to", text(&there)]);
        there
    }
}

/// The home that it comes from is gone by then.
fn comes_to_the_same_elsewhere(setup: &Setup, model: Model) {
    let carried = carried(setup, model);
    let tree = git(&carried.from.remote(), &["rev-parse", "zazen/1-sum-by-month^{tree}"]);
    let away = carried.from.home().with_file_name("away");
    fs::rename(carried.from.home(), away).expect("it goes away");
    let n_calls = carried.model.calls().len();
    let there = carried.unpacked();
    let before = files_below(&there);
    for what in [&carried.bundle, &there] {
        let (answer, status, said) = carried.replay(what);
        assert_eq!(status, Some(0), "{answer:#}\n{said}");
        assert_eq!(came(&answer), ALL_SAME, "{answer:#}");
        assert_eq!(answer["verdict"], "same-tree");
        assert_eq!(answer["tree"], tree.trim());
        for run in answer["runs"].as_array().expect("runs") {
            let requests = &run["requests"];
            let none = [&requests["unlike"], &requests["unanswered"]];
            assert_eq!(none, [&Value::from(0), &Value::from(0)], "{answer:#}");
        }
        assert_eq!(left_over(&carried.to), Vec::<PathBuf>::new());
    }
    assert_eq!(files_below(&there), before, "the folder is only read");
    assert_eq!(carried.model.calls().len(), n_calls, "the model's service was asked nothing");
    assert_eq!(carried.to.processes(), Vec::<String>::new());
    let mirror = carried.to.home().join(".zazen/mirrors/local/tally.git");
    assert!(!mirror.exists(), "nobody asked for the repository");
    assert_eq!(carried.to.json(&["task", "list", "--json"]), serde_json::json!([]));
}

#[test]
fn a_bundle_comes_to_the_same_tree_in_another_home_without_a_sandbox() {
    let model = Model::start(demo_script());
    comes_to_the_same_elsewhere(&Setup::mini("none", &model.url()), model);
}

#[test]
fn a_bundle_comes_to_the_same_tree_in_another_home_in_bwrap() {
    if !has_bwrap() {
        return;
    }
    let model = Model::start(demo_script());
    comes_to_the_same_elsewhere(&Setup::mini("bwrap", &model.url()), model);
}

#[test]
fn a_bundle_of_claude_code_comes_to_the_same_tree_in_another_home() {
    let model = Model::start(demo_script());
    let Some(setup) = claude::setup(&model, "") else { return };
    comes_to_the_same_elsewhere(&setup, model);
}

#[test]
fn a_bundle_that_does_not_hold_is_refused_before_anything_is_run() {
    let carried = small(&["echo hello >> README.md"]);
    let key = ["--key", text(&carried.keys)];
    // The key that stands in it is nobody's.
    let said = carried.refusal(&carried.bundle, &[]);
    assert!(said.contains("broken is `key`") && said.contains("`--key FILE`"), "{said}");
    let there = carried.unpacked();
    edit(&there.join("runs/1.2/recording.jsonl"), "echo hello", "echo hullo");
    let said = carried.refusal(&there, &key);
    assert!(said.contains("broken is `recording 1.2`: line 1 is not the one"), "{said}");
    edit(&there.join("runs/1.2/recording.jsonl"), "echo hullo", "echo hello");
    edit(&there.join("runs/1.2/ground.json"), "\"v\": 1", "\"v\":  1");
    let said = carried.refusal(&there, &key);
    assert!(said.contains("broken is `run 1.2`: the hash of `runs/1.2/ground.json`"), "{said}");
    // What lies in the place of a part is not followed anywhere.
    let spec = there.join("runs/1.2/spec.json");
    fs::rename(&spec, there.with_file_name("elsewhere")).expect("it is moved");
    std::os::unix::fs::symlink(there.with_file_name("elsewhere"), &spec).expect("a link");
    let said = carried.refusal(&there, &key);
    assert!(said.contains("open `runs/1.2/spec.json`"), "{said}");
    fs::write(there.join("notes.txt"), "mine").expect("it is written");
    let said = carried.refusal(&there, &key);
    assert!(said.contains("`notes.txt` is no file of a bundle"), "{said}");
}

#[test]
fn a_part_that_a_secret_was_taken_out_of_is_said() {
    // A key that only those know who may use it; its shape says nothing.
    let (one, other) = KEY.split_at(10);
    let carried = small(&[&format!("echo hello >> README.md; printf %s%s {one} {other}")]);
    let (answer, status, said) = carried.replay(&carried.bundle);
    assert_eq!(status, Some(1), "{answer:#}\n{said}");
    assert_eq!(answer["verdict"], "incomplete");
    assert_eq!(answer["first"], "1.2");
    let why = answer["runs"][1]["says"].as_str().expect("a sentence");
    assert!(why.starts_with("its `events.jsonl` is not as it was: "), "{why}");
    assert!(why.contains("taken out of line"), "{why}");
    assert_eq!(came(&answer)[2..], ["verify: same", "baseline: same"]);
}

#[test]
fn a_kind_of_sandbox_that_this_home_has_not_is_said() {
    let carried = small(&["echo hello >> README.md"]);
    carried.to.configure("engine = \"none\"", "engine = \"bwrap\"");
    let (answer, status, _) = carried.replay(&carried.bundle);
    assert_eq!(status, Some(1), "{answer:#}");
    assert_eq!(answer["verdict"], "incomplete");
    assert_eq!(
        answer["runs"][0]["says"],
        "it was made with the engine `none`, and this home has `bwrap` (`sandbox.engine`)"
    );
}

/// As an older zazen made them: they hold, and cannot be replayed.
#[test]
fn a_bundle_without_what_runs_were_begun_on_holds_and_says_what_is_missing() {
    let carried = small(&["echo hello >> README.md"]);
    let there = carried.unpacked();
    let path = there.join("receipt.json");
    let envelope = Envelope::parse(&fs::read(&path).expect("a receipt")).expect("an envelope");
    let mut stated: Value = serde_json::from_slice(envelope.unsigned.payload()).expect("JSON");
    for run in stated["predicate"]["runs"].as_array_mut().expect("runs") {
        let name = run["run"].as_str().expect("a name").to_owned();
        for (part, file) in
            [("ground", "ground.json"), ("skills", "skills.json"), ("commits", "commits.json")]
        {
            if run["files"].as_object_mut().expect("files").remove(part).is_some() {
                fs::remove_file(there.join("runs").join(&name).join(file)).expect("a part");
            }
        }
    }
    let home = Home::open(&carried.from.home()).expect("a home");
    let key = SigningKey::of(&home).expect("a key");
    let signed = key.sign(Unsigned::new(statement::canonical(&stated))).expect("it is signed");
    fs::write(&path, signed.print()).expect("it is written");
    let checked = check_folder(&there, &keys::known(&home).expect("keys"));
    assert_eq!(checked.report.verdict(), Verdict::Holds, "{:?}", checked.report);
    let (answer, status, _) = carried.replay(&there);
    assert_eq!(status, Some(1), "{answer:#}");
    assert_eq!(answer["verdict"], "incomplete");
    assert_eq!(answer["runs"][0]["says"], "its `ground.json` is not in the bundle");
}
