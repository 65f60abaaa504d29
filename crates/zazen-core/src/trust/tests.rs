//! Who may do what.

use super::*;

#[test]
fn where_a_forge_says_what_somebody_may_do_that_counts() {
    let trust = Trust::default();
    for (permission, may) in [
        (Some(Permission::None), false),
        (Some(Permission::Read), false),
        (Some(Permission::Triage), false),
        (Some(Permission::Write), true),
        (Some(Permission::Admin), true),
        (None, true),
    ] {
        let author = Author { permission, ..Author::named("ada") };
        assert_eq!(trust.may_command(author, Name::Plan), may, "{permission:?}");
        assert_eq!(trust.tier(author) == Tier::Trusted, may, "{permission:?}");
    }
}

#[test]
fn a_command_of_its_own_permission_is_given_with_less() {
    let commands = [(Name::Ask, Permission::Read)].into();
    let trust = Trust::default().needing(Permission::Maintain, commands);
    let reader = Author { permission: Some(Permission::Read), ..Author::named("eve") };
    let writer = Author { permission: Some(Permission::Write), ..reader };
    assert!(trust.may_command(reader, Name::Ask));
    assert!(!trust.may_command(writer, Name::Plan));
    assert_eq!(trust.tier(reader), Tier::Stranger, "a question is still a stranger's text");
}

#[test]
fn named_people_are_fewer_than_those_who_may_write() {
    let trust = Trust::new(["ada".to_owned()].into(), false);
    let grace = Author { permission: Some(Permission::Admin), ..Author::named("grace") };
    assert!(!trust.may_command(grace, Name::Plan));
    let ada = Author { permission: Some(Permission::Read), ..Author::named("ada") };
    assert!(!trust.may_command(ada, Name::Plan), "the name alone is not enough on such a forge");
    assert!(trust.may_command(Author::named("ada"), Name::Plan));
}

#[test]
fn a_program_commands_nothing_unless_it_is_named() {
    let author = Author { permission: Some(Permission::Admin), is_bot: true, name: "ci[bot]" };
    for trust in [Trust::default(), Trust::new(BTreeSet::new(), true)] {
        assert!(!trust.may_command(author, Name::Plan));
        assert_eq!(trust.tier(author), Tier::Stranger);
    }
    let trust = Trust::new(["ci[bot]".to_owned()].into(), false);
    assert!(trust.may_command(author, Name::Plan));
}

#[test]
fn permissions_are_written_as_words() {
    for permission in Permission::ALL {
        assert_eq!(permission.to_string().parse(), Ok(permission));
        let json = format!("\"{permission}\"");
        assert_eq!(serde_json::to_string(&permission).unwrap(), json);
    }
    let err = "owner".parse::<Permission>().unwrap_err();
    assert!(err.to_string().contains("\"maintain\""), "{err}");
}
