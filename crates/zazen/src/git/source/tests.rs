//! What may be given to git as an address, and what may not.

use super::*;

fn why(text: &str) -> String {
    match text.parse::<Source>() {
        Ok(source) => panic!("`{text}` was taken as {source:?}"),
        Err(err) => err.to_string(),
    }
}

#[test]
fn ordinary_addresses_are_taken_as_they_are() {
    for text in [
        "https://github.com/ada/engine.git",
        "https://git.example.org:8443/ada/engine",
        "ssh://git@github.com/ada/engine.git",
        "ssh://git.example.org:2222/ada/engine.git",
        "git@github.com:ada/engine.git",
        "file:///srv/git/engine.git",
    ] {
        let source: Source = text.parse().unwrap();
        assert_eq!(source, Source::Url(RepoUrl(text.to_owned())));
        assert_eq!(source.to_string(), text);
    }
    let path: Source = "/srv/git/engine".parse().unwrap();
    assert_eq!(path, Source::Path("/srv/git/engine".into()));
}

#[test]
fn only_what_leaves_the_machine_is_remote() {
    let is_remote = |text: &str| text.parse::<Source>().unwrap().is_remote();
    assert!(is_remote("https://github.com/a/b"));
    assert!(is_remote("git@github.com:a/b"));
    assert!(!is_remote("file:///srv/a"));
    assert!(!is_remote("/srv/a"));
}

#[test]
fn helper_programs_and_other_protocols_are_refused() {
    for text in [
        "ext::sh -c touch% /tmp/x",
        "ext::sh",
        "fd::7",
        "https::https://x/y",
        "git://github.com/a/b",
        "http://github.com/a/b",
        "ftp://github.com/a/b",
        "javascript:alert(1)",
        "a/b",
        "../x",
        "~/x",
        "",
        "C:\\x",
    ] {
        why(text);
    }
}

#[test]
fn options_in_disguise_are_refused() {
    for text in [
        "-oProxyCommand=touch x",
        "--upload-pack=touch",
        "ssh://-oProxyCommand=x/y",
        "ssh://-x@host/y",
        "-x@host:path",
        "git@-oProxyCommand=x:path",
        "git@host:-x",
        "git@host:",
        "git@ho st:x",
        "git@host;touch:x",
        "git@[::1]:x",
    ] {
        why(text);
    }
}

#[test]
fn passwords_and_tokens_in_a_url_are_refused_and_not_repeated() {
    for text in ["https://ada:s3cret@github.com/a/b", "https://s3cret@github.com/a/b"] {
        let why = why(text);
        assert!(why.contains("configure a token"), "{why}");
        assert!(!why.contains("s3cret"), "{why}");
    }
}

#[test]
fn control_characters_are_refused() {
    for text in ["https://h/a\nb", "https://h/a\tb", "/srv/a\nb", "/srv/a\u{1b}b", "git@h:a\rb"] {
        why(text);
    }
}

#[test]
fn a_secret_is_not_printed() {
    let auth = Auth::basic("x-access-token", "s3cret");
    assert_eq!(auth.header(), "Authorization: Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0");
    assert_eq!(format!("{auth:?}"), "Auth(…)");
}
