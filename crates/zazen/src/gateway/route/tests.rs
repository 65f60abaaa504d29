//! Tests of paths and addresses.

use super::*;

fn url(base: &str, endpoint: Endpoint) -> String {
    let route = Route {
        api: endpoint.api().unwrap_or(Api::OpenAi),
        base_url: base.parse().unwrap(),
        key: None,
        is_login: false,
        models: Vec::new(),
    };
    route.url((endpoint, "gemini-2.5-pro"), None).to_string()
}

#[test]
fn a_version_in_the_base_is_not_doubled() {
    for (base, expected) in [
        ("https://api.example", "https://api.example/v1/chat/completions"),
        ("https://api.example/", "https://api.example/v1/chat/completions"),
        ("https://api.example/v1", "https://api.example/v1/chat/completions"),
        ("https://api.example/v1/", "https://api.example/v1/chat/completions"),
        ("https://api.example/api/v4#x", "https://api.example/api/v4/chat/completions"),
        ("https://api.example/proxy", "https://api.example/proxy/v1/chat/completions"),
        ("https://api.example/vox", "https://api.example/vox/v1/chat/completions"),
    ] {
        assert_eq!(url(base, Endpoint::ChatCompletions), expected);
    }
}

#[test]
fn only_the_listed_paths_are_calls() {
    let of = |api, method: &Method, path| Endpoint::of(api, method, path);
    assert_eq!(of(Api::Anthropic, &Method::POST, "v1/messages"), Some(Endpoint::Messages));
    assert_eq!(of(Api::OpenAi, &Method::GET, "v1/models"), Some(Endpoint::Models));
    for path in [
        "",
        "v1/messages/",
        "v1//messages",
        "v1/messages/batches",
        "v1/../v1/messages",
        "v1/%6dessages",
        "V1/messages",
        "v1/files",
        "v1/responses",
    ] {
        assert_eq!(of(Api::Anthropic, &Method::POST, path), None, "`{path}`");
    }
    assert_eq!(of(Api::Anthropic, &Method::GET, "v1/messages"), None);
    assert_eq!(of(Api::OpenAi, &Method::DELETE, "v1/models"), None);
}

#[test]
fn a_recorded_path_is_found_with_or_without_its_route() {
    assert_eq!(Endpoint::of_path("v1/messages"), Some(Endpoint::Messages));
    assert_eq!(Endpoint::of_path("/anthropic/v1/messages"), Some(Endpoint::Messages));
    assert_eq!(Endpoint::of_path("messages"), None);
}

#[test]
fn a_query_goes_out_without_what_is_not_known() {
    assert_eq!(check_query("beta=true"), Some("beta=true".to_owned()));
    assert_eq!(check_query("key=theirs&limit=5&access_token=x"), Some("limit=5".to_owned()));
    assert_eq!(check_query("key=theirs"), None);
}

#[test]
fn the_model_in_a_path_of_gemini_is_a_plain_name() {
    let of = |method: &Method, path| Endpoint::of(Api::Gemini, method, path);
    for (path, expected) in [
        ("v1beta/models/gemini-2.5-pro:generateContent", Endpoint::Generate),
        ("v1beta/models/gemini-2.5-pro:streamGenerateContent", Endpoint::StreamGenerate),
        ("v1/models/gemini_3:countTokens", Endpoint::CountGeminiTokens),
    ] {
        assert_eq!(of(&Method::POST, path), Some(expected));
        assert_eq!(of(&Method::GET, path), None);
        assert_eq!(Endpoint::of_path(&format!("/google/{path}")), Some(expected));
    }
    let long = format!("v1beta/models/{}:generateContent", "g".repeat(MODEL_BYTES_MAX + 1));
    for path in [
        "v1beta/models/:generateContent",
        "v1beta/models/a/b:generateContent",
        "v1beta/models/../files:generateContent",
        "v1beta/models/a%2fb:generateContent",
        "v1beta/models/a b:generateContent",
        "v1beta/models/a:b:generateContent",
        "v1beta/models/a:generateContent/",
        "v1beta/models/a:embedContent",
        "v1beta/tunedModels/a:generateContent",
        "v1beta/models",
        "v1beta/files",
        &long,
    ] {
        assert_eq!(of(&Method::POST, path), None, "`{path}`");
    }
    for base in ["https://g.example", "https://g.example/v1beta", "https://g.example/v1beta/"] {
        let expected = "https://g.example/v1beta/models/gemini-2.5-pro:streamGenerateContent";
        assert_eq!(url(base, Endpoint::StreamGenerate), expected);
    }
}
