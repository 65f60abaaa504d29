//! What is a container's alone: its image, its engine, and what is left when nobody holds it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use zazen::sandbox::container::{Recipe, build, find_socket, look, require, sweep};
use zazen::sandbox::{EndReason, EngineKind, LimitedBy, Phase, observe, stop, submit};

use super::setup::{Machine, Run, eventually, machine};

fn in_container() -> Option<Machine> {
    machine(EngineKind::Container)
}

fn socket(machine: &Machine) -> &Path {
    &machine.container.as_ref().unwrap().socket
}

fn failed(reason: EndReason) -> String {
    let EndReason::RunnerFailed { message } = reason else { panic!("{reason:?}") };
    message
}

/// A tar of files in one folder.
async fn tar(machine: &Machine, files: &[(&str, &str)]) -> Vec<u8> {
    let folder = machine.path("recipe");
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    let command = zazen::exec::Command::new("tar").args(["-c", "."]).cwd(&folder);
    zazen::exec::run(command).await.unwrap().stdout
}

async fn is_there(machine: &Machine, run: &Run) -> bool {
    // A sweep that keeps nothing says what there was.
    let swept = sweep(socket(machine), &machine.runs(), &BTreeSet::new()).await.unwrap();
    swept.contains(&run.spec.run)
}

#[tokio::test]
async fn an_image_that_is_not_there_is_named_with_the_command_that_gets_it() {
    let Some(machine) = in_container() else { return };
    let mut run = machine.run(1, "true");
    run.spec.container.as_mut().unwrap().image = "docker.io/library/no-such:1".to_owned();
    let message = failed(machine.finish(&run).await.reason);
    assert!(message.contains("podman pull docker.io/library/no-such:1"), "{message}");
    let err = require(socket(&machine), "docker.io/library/no-such:1").await.unwrap_err();
    assert!(err.to_string().contains("podman pull"), "{err}");
}

#[tokio::test]
async fn an_image_that_zazen_cannot_run_in_is_explained() {
    let Some(machine) = in_container() else { return };
    // Nothing is in it, not even the linker that zazen is started by.
    let context =
        tar(&machine, &[("Containerfile", "FROM scratch\nCOPY Containerfile /x\n")]).await;
    let recipe = Recipe::new(context, "Containerfile".to_owned(), "an image with nothing");
    let mut run = machine.run(1, "true");
    run.spec.container.as_mut().unwrap().image = build(socket(&machine), recipe).await.unwrap();
    let message = failed(machine.finish(&run).await.reason);
    assert!(message.contains("glibc"), "{message}");
    assert!(!is_there(&machine, &run).await);
}

#[tokio::test]
async fn a_recipe_that_fails_says_where() {
    let Some(machine) = in_container() else { return };
    let image = &machine.container.as_ref().unwrap().image;
    let file = format!("FROM {image}\nCOPY no-such-file /x\n");
    let context = tar(&machine, &[("Containerfile", &file)]).await;
    let recipe = Recipe::new(context, "Containerfile".to_owned(), "a recipe that fails");
    let err = build(socket(&machine), recipe).await.unwrap_err();
    assert!(format!("{err:#}").contains("no-such-file"), "{err:#}");
}

#[tokio::test]
async fn what_the_image_says_of_its_environment_counts() {
    let Some(machine) = in_container() else { return };
    let mut run =
        machine.run(1, "echo $OF_THE_IMAGE; echo $PATH; ls /usr/share/doc /opt 2>/dev/null");
    run.spec.env.insert("PATH".to_owned(), "/tools/bin:{path}".to_owned());
    machine.finish(&run).await;
    assert_eq!(run.out(), ["yes", "/tools/bin:/usr/local/bin:/usr/bin:/bin"]);
}

#[tokio::test]
async fn a_tool_is_shown_at_its_own_place() {
    let Some(machine) = in_container() else { return };
    let folder = tempfile::Builder::new().prefix("zazen-tool-").tempdir_in("/tmp").unwrap();
    super::setup::open(folder.path());
    let tool = folder.path().to_owned();
    fs::write(tool.join("data"), "a tool\n").unwrap();
    let path = tool.display();
    let mut run =
        machine.run(1, &format!("cat {path}/data; touch {path}/x 2>/dev/null || echo refused"));
    run.spec.tools = vec![tool.clone()];
    machine.finish(&run).await;
    let out = run.out();
    assert_eq!(
        (out.first().unwrap().as_str(), out.last().unwrap().as_str()),
        ("a tool", "refused")
    );
}

#[tokio::test]
async fn its_limits_are_those_that_the_kernel_says() {
    let Some(machine) = in_container() else { return };
    let mut run = machine.run(1, "true");
    run.spec.container.as_mut().unwrap().cpus_milli = Some(500);
    let achieved = machine.finish(&run).await.achieved.unwrap();
    for by in [achieved.memory_limit, achieved.processes_limit, achieved.cpu_limit] {
        assert!(matches!(by, LimitedBy::CgroupV1 | LimitedBy::CgroupV2), "{achieved:?}");
    }
}

#[tokio::test]
async fn nothing_of_it_is_left_with_its_engine() {
    let Some(machine) = in_container() else { return };
    let run = machine.run(1, "true");
    machine.finish(&run).await;
    assert!(!is_there(&machine, &run).await);
}

#[tokio::test]
async fn what_a_killed_supervisor_leaves_is_swept() {
    let Some(machine) = in_container() else { return };
    let run = machine.run(1, "echo up; sleep 1000");
    machine.submit(&run).await;
    run.printed("up").await;
    let keep = BTreeSet::from([run.spec.run]);
    // As long as somebody holds it, it is none to sweep.
    assert!(sweep(socket(&machine), &machine.runs(), &keep).await.unwrap().is_empty());
    let lock = fs::read_to_string(run.dir.join("supervisor.lock")).unwrap();
    let holder: serde_json::Value = serde_json::from_str(&lock).unwrap();
    let pid = i32::try_from(holder["pid"]["pid"].as_i64().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    eventually(|| (observe(&run.dir).unwrap() == Phase::Lost).then_some(())).await;
    let swept = sweep(socket(&machine), &machine.runs(), &keep).await.unwrap();
    assert_eq!(swept, [run.spec.run]);
    stop(&run.dir, std::time::Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn an_engine_that_is_not_there_fails_the_run_and_says_so() {
    let Some(machine) = in_container() else { return };
    let mut run = machine.run(1, "true");
    run.spec.container.as_mut().unwrap().socket = machine.path("no-engine");
    let message = failed(machine.finish(&run).await.reason);
    assert!(message.contains("no-engine"), "{message}");
    let err = find_socket(&[machine.path("no-engine")]).unwrap_err().to_string();
    assert!(err.contains("podman.socket"), "{err}");
    look(socket(&machine)).await.unwrap();
}

#[tokio::test]
async fn a_run_that_names_no_image_is_refused() {
    let Some(machine) = in_container() else { return };
    let mut run = machine.run(1, "true");
    run.spec.container = None;
    let err = submit(&machine.zazen, &run.dir, &run.spec).await.unwrap_err();
    assert!(err.to_string().contains("image"), "{err}");
}
