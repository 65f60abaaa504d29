//! Tests of the text of the owner's rules.

use expect_test::expect;

use super::*;

#[test]
fn only_what_counts_for_the_repository_is_in_the_text() {
    let config = r#"
        version = 1
        name = "ada"
        [models.anthropic]
        key_env = "KEY"
        [policy]
        corrections = 1
        agent_config = "refuse"
        [[repo]]
        name = "local/tally"
        check = "sh tests/run.sh"
        [[repo]]
        name = "local/other"
    "#;
    let found = text(config, &"local/tally".parse().unwrap()).unwrap();
    expect![[r#"
        {"policy":{"agent_config":"refuse","corrections":1},"repo":[{"check":"sh tests/run.sh","name":"local/tally"}],"version":1}
    "#]]
    .assert_eq(&found);
}
