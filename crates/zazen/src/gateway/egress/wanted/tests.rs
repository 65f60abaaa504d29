use super::*;

fn check(method: &str, target: &str, host: Option<&str>) -> Result<Wanted, Denied> {
    let headers = host.map(|host| ("host".to_owned(), host.to_owned()));
    Wanted::check(&Head {
        method: method.to_owned(),
        target: target.to_owned(),
        is_http_1_0: false,
        headers: headers.into_iter().collect(),
    })
}

#[test]
fn the_way_the_host_and_the_path_are_read_off_a_request() {
    for (method, target, host, way, authority, path) in [
        ("CONNECT", "a.org:443", Some("a.org:443"), Way::Tunnel, "a.org:443", ""),
        ("CONNECT", "a.org:8443", Some("a.org"), Way::Tunnel, "a.org:8443", ""),
        ("CONNECT", "a.org:443", None, Way::Tunnel, "a.org:443", ""),
        ("GET", "http://a.org/x?y=1", Some("a.org"), Way::Plain, "a.org:80", "/x?y=1"),
        ("GET", "HTTP://A.org", Some("a.ORG:80"), Way::Plain, "a.org:80", "/"),
        ("HEAD", "http://a.org:81?y", Some("a.org:81"), Way::Plain, "a.org:81", "/?y"),
    ] {
        let wanted = check(method, target, host).unwrap();
        assert_eq!((wanted.way, wanted.authority.to_string().as_str()), (way, authority));
        assert_eq!((wanted.path.as_str(), wanted.is_head), (path, method == "HEAD"));
    }
}

#[test]
fn two_hosts_in_one_request_and_all_that_is_not_fetching_are_refused() {
    for (method, target, host, rule) in [
        ("CONNECT", "evil.test:443", Some("a.org:443"), "authority"),
        ("CONNECT", "a.org:443", Some("a.org:80"), "authority"),
        ("CONNECT", "a.org:443", Some("a.org@evil.test"), "authority"),
        ("CONNECT", "a.org", None, "authority"),
        ("CONNECT", "http://a.org:443", None, "authority"),
        ("CONNECT", "a.org:443/x", None, "authority"),
        ("GET", "http://evil.test/", Some("a.org"), "authority"),
        ("GET", "http://a.org@evil.test/", Some("evil.test"), "authority"),
        ("GET", "http://a.org\\@evil.test/", Some("a.org"), "authority"),
        ("GET", "http://a.org:80:81/", Some("a.org"), "authority"),
        ("GET", "http:///x", Some("a.org"), "authority"),
        ("GET", "http://a.org/", None, "http"),
        ("GET", "http://a.org/#x", Some("a.org"), "http"),
        ("GET", "https://a.org/", Some("a.org"), "plain-http"),
        ("GET", "ftp://a.org/xyz", Some("a.org"), "plain-http"),
        ("GET", "a.org:80", Some("a.org"), "plain-http"),
        ("GET", "a.org", Some("a.org"), "http"),
        ("POST", "http://a.org/", Some("a.org"), "plain-http"),
        ("PUT", "http://a.org/", Some("a.org"), "plain-http"),
        ("OPTIONS", "http://a.org/", Some("a.org"), "plain-http"),
    ] {
        let denied = check(method, target, host).unwrap_err();
        assert_eq!(denied.rule(), rule, "{method} {target}: {denied}");
        assert!((400..=405).contains(&denied.status()), "{denied}");
    }
}

#[test]
fn the_token_is_found_where_clients_put_it() {
    let found = |header: &str| credential(header).map(|text| String::from_utf8(text).unwrap());
    assert_eq!(found("Basic cnVuOmFiYw==").as_deref(), Some("abc"));
    assert_eq!(found("basic OmE6Yg==").as_deref(), Some("a:b"));
    assert_eq!(found("Bearer abc").as_deref(), Some("abc"));
    for header in ["", "abc", "Basic", "Basic !", "Basic YWJj", "Digest abc"] {
        assert_eq!(found(header), None, "{header}");
    }
}
