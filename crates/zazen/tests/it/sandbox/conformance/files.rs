//! What a run gets with it: texts in its private home.

use zazen::sandbox::submit;

use crate::sandbox::setup::Machine;

async fn texts_are_in_the_private_home_before_the_work_starts(machine: Machine) {
    let mut run = machine.run(
        1,
        "cat $HOME/.tool/deep/settings.json; echo; stat -c %a $HOME/.tool/deep/settings.json; \
         echo more >> $HOME/.tool/deep/settings.json && touch $HOME/.tool/deep/other && echo own",
    );
    let text = r#"{"home":"{home}","zazen":"{zazen}"}"#;
    run.spec.files.insert(".tool/deep/settings.json".to_owned(), text.to_owned());
    machine.finish(&run).await;
    let [said, mode, own] = run.out().try_into().unwrap();
    assert!(said.starts_with(r#"{"home":"/"#), "{said}");
    assert!(!said.contains("{home}") && !said.contains("{zazen}"), "{said}");
    assert_eq!((mode.as_str(), own.as_str()), ("600", "own"));
}

async fn a_text_that_would_be_elsewhere_is_refused_before_anything_starts(machine: Machine) {
    let long = "x".repeat(300 << 10);
    for (n, path, text) in [
        (1, "../out/result.bundle", ""),
        (2, "/etc/passwd", ""),
        (3, "a//b", ""),
        (4, "a/./b", ""),
        (5, "settings.json", long.as_str()),
    ] {
        let mut run = machine.run(n, "echo never");
        run.spec.files.insert(path.to_owned(), text.to_owned());
        let refused = submit(&machine.zazen, &run.dir, &run.spec).await.unwrap_err().to_string();
        assert!(refused.contains(&format!("`{path}`")), "{refused}");
        assert!(!run.dir.join("spec.json").exists());
    }
}

in_every_engine!(
    texts_are_in_the_private_home_before_the_work_starts,
    a_text_that_would_be_elsewhere_is_refused_before_anything_starts,
);
