//! Receipts of real tasks: made, published, checked, carried away, and tampered with.

mod tamper;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use zazen::home::{Home, keys};
use zazen::receipt::check::{self, Checked};
use zazen::receipt::{Place as Files, bundle};
use zazen_core::receipt::{Envelope, KeyId, Link, Outcome, Verdict};
use zazen_core::secret::Scanner;

use crate::harness::model::{Model, demo_script};
use crate::harness::place::{Place, Setup, git};

/// A task that is drafted, with its bundle; the daemon is down.
pub(crate) struct Drafted {
    pub(crate) place: Place,
    pub(crate) bundle: PathBuf,
    _model: Model,
}

/// Takes the demo's issue to its draft, and exports what proves it.
pub(crate) fn drafted() -> Drafted {
    let model = Model::start(demo_script());
    let mut place = Place::new(&Setup::mini("none", &model.url()));
    give_skill(&place);
    place.carry_through();
    place.down();
    let bundle = place.home().with_file_name("task.tar");
    place.zazen(&["bundle", "export", "1", "-o", &bundle.display().to_string()]);
    Drafted { place, bundle, _model: model }
}

/// Gives agents a skill, with a file that is no text.
pub(crate) fn give_skill(place: &Place) {
    let skill = place.home().join("skills/greeting");
    fs::create_dir_all(&skill).unwrap();
    let page = "---\nname: greeting\ndescription: Greets.\n---\nSay hello.\n";
    fs::write(skill.join("SKILL.md"), page).unwrap();
    fs::write(skill.join("owl.png"), [0x89, b'P', 0xff]).unwrap();
}

impl Drafted {
    pub(crate) fn home(&self) -> Home {
        Home::open(&self.place.home()).unwrap()
    }

    pub(crate) fn keys(&self) -> BTreeSet<KeyId> {
        keys::known(&self.home()).unwrap()
    }

    /// Unpacks the bundle anew.
    pub(crate) fn unpacked(&self, name: &str) -> PathBuf {
        let to = self.place.home().with_file_name(name);
        bundle::import(&self.bundle, &to).unwrap();
        to
    }
}

/// Checks an unpacked bundle.
pub(crate) fn check_folder(dir: &Path, keys: &BTreeSet<KeyId>) -> Checked {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(check::check(&Files::unpacked(dir).unwrap(), keys))
}

/// The first link that is broken, by its word.
pub(crate) fn broken(checked: &Checked) -> Option<String> {
    checked.report.first_broken().map(|finding| finding.link.to_string())
}

#[test]
fn a_draft_carries_a_receipt_that_anybody_can_check() {
    let drafted = drafted();
    let place = &drafted.place;
    for what in ["1", "#2", "local/tally#2"] {
        let said = place.zazen(&["verify", what]);
        assert!(said.contains("It holds: all "), "{said}");
    }
    // It is on the remote, where the pull request says, and alone on its ref.
    let [pull] = place.pulls().try_into().expect("one pull request");
    let listed = git(&place.remote(), &["ls-tree", "-r", "--name-only", "refs/zazen/receipts"]);
    let path = listed.trim_end();
    assert!(pull.contains(&format!("git show FETCH_HEAD:{path}")), "{pull}");
    let clone = place.home().with_file_name("clone");
    let [remote, to] = [place.remote(), clone.clone()].map(|path| path.display().to_string());
    git(&place.repo(), &["clone", "-q", &remote, &to]);
    git(&clone, &["fetch", "-q", "origin", "refs/zazen/receipts"]);
    let fetched = git(&clone, &["show", &format!("FETCH_HEAD:{path}")]);
    let pages = place.json(&["task", "show", "1", "--json"])["folder"].as_str().unwrap().to_owned();
    let kept = fs::read_to_string(Path::new(&pages).join("receipt.json")).unwrap();
    assert_eq!(fetched, kept);
    // A receipt alone is checked as far as it goes, with the commits of a clone.
    let alone = clone.join("receipt.json");
    fs::write(&alone, &fetched).unwrap();
    let page = drafted.home().receipt_keys_page().display().to_string();
    let alone = alone.display().to_string();
    let args = ["verify", alone.as_str(), "--key", page.as_str(), "--repo", to.as_str(), "--json"];
    let output = place.zazen_in(&clone, &args);
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let outcome = |link: &str| {
        let links = said["links"].as_array().unwrap();
        links.iter().find(|it| it["link"] == link).unwrap()["outcome"].clone()
    };
    let held = ["signature", "key", "head", "base"].map(outcome);
    assert_eq!(held, ["holds"; 4], "{said}");
    assert_eq!(outcome("plan"), "unknown");
    // The key that it is signed with is a page of the home, which is committed.
    let key = place.zazen(&["verify", "--show-key"]).trim().to_owned();
    assert!(pull.contains(&key), "{pull}");
    let page = git(&place.home(), &["show", "HEAD:receipts.pub"]);
    assert!(page.contains(&key), "{page}");
    assert!(!git(&place.home(), &["ls-files"]).contains("receipts.key"));
    for pages in ["receipts.pub", "tasks/*/receipt.json"] {
        let authors = git(&place.home(), &["log", "--format=%an", "--", pages]);
        assert_eq!(authors, "zazen\n", "{pages}");
    }
}

