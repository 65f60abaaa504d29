use super::*;

fn line(text: &str) -> Line {
    Line { at: Time(1_750_000_000_000), text: text.to_owned() }
}

fn page(home: &Home) -> String {
    let dir = home.root().join("journal");
    let entry = fs::read_dir(dir).unwrap().next().unwrap().unwrap();
    fs::read_to_string(entry.path()).unwrap()
}

#[test]
fn a_line_that_may_be_there_is_written_once() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path());
    write(&home, &[line("One."), line("Two.")], Seen::Never).unwrap();
    let written = write(&home, &[line("One."), line("Two."), line("Two.")], Seen::Maybe).unwrap();
    assert_eq!(written.len(), 1);
    let text = page(&home);
    assert_eq!(text.matches("One.").count(), 1, "{text}");
    assert_eq!(text.matches("Two.").count(), 2, "{text}");
    assert!(write(&home, &[line("One.")], Seen::Maybe).unwrap().is_empty());
}

#[test]
fn a_line_that_just_happened_is_written_though_there_is_one_like_it() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path());
    write(&home, &[line("One.")], Seen::Never).unwrap();
    write(&home, &[line("One.")], Seen::Never).unwrap();
    assert_eq!(page(&home).matches("One.").count(), 2);
}

#[test]
fn a_torn_line_is_ended_before_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path());
    let [path] = write(&home, &[line("One.")], Seen::Never).unwrap().try_into().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 3]).unwrap();
    write(&home, &[line("Two.")], Seen::Never).unwrap();
    assert!(page(&home).lines().any(|line| line.ends_with("Two.") && line.starts_with("- ")));
}
