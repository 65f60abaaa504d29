//! Who is told a token, and who is not.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream as Asking;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::git::publish::{BranchName, Remote, push};
use crate::git::tests::http::{Host, TOKEN, auth, basic, processes_with};
use crate::git::tests::{Place, git};
use crate::git::{Mirror, create_bare};

struct Scene {
    place: Place,
    host: Host,
}

impl Scene {
    /// A person's repository, on a host that wants a token.
    async fn new() -> Self {
        let place = Place::new();
        create_bare(&place.path("host/engine.git"), &place.mirror().await).await.unwrap();
        let host = Host::serve(&place.path("host")).await;
        Self { place, host }
    }

    async fn mirror(&self, name: &str) -> Mirror {
        let dir = self.place.path(name);
        Mirror::open_or_create(&dir, &self.host.source("engine.git")).await.unwrap()
    }
}

/// All forms in which the token could be somewhere.
fn secrets() -> Vec<String> {
    vec![TOKEN.to_owned(), basic(TOKEN).replace("Basic ", "")]
}

fn login() -> Login {
    Login::new(&"https://git.example.org:8443/a/b".parse().unwrap(), &auth()).unwrap()
}

const QUESTION: &str = "action=get\ntimeout=900\nprotocol=https\nhost=git.example.org:8443\n";

#[test]
fn the_secret_is_for_one_host_alone() {
    let answer = login().answer(QUESTION).unwrap();
    assert_eq!(answer, format!("username=x-access-token\npassword={TOKEN}\n"));
    for other in [
        "",
        "action=get\n",
        &QUESTION.replace("8443", "443"),
        &QUESTION.replace("git.example.org", "evil.example.org"),
        &QUESTION.replace("=https", "=http"),
        &QUESTION.replace("=get", "=store"),
        &QUESTION.replace("action=", "x-action="),
    ] {
        assert_eq!(login().answer(other), None, "{other}");
    }
}

#[test]
fn what_a_remote_makes_git_print_has_no_secret_in_it() {
    let mut text = format!("remote: {TOKEN}{TOKEN} is bad: {TOKEN}").into_bytes();
    login().erase(&mut text);
    assert_eq!(text, b"remote: ****** is bad: ***");
}

#[tokio::test]
async fn a_process_that_is_not_the_git_that_was_started_is_told_nothing() {
    let mut desk = Desk::open().unwrap();
    let path = desk.path();
    // Any group but the one of this process.
    desk.serve(Pid::INIT, login());
    let asking = tokio::task::spawn_blocking(move || {
        let mut stream = Asking::connect(path).unwrap();
        // It may be refused before it has asked.
        stream.write_all(QUESTION.as_bytes()).ok();
        stream.shutdown(std::net::Shutdown::Write).ok();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok();
        answer
    });
    assert_eq!(asking.await.unwrap(), "");
}

