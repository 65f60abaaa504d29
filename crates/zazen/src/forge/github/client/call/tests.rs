//! Tests of addresses.

use super::*;

fn repo() -> RepoName {
    "ada/tally".parse().unwrap()
}

fn url(call: &Call, api: &str) -> Result<String> {
    call.url(&api.parse().unwrap()).map(String::from)
}

#[test]
fn an_address_is_below_the_api_wherever_that_is() {
    let call = Call::look(&repo(), Grant::Look).at(&["issues"]).n(3).query("state", "all");
    for (api, begins) in [
        ("https://api.github.com", "https://api.github.com/repos"),
        ("https://git.example.org/api/v3", "https://git.example.org/api/v3/repos"),
        ("https://git.example.org/api/v3/", "https://git.example.org/api/v3/repos"),
    ] {
        assert_eq!(url(&call, api).unwrap(), format!("{begins}/ada/tally/issues/3?state=all"));
    }
}

#[test]
fn no_name_from_outside_reaches_another_address() {
    let with = |label: &str| {
        let call = Call::act(Method::DELETE, &repo(), Grant::Talk);
        url(&call.at(&["issues", "3", "labels", label]), "https://api.github.com")
    };
    let below = "https://api.github.com/repos/ada/tally/issues/3/labels/";
    for (label, ends) in [
        ("a/b", "a%2Fb"),
        ("?x=1#y", "%3Fx=1%23y"),
        ("%2e%2e", "%252e%252e"),
        ("zazen:plan", "zazen:plan"),
        ("ä b", "%C3%A4%20b"),
    ] {
        assert_eq!(with(label).unwrap(), format!("{below}{ends}"));
    }
    // Each of these would have been the address of all labels.
    for label in ["", ".", ".."] {
        assert!(matches!(with(label), Err(CallError::Invalid { .. })), "{label}");
    }
}

#[test]
fn the_code_of_a_new_app_is_in_no_message() {
    assert_eq!(Call::conversion("c0de").path(), "app-manifests/…/conversions");
}
