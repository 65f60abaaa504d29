use super::*;
use crate::plan::Question;

fn kind(name: &str) -> Kind {
    Kind { name: name.to_owned(), ..Kind::default() }
}

fn names(kinds: &[Kind], (title, labels): (&str, &[&str]), plan: &Plan) -> Vec<String> {
    let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
    let subject = Subject { title, text: "Please.", labels: &labels, plan };
    super::kinds(kinds, subject).into_iter().map(|kind| kind.name.clone()).collect()
}

#[test]
fn work_is_of_a_kind_by_labels_words_paths_and_questions() {
    let kinds = [
        Kind { words: vec!["log in".to_owned(), "OAuth".to_owned()], ..kind("auth") },
        Kind { paths: vec!["billing/".to_owned()], ..kind("billing") },
        Kind { labels: vec!["Security".to_owned()], ..kind("security") },
        Kind { questions: Some(2), ..kind("unclear") },
    ];
    let mut plan = Plan { summary: "It is so.".to_owned(), ..Plan::default() };
    let nothing: [&str; 0] = [];
    assert_eq!(names(&kinds, ("Catalog inside", &[]), &plan), nothing);
    assert_eq!(names(&kinds, ("I cannot log-in", &[]), &plan), ["auth"]);
    assert_eq!(names(&kinds, ("Hello", &["security"]), &plan), ["security"]);
    plan.summary = "It uses oauth.".to_owned();
    plan.files = vec!["src/billing.rs".to_owned(), "billing/tax/vat.rs".to_owned()];
    let question = Question { text: "Which?".to_owned(), answer: None };
    plan.questions = vec![question.clone(), question];
    assert_eq!(names(&kinds, ("Hello", &[]), &plan), ["auth", "billing", "unclear"]);
}

#[test]
fn a_pattern_fits_whole_parts_of_paths() {
    for (pattern, path, fits) in [
        ("src/auth.rs", "src/auth.rs", true),
        ("src/auth.rs", "src/auth.rs.bak", false),
        ("src/auth/", "src/auth/a/b.rs", true),
        ("src/auth/", "src/authors/a.rs", false),
        ("**/auth/**", "auth/x", true),
        ("**/auth/**", "a/b/auth/c/d", true),
        ("**/auth/**", "a/oauth/c", false),
        ("*.toml", "Cargo.toml", true),
        ("*.toml", "a/Cargo.toml", false),
        ("**/*.t*l", "a/b/Cargo.toml", true),
        ("a*a", "a", false),
        ("", "x", false),
        ("**", "x/y", true),
        ("/src/*", "src/x", true),
        ("src/*", "./src/x", true),
    ] {
        assert_eq!(matches(pattern, path), fits, "{pattern} {path}");
    }
    let slow = ["**/a"; 40].join("/");
    assert!(!matches(&slow, &["a"; 60].join("/").replace('a', "b")), "and it comes to an end");
}

fn need(permission: Option<Permission>, people: &[&str]) -> Need {
    let people = people.iter().map(|name| (*name).to_owned()).collect();
    Need { kind: "auth".to_owned(), permission, people }
}

fn author(name: &str, permission: Option<Permission>) -> Author<'_> {
    Author { name, permission, is_bot: false }
}

#[test]
fn who_has_the_permission_or_is_named_may_approve_and_nobody_else() {
    use Permission::{Admin, Maintain, Write};

    let either = need(Some(Maintain), &["ada"]);
    assert!(either.is_met_by(author("ada", Some(Write))));
    assert!(either.is_met_by(author("bob", Some(Maintain))));
    assert!(either.is_met_by(author("bob", Some(Admin))));
    assert!(!either.is_met_by(author("bob", Some(Write))));
    assert!(!either.is_met_by(author("bob", None)), "only names count where nothing is known");
    assert!(!either.is_met_by(Author { is_bot: true, ..author("bot", Some(Admin)) }));
    assert!(need(Some(Maintain), &[]).is_met_by(author("bob", None)), "who is at home may");
    assert!(!need(None, &["ada"]).is_met_by(author("bob", Some(Admin))));
    assert_eq!(either.words(), "somebody with `maintain` or `ada`");
}

#[test]
fn a_kind_without_hands_needs_nobody() {
    assert_eq!(kind("chores").need(), None);
    let hands = Hands { permission: Some(Permission::Admin), ..Hands::default() };
    assert_eq!(Kind { hands, ..kind("auth") }.need(), Some(need(Some(Permission::Admin), &[])));
}
