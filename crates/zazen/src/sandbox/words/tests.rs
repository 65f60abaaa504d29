use super::*;

fn achieved(level: Level, landlock: Option<u32>) -> Achieved {
    Achieved {
        files: level,
        network: level,
        processes: level,
        users: level,
        memory_limit: LimitedBy::CgroupV1,
        processes_limit: LimitedBy::Rlimit,
        disk_limit: LimitedBy::Watched,
        cpu_limit: LimitedBy::Nothing,
        syscall_filter: landlock.is_some(),
        landlock,
        uid: 60_800,
    }
}

#[test]
fn what_held_is_one_line_with_every_axis() {
    assert_eq!(
        achieved(Level::Isolated, Some(7)).to_string(),
        "files, network, processes, users isolated; system calls filtered; writes held by \
         Landlock 7; memory held by cgroup v1, processes held for each process, disk watched, \
         CPU not limited; user 60800"
    );
    assert_eq!(
        achieved(Level::None, None).to_string(),
        "nothing is isolated; system calls not filtered; no Landlock; memory held by cgroup v1, \
         processes held for each process, disk watched, CPU not limited; user 60800"
    );
}

#[test]
fn a_record_of_an_older_zazen_is_read_as_what_it_did_not_hold() {
    let old = r#"{"files":"isolated","network":"isolated","processes":"isolated",
        "memory_limit":"cgroup-v1","processes_limit":"rlimit","disk_limit":"watched",
        "syscall_filter":false,"uid":60800}"#;
    let old: Achieved = serde_json::from_str(old).unwrap();
    assert_eq!((old.users, old.cpu_limit), (Level::None, LimitedBy::Nothing));
    assert_eq!(old.landlock, None);
}
