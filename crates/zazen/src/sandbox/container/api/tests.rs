use super::{About, EngineName, Info, Version, unframed};

/// As podman 4.3 and docker 20.10 answer, without what is not read.
fn about(version: &str, info: &str) -> About {
    let version: Version = serde_json::from_str(version).unwrap();
    let info: Info = serde_json::from_str(info).unwrap();
    About::of(version, info)
}

#[test]
fn podman_is_told_from_docker_by_its_parts() {
    let podman = about(
        r#"{"Components":[{"Name":"Podman Engine"},{"Name":"Conmon"}],"Version":"4.3.1"}"#,
        r#"{"SecurityOptions":["name=seccomp"],"Rootless":true,"CgroupVersion":"1"}"#,
    );
    assert_eq!((podman.name, podman.is_rootless()), (EngineName::Podman, true));
    assert_eq!((podman.version.as_str(), podman.cgroup_version.as_str()), ("4.3.1", "1"));
    let docker = about(
        r#"{"Components":[{"Name":"Engine"}],"Version":"20.10.24"}"#,
        r#"{"SecurityOptions":["name=seccomp,profile=default","name=userns"],"CgroupVersion":"2"}"#,
    );
    assert_eq!((docker.name, docker.is_rootless()), (EngineName::Docker, false));
    assert!(docker.remaps_users());
}

#[test]
fn the_pieces_of_a_log_become_one_text() {
    let log = b"\x02\0\0\0\0\0\0\x06first \x01\0\0\0\0\0\0\x07second\n";
    assert_eq!(unframed(log), "first second");
    assert_eq!(unframed(b"\x02\0\0\0\0\0\0\xffcut"), "cut");
    assert_eq!(unframed(b""), "");
}
