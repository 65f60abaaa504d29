//! Everything that git is known to start or to follow, planted one by one.
//!
//! Each vector is shown to be alive by git as people run it, where that is
//! possible with a few commands; and then zazen does with the result all that it
//! ever does. A program that was planted leaves a mark when it runs, and no mark
//! may ever be there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use zazen_core::id::{RunId, TaskId};

use super::{Agent, HOOKS, Mark, Place, US, commit_as_us, git, git_as, judge};
use crate::exec::{Command, run_blocking};
use crate::git::publish::{BranchName, Pushed, Remote, push};
use crate::git::rebase::{People, Rebase, rebase};
use crate::git::{KeptRef, Ours, Source, create_bare, trash, workspace};

/// One thing to plant.
struct Vector {
    name: &'static str,
    /// Whether the few commands of [`as_people_do`] bring it to life.
    fires: bool,
    plant: Plant,
}

enum Plant {
    /// Lines for the repository's configuration.
    Config(&'static str),
    /// Files, links and folders, made by hand.
    Files(fn(&Path, &Mark)),
}

const fn config(name: &'static str, fires: bool, lines: &'static str) -> Vector {
    Vector { name, fires, plant: Plant::Config(lines) }
}

const fn files(name: &'static str, fires: bool, plant: fn(&Path, &Mark)) -> Vector {
    Vector { name, fires, plant: Plant::Files(plant) }
}

const CONFIGS: &[Vector] = &[
    config("core.hooksPath", true, "[core]\n\thooksPath = HOOKS"),
    config("core.fsmonitor", true, "[core]\n\tfsmonitor = MARK"),
    config("core.pager", false, "[core]\n\tpager = MARK"),
    config("core.editor", false, "[core]\n\teditor = MARK"),
    config("core.askPass", false, "[core]\n\taskPass = MARK"),
    config("sequence.editor", false, "[sequence]\n\teditor = MARK"),
    config("filter.clean", true, "[filter \"p\"]\n\tclean = MARK"),
    config("filter.smudge", true, "[filter \"p\"]\n\tsmudge = MARK"),
    config("filter.process", true, "[filter \"p\"]\n\tprocess = MARK"),
    config("diff.external", true, "[diff]\n\texternal = MARK"),
    config("diff.command", true, "[diff \"p\"]\n\tcommand = MARK"),
    config("diff.textconv", true, "[diff \"p\"]\n\ttextconv = MARK"),
    config("merge.driver", false, "[merge \"p\"]\n\tdriver = MARK"),
    config("gpg.program", true, "[gpg]\n\tprogram = MARK\n[commit]\n\tgpgSign = true"),
    config(
        "gpg.ssh.program",
        true,
        "[gpg]\n\tformat = ssh\n[gpg \"ssh\"]\n\tprogram = MARK\n[commit]\n\tgpgSign = true\n\
         [user]\n\tsigningKey = key::ssh-ed25519 AAAA",
    ),
    config(
        "core.sshCommand",
        true,
        "[core]\n\tsshCommand = MARK\n[remote \"origin\"]\n\turl = ssh://h/x",
    ),
    config("remote.uploadpack", true, "[remote \"origin\"]\n\turl = REMOTE\n\tuploadpack = MARK"),
    config("remote.receivepack", true, "[remote \"origin\"]\n\turl = REMOTE\n\treceivepack = MARK"),
    config(
        "remote.ext",
        true,
        "[remote \"origin\"]\n\turl = ext::MARK\n[protocol]\n\tallow = always",
    ),
    config(
        "url.insteadOf",
        true,
        "[url \"ext::MARK \"]\n\tinsteadOf = https://h/\n[remote \"origin\"]\n\turl = https://h/x\n\
         [protocol \"ext\"]\n\tallow = always",
    ),
    config("url.pushInsteadOf", false, "[url \"ext::MARK \"]\n\tpushInsteadOf = /"),
    config(
        "core.gitProxy",
        true,
        "[core]\n\tgitProxy = MARK\n[remote \"origin\"]\n\turl = git://h/x",
    ),
    config("core.alternateRefsCommand", false, "[core]\n\talternateRefsCommand = MARK"),
    config("uploadpack.packObjectsHook", false, "[uploadpack]\n\tpackObjectsHook = MARK"),
    config("credential.helper", false, "[credential]\n\thelper = !MARK"),
    config("alias", false, "[alias]\n\tstatus = !MARK\n\tfetch = !MARK\n\tzz = !MARK"),
    config("include.path", true, "[include]\n\tpath = planted.inc"),
    config("includeIf", true, "[includeIf \"gitdir:/**\"]\n\tpath = planted.inc"),
    config("config.worktree", true, "[extensions]\n\tworktreeConfig = true"),
    config(
        "promisor",
        false,
        "[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\tpromisor = true\n\
         \turl = ext::MARK\n[protocol]\n\tallow = always",
    ),
    config("submodule.update", false, "[submodule \"x\"]\n\tupdate = !MARK\n\turl = ext::MARK"),
    config("trailer.command", false, "[trailer \"x\"]\n\tcommand = MARK\n\tifmissing = add"),
    config("interactive.diffFilter", false, "[interactive]\n\tdiffFilter = MARK"),
    config("core.worktree", false, "[core]\n\tworktree = /"),
    config("init.templateDir", false, "[init]\n\ttemplateDir = HOOKS"),
    config("http.proxy", false, "[http]\n\tproxy = http://127.0.0.1:9\n\tsslVerify = false"),
];

const FILES: &[Vector] = &[
    files("`.git` is a file", true, |dir, mark| {
        let moved = dir.with_extension("moved");
        fs::rename(dir.join(".git"), &moved).unwrap();
        fs::write(dir.join(".git"), format!("gitdir: {}\n", moved.display())).unwrap();
        mark.plant(&moved);
    }),
    files("`.git` is a link", true, |dir, mark| {
        let moved = dir.with_extension("moved");
        fs::rename(dir.join(".git"), &moved).unwrap();
        symlink(&moved, dir.join(".git")).unwrap();
        mark.plant(&moved);
    }),
    files("an embedded bare repository", false, |dir, mark| {
        git(dir, &["init", "-q", "--bare", "embedded"]);
        mark.plant(&dir.join("embedded"));
    }),
    files("a nested repository", false, |dir, mark| {
        git(dir, &["init", "-q", "nested"]);
        mark.plant(&dir.join("nested/.git"));
    }),
    files("attributes among the files", true, |dir, mark| {
        add_config(dir, mark, "[filter \"p\"]\n\tclean = MARK");
        fs::write(dir.join(".gitattributes"), "* filter=p\n").unwrap();
    }),
    files("attributes in `info`", true, |dir, mark| {
        add_config(dir, mark, "[filter \"p\"]\n\tclean = MARK");
        fs::create_dir_all(dir.join(".git/info")).unwrap();
        fs::write(dir.join(".git/info/attributes"), "* filter=p\n").unwrap();
    }),
    files("a module's address", false, |dir, mark| {
        let url = format!("ext::{} %S", mark.program.display());
        let text = format!("[submodule \"x\"]\n\tpath = ../../x\n\turl = {url}\n");
        fs::write(dir.join(".gitmodules"), text).unwrap();
    }),
    files("alternates that lead elsewhere", false, |dir, _| {
        let info = dir.join(".git/objects/info");
        fs::create_dir_all(&info).unwrap();
        fs::write(info.join("alternates"), "/etc\n../../../..\n").unwrap();
    }),
    files("a common folder elsewhere", false, |dir, mark| {
        let other = dir.with_extension("other");
        git(dir, &["init", "-q", "--bare", other.to_str().unwrap()]);
        mark.plant(&other);
        fs::write(dir.join(".git/commondir"), format!("{}\n", other.display())).unwrap();
    }),
    files("replaced objects and grafts", false, |dir, _| {
        let head = git(dir, &["rev-parse", "HEAD"]);
        let base = git(dir, &["rev-parse", "HEAD~1"]);
        git(dir, &["update-ref", &format!("refs/replace/{head}"), &base]);
        fs::create_dir_all(dir.join(".git/info")).unwrap();
        fs::write(dir.join(".git/info/grafts"), format!("{head}\n")).unwrap();
        fs::write(dir.join(".git/shallow"), format!("{base}\n")).unwrap();
    }),
    files("refs with odd names", false, |dir, _| {
        let head = git(dir, &["rev-parse", "HEAD"]);
        let heads = dir.join(".git/refs/heads");
        for name in ["-oProxyCommand=x", "--upload-pack=x", "$(id)", "a\u{202e}b", "HEAD", "@"] {
            fs::write(heads.join(name), format!("{head}\n")).unwrap();
        }
    }),
    files("refs without number", false, |dir, _| {
        let head = git(dir, &["rev-parse", "HEAD"]);
        let lines = (0..50_000).map(|n| format!("{head} refs/heads/n{n}\n"));
        fs::write(dir.join(".git/packed-refs"), lines.collect::<String>()).unwrap();
    }),
];

fn add_config(dir: &Path, mark: &Mark, lines: &str) {
    let program = mark.program.display().to_string();
    let remote = dir.with_file_name("remote.git").display().to_string();
    let hooks = dir.join(".git/planted-hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in HOOKS {
        fs::copy(&mark.program, hooks.join(hook)).unwrap();
    }
    let lines = lines.replace("MARK", &program).replace("REMOTE", &remote);
    let lines = lines.replace("HOOKS", &hooks.display().to_string());
    let path = dir.join(".git/config");
    let old = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{old}\n{lines}\n")).unwrap();
    let included = format!("[core]\n\tfsmonitor = {program}\n");
    fs::write(dir.join(".git/planted.inc"), &included).unwrap();
    fs::write(dir.join(".git/config.worktree"), &included).unwrap();
    fs::create_dir_all(dir.join(".git/info")).unwrap();
    fs::write(dir.join(".git/info/attributes"), "* filter=p diff=p merge=p\n").unwrap();
}

impl Vector {
    fn plant(&self, dir: &Path, mark: &Mark) {
        match self.plant {
            Plant::Config(lines) => add_config(dir, mark, lines),
            Plant::Files(plant) => plant(dir, mark),
        }
    }
}

/// A program that leaves a mark and waits for nothing.
fn hasty(place: &Place) -> Mark {
    let mark = Mark::new(place);
    let text = format!("#!/bin/sh\necho \"$0\" >>{}\nexit 1\n", mark.file.display());
    fs::write(&mark.program, text).unwrap();
    mark
}

/// What a person might do in the folder. What comes of it does not matter.
fn as_people_do(dir: &Path) {
    for args in [
        &["status"][..],
        &["diff", "HEAD~1"],
        &["add", "-A"],
        &["commit", "-q", "-m", "x"],
        &["checkout", "-q", "-f", "HEAD~1", "--", "."],
        &["fetch", "-q", "origin"],
        &["push", "-q", "origin", "HEAD:refs/heads/x"],
    ] {
        let who = ["user.name=Ada", "user.email=ada@example.org"].map(|who| ["-c", who]);
        let command = Command::new("git").args(who.concat()).args(args).cwd(dir);
        let command = command.env("HOME", "/nonexistent").env("GIT_EDITOR", "true");
        run_blocking(&command.timeout(NAIVE_TIMEOUT)).ok();
    }
}

/// How long one of those commands may take. Some wait for ever for what was planted.
const NAIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Plants each vector in a workspace of its own and does all that zazen does with results.
async fn survives(vectors: &[Vector]) {
    let place = Place::new();
    let mark = hasty(&place);
    let mirror = place.mirror().await;
    let path = place.path("remote.git");
    create_bare(&path, &mirror).await.unwrap();
    let remote = Remote { source: Source::Path(path), auth: None };
    let base = mirror.resolve("main").await.unwrap().unwrap();
    for (n, vector) in (1_u32..).zip(vectors) {
        let dir = place.path(&format!("work-{n}"));
        workspace::prepare(&mirror, &dir, &base, &mirror.objects(), None).await.unwrap();
        let agent = Agent { dir, base: base.clone() };
        agent.commit(&format!("fix-{n}.rs"), "// fixed\n");
        let bundle = agent.bundle();
        fs::write(agent.dir.join("README.md"), "touched\n").unwrap();
        vector.plant(&agent.dir, &mark);
        if vector.fires {
            as_people_do(&agent.dir);
            assert!(mark.is_there(), "`{}` is not alive, so this shows nothing", vector.name);
        }
        fs::remove_file(&mark.file).ok();

        let mut expect = agent.expect();
        expect.run = RunId { task: TaskId(12), n };
        let head = judge(&mirror, &bundle, &expect).await.unwrap().head;
        mirror.fetch(None).await.unwrap();
        mirror.diff(&base, &head, 10_000).await.unwrap();
        mirror.diff_stat(&base, &head).await.unwrap();
        mirror.commits_between(&base, &head).await.unwrap();
        mirror.read_file(&head, "README.md", 1_000).await.unwrap();
        let next = place.path(&format!("next-{n}"));
        workspace::prepare(&mirror, &next, &head, &mirror.objects(), None).await.unwrap();
        let branch = BranchName::new(TaskId(n), "fix").unwrap();
        assert_eq!(push(&mirror, &remote, &branch, &head).await.unwrap(), Pushed::Created);
        trash::remove(&agent.dir, &place.path("trash")).unwrap();
        let ran = fs::read_to_string(&mark.file).unwrap_or_default();
        assert!(!mark.is_there(), "`{}` ran: {ran}", vector.name);
    }
    mirror.pack().await.unwrap();
    trash::reap(&place.path("trash")).unwrap();
    assert!(!mark.is_there());
}

#[tokio::test]
async fn no_planted_configuration_is_followed() {
    survives(&CONFIGS[..CONFIGS.len() / 2]).await;
}

#[tokio::test]
async fn no_other_planted_configuration_is_followed_either() {
    survives(&CONFIGS[CONFIGS.len() / 2..]).await;
}

#[tokio::test]
async fn no_planted_file_is_followed() {
    survives(FILES).await;
}

#[tokio::test]
async fn no_planted_hook_runs() {
    let place = Place::new();
    let mark = hasty(&place);
    let mirror = place.mirror().await;
    let agent = place.agent(&mirror).await;
    agent.commit("fix.rs", "// fixed\n");
    let bundle = agent.bundle();
    for hook in HOOKS {
        let hook = agent.dir.join(".git/hooks").join(hook);
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::copy(&mark.program, &hook).unwrap();
    }
    as_people_do(&agent.dir);
    assert!(mark.is_there(), "the hooks are not alive");
    fs::remove_file(&mark.file).unwrap();
    let head = judge(&mirror, &bundle, &agent.expect()).await.unwrap().head;
    let next = place.path("next");
    workspace::prepare(&mirror, &next, &head, &mirror.objects(), None).await.unwrap();
    assert!(!mark.is_there(), "{}", fs::read_to_string(&mark.file).unwrap());
}

/// A pack in a bundle, with the sum at its end that git wants.
fn bundle_of(place: &Place, head: &str, n_objects: u32, objects: &[u8]) -> std::path::PathBuf {
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend(n_objects.to_be_bytes());
    pack.extend_from_slice(objects);
    let sum = Command::new("sha1sum").stdin(pack.clone());
    let sum = run_blocking(&sum).unwrap().stdout_text();
    pack.extend((0..40).step_by(2).map(|i| u8::from_str_radix(&sum[i..i + 2], 16).unwrap()));
    let mut bundle = format!("# v2 git bundle\n{head} refs/zazen/result\n\n").into_bytes();
    bundle.extend(pack);
    let path = place.path("bomb.bundle");
    fs::write(&path, bundle).unwrap();
    path
}

#[tokio::test]
async fn a_pack_of_very_many_objects_is_refused_by_its_number() {
    let place = Place::new();
    let mirror = place.mirror().await;
    let agent = place.agent(&mirror).await;
    let head = agent.commit("a", "a\n");
    let bundle = bundle_of(&place, head.as_str(), 5_000_000, b"");
    let refused = judge(&mirror, &bundle, &agent.expect()).await.unwrap_err();
    assert_eq!(refused.to_string(), "it unpacks to more than 100000 objects");
}

/// Ten folders in each of ten folders, and so on: twelve objects, and files without number.
#[tokio::test]
async fn a_small_tree_with_files_without_number_is_refused() {
    let place = Place::new();
    let mirror = place.mirror().await;
    let agent = place.agent(&mirror).await;
    let mut kind = "blob";
    let mut id = agent.hash("blob", b"x");
    for _ in 0..9 {
        let mode = if kind == "blob" { "100644" } else { "40000" };
        let mut tree = Vec::new();
        for n in 0..10 {
            tree.extend_from_slice(format!("{mode} n{n}\0").as_bytes());
            tree.extend((0..40).step_by(2).map(|i| u8::from_str_radix(&id[i..i + 2], 16).unwrap()));
        }
        id = agent.hash("tree", &tree);
        kind = "tree";
    }
    let commit = git(&agent.dir, &["commit-tree", &id, "-p", "HEAD", "-m", "bomb"]);
    git(&agent.dir, &["update-ref", "HEAD", &commit]);
    let refused = agent.hand_in(&mirror).await.unwrap_err();
    assert_eq!(refused.to_string(), "looking at it takes too much time or memory");
}

#[tokio::test]
async fn a_tree_that_is_very_deep_is_refused() {
    let place = Place::new();
    let mirror = place.mirror().await;
    let agent = place.agent(&mirror).await;
    let path = "d/".repeat(1_000) + "x";
    let id = agent.hash("blob", b"x");
    git(&agent.dir, &["update-index", "--add", "--cacheinfo", &format!("100644,{id},{path}")]);
    git(&agent.dir, &["commit", "-q", "-m", "deep"]);
    let refused = agent.hand_in(&mirror).await.unwrap_err();
    assert!(refused.to_string().contains("is longer than the limit"), "{refused}");
}

#[tokio::test]
async fn nothing_that_is_planted_runs_while_commits_are_put_onto_another_base() {
    let place = Place::new();
    let mark = Mark::new(&place);
    let person = place.person();
    fs::write(person.join(".gitattributes"), "* merge=planted diff=planted filter=planted\n")
        .unwrap();
    let base = place.commit("a", "1\n2\n3\n4\n5\n6\n7\n", "base");
    git(&person, &["checkout", "-q", "-b", "work"]);
    let head = commit_as_us(&person, "a", "ours\n2\n3\n4\n5\n6\n7\n");
    git(&person, &["checkout", "-q", "main"]);
    let onto = place.commit("a", "1\n2\n3\n4\n5\n6\ntheirs\n", "upstream");
    let mirror = place.mirror().await;
    git(&person, &["push", "-q", mirror.dir().to_str().unwrap(), "work:refs/zazen/12/3"]);
    mark.plant(&person.join(".git"));
    git_as(&person, &["rebase", "main", "work"], b"", None);
    assert!(mark.is_there(), "what was planted is not alive, so that this test shows nothing");
    fs::remove_file(&mark.file).unwrap();

    let ours = Ours { task: TaskId(12), author: US.to_owned() };
    let kept = KeptRef::rebased(TaskId(12), 1);
    let what = Rebase { base, head, onto, ours, people: People::Refuse, kept };
    let head = rebase(&mirror, &what).await.unwrap().head;
    let merged = mirror.read_file(&head, "a", 100).await.unwrap().unwrap();
    assert_eq!(merged, b"ours\n2\n3\n4\n5\n6\ntheirs\n");
    assert!(!mark.is_there(), "{}", fs::read_to_string(&mark.file).unwrap());
}
