use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use expect_test::{Expect, expect};

use super::{Found, read};

/// Writes the page of a skill.
fn write(skills: &Path, name: &str) {
    let folder = skills.join(name);
    fs::create_dir_all(&folder).unwrap();
    let page = format!("---\nname: {name}\ndescription: How to {name}.\n---\nDo it well.\n");
    fs::write(folder.join("SKILL.md"), page).unwrap();
}

fn good(skills: &Path) -> Vec<Found> {
    read(skills).unwrap().into_iter().filter_map(Result::ok).collect()
}

/// What is wrong, one line a skill.
fn check(skills: &Path, expected: &Expect) {
    let broken = read(skills).unwrap().into_iter().filter_map(Result::err);
    let said: Vec<String> = broken.map(|broken| broken.to_string() + "\n").collect();
    expected.assert_eq(&said.concat().replace(&skills.display().to_string(), "skills"));
}

#[test]
fn a_skill_is_copied_with_all_of_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let skills = dir.path().join("skills");
    write(&skills, "release");
    write(&skills, "a-first-one");
    fs::write(skills.join("README.md"), "ours").unwrap();
    fs::create_dir(skills.join(".git")).unwrap();
    let scripts = skills.join("release/scripts");
    fs::create_dir(&scripts).unwrap();
    fs::write(scripts.join("tag"), b"#!/bin/sh\n\xff\n").unwrap();
    fs::set_permissions(scripts.join("tag"), fs::Permissions::from_mode(0o700)).unwrap();
    let found = good(&skills);
    let names: Vec<&str> = found.iter().map(|found| found.skill.name.as_str()).collect();
    assert_eq!(names, ["a-first-one", "release"]);
    assert_eq!(found[1].files, [Path::new("SKILL.md"), Path::new("scripts/tag")]);
    let to = dir.path().join("home/skills");
    found[1].copy(&to).unwrap();
    let tag = to.join("release/scripts/tag");
    assert_eq!(fs::read(&tag).unwrap(), b"#!/bin/sh\n\xff\n");
    assert_eq!(tag.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    let page = to.join("release/SKILL.md");
    assert!(fs::read_to_string(&page).unwrap().contains("Do it well."));
    assert_eq!(page.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(read(&dir.path().join("nowhere")).unwrap(), []);
}

#[test]
fn what_is_wrong_with_a_folder_is_said_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let skills = dir.path();
    fs::write(skills.join("secret"), "of the host").unwrap();
    fs::create_dir(skills.join("empty")).unwrap();
    write(skills, "good");
    write(skills, "linked");
    symlink("/etc/passwd", skills.join("linked/data")).unwrap();
    symlink(skills.join("good"), skills.join("elsewhere")).unwrap();
    write(skills, "page-is-a-link");
    fs::remove_file(skills.join("page-is-a-link/SKILL.md")).unwrap();
    symlink("../good/SKILL.md", skills.join("page-is-a-link/SKILL.md")).unwrap();
    write(skills, "long");
    fs::write(skills.join("long/SKILL.md"), "x".repeat(65 << 10)).unwrap();
    write(skills, "large");
    fs::write(skills.join("large/data"), vec![0; (4 << 20) + 1]).unwrap();
    write(skills, "many");
    for n in 0..201 {
        fs::write(skills.join(format!("many/{n}")), "").unwrap();
    }
    write(skills, "deep");
    fs::create_dir_all(skills.join("deep/1/2/3/4/5/6/7/8/9")).unwrap();
    write(skills, "misnamed");
    fs::rename(skills.join("misnamed"), skills.join("other")).unwrap();
    fs::create_dir(skills.join("bytes")).unwrap();
    fs::write(skills.join("bytes/SKILL.md"), b"---\nname: bytes\xff\n").unwrap();
    check(
        skills,
        &expect![[r#"
        skills/bytes/SKILL.md: cannot be read: stream did not contain valid UTF-8
        skills/deep/1/2/3/4/5/6/7/8/9: is more than 8 folders deep
        skills/elsewhere: is a link; put the folder itself here
        skills/empty: has no `SKILL.md`, which makes a folder a skill
        skills/large: has more than 4 MiB
        skills/linked/data: is a link or a device; only plain files are copied to agents
        skills/long/SKILL.md: is longer than 64 KiB; move parts into files beside it
        skills/many: has more than 200 files
        skills/other/SKILL.md:2: `name` is `misnamed`, and the folder is called `other`; name both alike
        skills/page-is-a-link/SKILL.md: is a link or a device; only plain files are copied to agents
    "#]],
    );
    let names: Vec<String> =
        good(skills).iter().map(|found| found.skill.name.to_string()).collect();
    assert_eq!(names, ["good"]);
}

#[test]
fn there_are_no_more_skills_than_agents_can_attend_to() {
    let dir = tempfile::tempdir().unwrap();
    for n in 100..166 {
        write(dir.path(), &format!("skill-{n}"));
    }
    assert_eq!(good(dir.path()).len(), 64);
    check(
        dir.path(),
        &expect![[r#"
            skills/skill-164: there are more than 64 skills; move some elsewhere
            skills/skill-165: there are more than 64 skills; move some elsewhere
        "#]],
    );
}

#[test]
fn a_file_that_became_a_link_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let skills = dir.path().join("skills");
    write(&skills, "release");
    let [found] = good(&skills).try_into().unwrap();
    fs::remove_file(skills.join("release/SKILL.md")).unwrap();
    symlink("/etc/passwd", skills.join("release/SKILL.md")).unwrap();
    let refused = found.copy(&dir.path().join("copy")).unwrap_err();
    assert!(format!("{refused:#}").contains("SKILL.md"), "{refused:#}");
}