/// What the receipt states is what the runs' folders say.
#[test]
fn a_receipt_states_who_acted_where_at_what_cost() {
    let drafted = drafted();
    let text = drafted.home().root().join("tasks");
    let checked = check_folder(&drafted.unpacked("there"), &drafted.keys());
    let receipt = checked.receipt.expect("a receipt");
    assert!(text.is_dir());
    assert_eq!(receipt.plan.approved_by, "ada");
    let phases: Vec<&str> = receipt.runs.iter().map(|run| run.phase.as_str()).collect();
    assert_eq!(phases[..4], ["plan", "implement/1", "implement/2", "verify"]);
    let agent = receipt.runs[1].agent.as_ref().expect("an agent");
    assert_eq!((agent.harness.as_str(), agent.model.as_str()), ("mini", "claude-sonnet-4-5"));
    assert_eq!(receipt.runs[3].agent, None);
    let task = drafted.place.task(1).expect("the task");
    let shown = drafted.place.json(&["task", "show", "1", "--json"]);
    let calls = shown["task"]["usage"]["n_calls"].as_u64().unwrap();
    assert_eq!(receipt.usage.n_calls, calls, "{task}");
    assert!(receipt.usage.cost.known() > 0);
    assert_eq!(receipt.checks.code, Some(0));
    assert!(receipt.runs.iter().all(|run| run.end.reason == "exited"));
    assert!(receipt.runs.iter().all(|run| run.sandbox.achieved.contains_key("network")));
}

