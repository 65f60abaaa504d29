//! Tests of what is kept beside a receipt.

use super::*;

#[test]
fn the_tokens_of_a_run_are_not_kept() {
    let token = "0123456789abcdef".repeat(4);
    let hash = "fedcba9876543210".repeat(4);
    let spec = serde_json::json!({
        "env": { "KEY": token, "HTTP_PROXY": format!("http://run:{hash}@gateway"), "N": "1" },
        "files": { "settings.json": format!("{{\"key\":\"{token}\"}}") },
        "work": { "stdin": "0".repeat(64) },
    });
    let kept = without_tokens(&spec.to_string());
    assert!(!kept.contains(&token) && !kept.contains(&hash), "{kept}");
    assert!(kept.contains(&"0".repeat(64)), "what is no token stays");
    assert_eq!(kept.matches("{token}").count(), 2);
    assert!(kept.contains("http://run:{hosts_token}@gateway"), "{kept}");
    assert_eq!(without_tokens("no json"), "no json");
}
