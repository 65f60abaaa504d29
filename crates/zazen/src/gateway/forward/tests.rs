//! Tests of what is checked and signed before a call goes out.

use super::*;

fn route(base: &str, key: Option<&str>) -> Route {
    let key = key.map(Secret::new);
    let (base_url, is_login) = (base.parse().unwrap(), false);
    Route { api: Api::Anthropic, base_url, key, is_login, models: Vec::new() }
}

fn signed(api: Api, key: &str) -> HeaderMap {
    signed_by(&Route { api, ..route("https://api.example", None) }, key)
}

fn signed_by(route: &Route, key: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-beta", HeaderValue::from_static("tools"));
    sign(&mut headers, route, &Secret::new(key)).unwrap();
    headers
}

#[test]
fn each_api_gets_its_key_where_it_wants_it() {
    let headers = signed(Api::Anthropic, "sk-ant-api03-x");
    assert_eq!(headers["x-api-key"], "sk-ant-api03-x");
    assert!(!headers.contains_key("authorization"));
    let headers = signed(Api::OpenAi, "sk-x");
    assert_eq!(headers["authorization"], "Bearer sk-x");
    let headers = signed(Api::Anthropic, "sk-ant-oat01-x");
    assert_eq!(headers["authorization"], "Bearer sk-ant-oat01-x");
    assert!(!headers.contains_key("x-api-key"));
    let betas: Vec<_> = headers.get_all("anthropic-beta").iter().collect();
    assert_eq!(betas, ["tools", LOGIN_BETA]);
    assert!(!format!("{headers:?}").contains("oat01"), "the key is marked as sensitive");
    let headers = signed(Api::Gemini, "AIza-x");
    assert_eq!(headers["x-goog-api-key"], "AIza-x");
    assert!(!headers.contains_key("authorization"));
    let login = Route { is_login: true, ..route("https://api.example", Some("x")) };
    check("a", &login).unwrap();
    assert_eq!(signed_by(&login, "opaque")["authorization"], "Bearer opaque");
    for wrong in [Route { api: Api::Gemini, ..login.clone() }, Route { key: None, ..login }] {
        check("a", &wrong).unwrap_err();
    }
}

#[test]
fn a_route_that_cannot_work_is_refused_without_showing_its_key() {
    check("anthropic", &route("https://api.example/v1", Some("sk-1"))).unwrap();
    for (name, base, key) in [
        ("a", "ftp://api.example", None),
        ("a", "https://me:CANARY@api.example", None),
        ("a", "https://api.example/?key=CANARY", None),
        ("a/b", "https://api.example", None),
        ("", "https://api.example", None),
        ("a", "https://api.example", Some("")),
        ("a", "https://api.example", Some("CANARY\n")),
    ] {
        let err = format!("{:#}", check(name, &route(base, key)).unwrap_err());
        assert!(!err.contains("CANARY"), "{err}");
    }
}