#[tokio::test]
async fn one_of_its_group_is_answered_once_and_nobody_after_it() {
    let mut desk = Desk::open().unwrap();
    let folder = desk.folder.path().to_owned();
    let mode = folder.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    desk.serve(rustix::process::getpgrp(), login());
    let path = desk.path();
    let ask = move || {
        let mut stream = Asking::connect(&path).unwrap();
        stream.write_all(QUESTION.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let asking = tokio::task::spawn_blocking(move || [ask(), ask()]);
    let [first, second] = asking.await.unwrap();
    assert!(first.contains(TOKEN), "{first}");
    assert_eq!(second, "");
    drop(desk);
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_token_with_a_line_end_in_it_is_refused_before_git_is_started() {
    let scene = Scene::new().await;
    let odd = Auth::basic("x-access-token", "t\nhost=evil.example.org");
    let err = scene.mirror("copy").await.fetch(Some(&odd)).await.unwrap_err();
    let err = format!("{:#}", anyhow::Error::from(err));
    assert!(err.contains("line ends") && !err.contains("evil"), "{err}");
    assert!(scene.host.authorizations().is_empty());
}

#[tokio::test]
async fn a_token_is_in_no_argument_and_no_environment_while_git_fetches_and_pushes() {
    let scene = Scene::new().await;
    scene.host.hold();
    let mirror = scene.mirror("copy").await;
    let auth = auth();
    let watched = async {
        // Both transfers ask for what there is first, and then for it.
        for _ in 0..2 {
            scene.host.wait_for_one().await;
            let (seen, found) = processes_with(&secrets());
            let is_one = |word: &str| {
                seen.iter().any(|line| line.contains(&scene.host.address) && line.contains(word))
            };
            assert!(is_one("remote-http"), "{seen:?}");
            assert_eq!(found, Vec::<String>::new());
            scene.host.let_go_one();
        }
        scene.host.let_go();
    };
    let (fetched, ()) = futures_util::future::join(mirror.fetch(Some(&auth)), watched).await;
    fetched.unwrap();

    let commit = scene.place.commit("work", "one\n", "one");
    git(
        &scene.place.person(),
        &["push", "-q", mirror.dir().to_str().unwrap(), "HEAD:refs/zazen/12/1"],
    );
    scene.host.hold();
    let source = scene.host.source("engine.git");
    let remote = Remote { source, auth: Some(auth) };
    let branch: BranchName = "zazen/12-fix".parse().unwrap();
    let watched = async {
        scene.host.wait_for_one().await;
        assert_eq!(processes_with(&secrets()).1, Vec::<String>::new());
        scene.host.let_go();
    };
    let pushed = push(&mirror, &remote, &branch, &commit);
    futures_util::future::join(pushed, watched).await.0.unwrap();
    assert!(scene.host.authorizations().contains(&Some(basic(TOKEN))));
}

#[tokio::test]
async fn a_token_is_in_no_argument_and_no_environment_of_those_that_ask_for_it() {
    let scene = Scene::new().await;
    let mirror = scene.mirror("copy").await;
    let ended = Arc::new(AtomicBool::new(false));
    let until = ended.clone();
    let watching = tokio::task::spawn_blocking(move || watch_for_one_who_asks(&until));
    // Those who ask live for milliseconds: one of them is caught in the act.
    for _ in 0..1_000 {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        mirror.fetch(Some(&auth())).await.unwrap();
    }
    ended.store(true, Ordering::Relaxed);
    assert!(watching.await.unwrap(), "nobody was seen who asks");
}

/// Whether one who asks was seen before the end. Nobody ever has the token.
fn watch_for_one_who_asks(ended: &AtomicBool) -> bool {
    while !ended.load(Ordering::Relaxed) {
        let (seen, found) = processes_with(&secrets());
        assert_eq!(found, Vec::<String>::new());
        if seen.iter().any(|line| line.contains("credential-cache --socket=/")) {
            ended.store(true, Ordering::Relaxed);
            return true;
        }
    }
    false
}

#[tokio::test]
async fn no_file_has_the_token_when_git_is_done() {
    let scene = Scene::new().await;
    let mirror = scene.mirror("copy").await;
    mirror.fetch(Some(&auth())).await.unwrap();
    for (path, (bytes, _)) in crate::git::tests::snapshot(&scene.place.path("copy")) {
        for secret in secrets() {
            assert!(find(&bytes, secret.as_bytes()).is_none(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_redirect_leads_nowhere_and_takes_no_token_along() {
    let scene = Scene::new().await;
    let elsewhere = Host::serve(&scene.place.path("host")).await;
    let there =
        format!("http://{}/engine.git/info/refs?service=git-upload-pack", elsewhere.address);
    scene.host.answer_with(302, Some(there));
    scene.mirror("copy").await.fetch(Some(&auth())).await.unwrap_err();
    assert_eq!(elsewhere.authorizations(), []);
}
