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
    assert_eq!(format!("{auth:?}"), "Auth(…)");
}

#[test]
fn without_encryption_only_this_machine_is_reached() {
    "http://127.0.0.1:8080/ada/engine.git".parse::<Source>().unwrap();
    for text in ["http://localhost:80/a/b", "http://127.0.0.1.example.org/a", "http://10.0.0.1/a"] {
        let why = why(text);
        assert!(why.contains("`https://`"), "{text}: {why}");
    }
}

#[test]
fn a_secret_is_for_one_scheme_host_and_port() {
    let origin = |text: &str| text.parse::<Source>().unwrap().origin();
    let at = |protocol: &str, host: &str| {
        Some(Origin { protocol: protocol.to_owned(), host: host.to_owned() })
    };
    assert_eq!(origin("https://github.com/a/b.git"), at("https", "github.com"));
    assert_eq!(origin("https://git.example.org:8443/a"), at("https", "git.example.org:8443"));
    assert_eq!(origin("http://127.0.0.1:81/a"), at("http", "127.0.0.1:81"));
    for text in ["ssh://git@github.com/a", "git@github.com:a/b", "file:///srv/a", "/srv/a"] {
        assert_eq!(origin(text), None, "{text}");
    }
}

#[test]
fn what_would_be_two_lines_for_git_is_no_secret() {
    assert!(Auth::basic("x-access-token", "ghs_1_ey.J0").is_one_line());
    for (user, token) in [("x", ""), ("", "t"), ("x", "t\nhost=evil"), ("x\0", "t"), ("x", "t\r")] {
        assert!(!Auth::basic(user, token).is_one_line(), "{user:?} {token:?}");
    }
}