#[test]
fn a_bundle_is_checked_without_a_home_and_with_a_key_from_elsewhere() {
    let drafted = drafted();
    let page = drafted.home().receipt_keys_page().display().to_string();
    let key = drafted.place.zazen(&["verify", "--show-key"]).trim().to_owned();
    let away = tempfile::tempdir().unwrap();
    let file = drafted.bundle.display().to_string();
    let verify = |args: &[&str]| {
        let mut all = vec!["verify", file.as_str()];
        all.extend(args);
        drafted.place.zazen_in(away.path(), &all)
    };
    for known in [["--key", page.as_str()], ["--trust", key.as_str()]] {
        let output = verify(&known);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("It holds: all "), "{said}");
    }
    // The key that stands in the receipt is nobody's.
    let output = verify(&["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["verdict"], "broken");
    let links = said["links"].as_array().unwrap();
    let first = links.iter().find(|link| link["outcome"] == "broken").unwrap();
    assert_eq!(first["link"], "key");
    assert!(first["fix"].as_str().unwrap().contains("--key FILE"), "{first}");
    let other = format!("ed25519:{}", "07".repeat(32));
    let output = verify(&["--trust", &other]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("broken is `key`"));
    // What is gone is not said to hold.
    let there = drafted.unpacked("there");
    fs::remove_dir_all(there.join("runs")).unwrap();
    let folder = there.display().to_string();
    let output = drafted.place.zazen_in(away.path(), &["verify", &folder, "--trust", &key]);
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    let args = ["verify", folder.as_str(), "--trust", key.as_str(), "--partial"];
    assert_eq!(drafted.place.zazen_in(away.path(), &args).status.code(), Some(0));
}

#[test]
fn what_an_old_key_signed_holds_after_a_new_one_was_made() {
    let drafted = drafted();
    let home = drafted.home();
    let old = drafted.keys();
    fs::remove_file(home.dot_dir().join("keys/receipts.key")).unwrap();
    let new = keys::SigningKey::of(&home).unwrap();
    assert!(!old.contains(&new.id()) && drafted.keys().contains(&new.id()));
    assert!(drafted.place.zazen(&["verify", "1"]).contains("It holds: all "));
    // A key whose line is taken off the page is not believed any more.
    let page = format!("{}\n", new.id());
    fs::write(home.receipt_keys_page(), page).unwrap();
    let output = drafted.place.try_zazen(&["verify", "1"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("broken is `key`"));
}

#[test]
fn a_secret_is_taken_out_of_a_bundle_and_what_is_left_is_still_checked() {
    let drafted = drafted();
    let home = drafted.home();
    let away = tempfile::tempdir().unwrap();
    let receipt = check_folder(&drafted.unpacked("there"), &drafted.keys()).receipt.unwrap();
    let task_dir = drafted.place.json(&["task", "show", "1", "--json"])["folder"]
        .as_str()
        .map(PathBuf::from)
        .unwrap();
    let what = (receipt.task, &receipt.issue.repo, &receipt.head.commit);
    let files = Files::in_home(&home, &task_dir, what);
    let source = drafted.place.repo().display().to_string().parse().unwrap();
    let mirror = home.mirrors_dir().join("local/tally.git");
    // Something that both an agent and its model said.
    let secret = "Sum by month with `--by month`";
    let scanner = Scanner::knowing([secret]);
    let to = away.path().join("task.tar");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let exported = runtime
        .block_on(async {
            let mirror = zazen::git::Mirror::open_or_create(&mirror, &source).await?;
            bundle::export((&files, &mirror), &receipt, &scanner, &to).await
        })
        .unwrap();
    assert!(!exported.withheld.is_empty());
    let there = away.path().join("there");
    bundle::import(&to, &there).unwrap();
    let names: Vec<String> = exported.withheld.keys().map(ToString::to_string).collect();
    for name in &names {
        let text = fs::read_to_string(there.join(name)).unwrap();
        assert!(!text.contains(secret) && text.contains("[secret]"), "{name}");
    }
    let checked = check_folder(&there, &drafted.keys());
    assert_eq!(checked.report.verdict(), Verdict::Partial, "{:?}", checked.report);
    let unknown = |link: Link| {
        let mut all = checked.report.findings.iter();
        all.any(|it| it.link == link && matches!(it.outcome, Outcome::Unknown { .. }))
    };
    for part in exported.withheld.keys() {
        assert!(unknown(Link::of(*part)), "{part}");
    }
    // The lines beside those that were taken out are still looked at.
    let recording = exported.withheld.iter().find(|(part, what)| {
        part.to_string().ends_with("recording.jsonl") && !what.lines.contains(&1)
    });
    let (part, _) = recording.expect("a recording with other lines");
    let path = there.join(part.to_string());
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"v\":1", "\"v\":1 ", 1)).unwrap();
    let checked = check_folder(&there, &drafted.keys());
    assert_eq!(broken(&checked), Some(Link::of(*part).to_string()));
}

/// Another program that knows the signature's scheme says the same.
#[test]
fn the_signature_is_one_that_openssl_takes() {
    let drafted = drafted();
    let there = drafted.unpacked("there");
    let text = fs::read(there.join("receipt.json")).unwrap();
    let envelope = Envelope::parse(&text).unwrap();
    let away = tempfile::tempdir().unwrap();
    // The fixed beginning of an Ed25519 key in DER.
    let mut der = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    der.extend(envelope.key.as_bytes());
    fs::write(away.path().join("key.der"), der).unwrap();
    fs::write(away.path().join("text"), envelope.unsigned.to_sign()).unwrap();
    fs::write(away.path().join("sig"), envelope.signature).unwrap();
    let args = "pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in text -sigfile sig";
    let command = zazen::exec::Command::new("openssl").args(args.split(' ')).cwd(away.path());
    match zazen::exec::run_blocking(&command) {
        Ok(output) => assert!(output.status.success(), "{}", output.stdout_text()),
        Err(err) => println!("skipped: openssl cannot be started here: {err:#}"),
    }
}
