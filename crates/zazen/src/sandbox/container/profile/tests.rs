use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use zazen_core::id::{RunId, TaskId};

use super::{About, EngineName, Profile, check, name};
use crate::sandbox::run_dir::RunDir;
use crate::sandbox::spec::{Access, Container, EngineKind, LaunchSpec, Limits, SPEC_VERSION, Work};

const SECRET: &str = "the token of this run";

struct Place {
    folder: tempfile::TempDir,
    spec: LaunchSpec,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    for name in ["run", "run/home", "run/out", "run/etc", "run/channel", "work", "objects"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("run/inside.json"), "{}").unwrap();
    let spec = LaunchSpec {
        v: SPEC_VERSION,
        run: RunId { task: TaskId(7), n: 1 },
        engine: EngineKind::Container,
        task_marker: "task-7".to_owned(),
        work: Work::Check { command: "true".to_owned() },
        env: BTreeMap::from([("TOKEN".to_owned(), SECRET.to_owned())]),
        files: BTreeMap::new(),
        workspace: folder.path().join("work"),
        access: Access::ReadOnly,
        objects: folder.path().join("objects"),
        tools: Vec::new(),
        gateway_socket: None,
        collect: None,
        limits: Limits {
            memory_bytes: 64 << 20,
            n_processes_max: 40,
            wall: Duration::from_secs(1),
            silence: Duration::from_secs(1),
            disk_bytes: 1 << 20,
            output_bytes: 1 << 20,
        },
        container: Some(Container {
            socket: "/run/podman/podman.sock".into(),
            image: "local/it".to_owned(),
            cpus_milli: Some(1500),
        }),
    };
    Place { folder, spec }
}

fn about(name: EngineName, options: &[&str]) -> About {
    About {
        name,
        version: "4".to_owned(),
        cgroup_version: "2".to_owned(),
        options: options.iter().map(|option| format!("name={option}")).collect(),
    }
}

impl Place {
    fn run_dir(&self) -> RunDir {
        RunDir::new(self.folder.path().join("run"))
    }

    fn body(&self, about: &About) -> anyhow::Result<serde_json::Value> {
        let run_dir = self.run_dir();
        let image_id = "sha256:1".to_owned();
        let zazen = Path::new("/proc/self/exe");
        Profile { run_dir: &run_dir, spec: &self.spec, zazen, about, image_id }.body()
    }
}

#[test]
fn a_container_has_no_network_no_rights_and_a_root_that_cannot_be_written() {
    let body = place().body(&about(EngineName::Docker, &[])).unwrap();
    let host = &body["HostConfig"];
    assert_eq!(host["NetworkMode"], "none");
    assert_eq!(host["CapDrop"], json!(["ALL"]));
    assert_eq!(host["SecurityOpt"], json!(["no-new-privileges"]));
    assert_eq!((&host["ReadonlyRootfs"], &host["Privileged"]), (&json!(true), &json!(false)));
    assert_eq!((&host["Memory"], &host["MemorySwap"]), (&json!(64 << 20), &json!(64 << 20)));
    assert_eq!((&host["PidsLimit"], &host["NanoCpus"]), (&json!(40), &json!(1_500_000_000)));
    for more in ["CapAdd", "Devices", "Binds"] {
        assert!(host[more].is_null(), "{more}");
    }
    assert_eq!(body["Image"], "sha256:1");
}

#[test]
fn what_the_engine_is_told_holds_no_secret() {
    let body = place().body(&about(EngineName::Podman, &[])).unwrap();
    assert!(!serde_json::to_string(&body).unwrap().contains(SECRET));
}

#[test]
fn only_the_private_home_and_the_result_can_be_written_by_who_may_only_read() {
    let place = place();
    let mounts = |place: &Place| -> Vec<String> {
        let body = place.body(&about(EngineName::Podman, &[])).unwrap();
        let mounts = body["HostConfig"]["Mounts"].as_array().unwrap();
        let writable = mounts.iter().filter(|mount| mount["ReadOnly"] == false);
        writable.map(|mount| mount["Target"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(mounts(&place), ["/home/agent", "/run/zazen/out"]);
    let mut place = place;
    place.spec.access = Access::ReadWrite;
    assert_eq!(mounts(&place), ["/home/agent", "/run/zazen/out", "/workspace"]);
}

#[test]
fn without_root_the_work_stays_the_user_that_zazen_is() {
    let host = |about| place().body(&about).unwrap()["HostConfig"].clone();
    let rootless = host(about(EngineName::Podman, &["rootless", "selinux"]));
    assert_eq!(rootless["UsernsMode"], "keep-id");
    assert_eq!(rootless["SecurityOpt"], json!(["no-new-privileges", "label=disable"]));
    assert_eq!(host(about(EngineName::Podman, &[]))["UsernsMode"], "");
}

#[test]
fn engines_in_which_the_work_would_be_somebody_else_are_refused() {
    let why = |about: About| about.check().unwrap_err().to_string();
    assert!(why(about(EngineName::Docker, &["rootless"])).contains("podman without root"));
    let remapping = about(EngineName::Docker, &["userns"]);
    assert!(why(remapping).contains("userns-remap"));
    about(EngineName::Podman, &["selinux"]).check().unwrap();
    about(EngineName::Docker, &[]).check().unwrap();
}

#[test]
fn a_path_that_would_become_another_mount_is_refused() {
    let mut place = place();
    let odd = place.folder.path().join("work,readonly=false");
    fs::create_dir(&odd).unwrap();
    place.spec.workspace = odd;
    let err = check(&place.run_dir(), &place.spec).unwrap_err();
    assert!(err.to_string().contains("comma"), "{err}");
    assert!(place.body(&about(EngineName::Podman, &[])).is_err());
}

#[test]
fn a_run_has_one_name_in_one_home_and_another_in_another() {
    let (one, other) = (place(), place());
    assert_eq!(name(&one.run_dir(), &one.spec), name(&one.run_dir(), &one.spec));
    assert_ne!(name(&one.run_dir(), &one.spec), name(&other.run_dir(), &other.spec));
    let folder: PathBuf = one.folder.path().to_owned();
    assert!(!name(&one.run_dir(), &one.spec).contains(&folder.display().to_string()));
}
