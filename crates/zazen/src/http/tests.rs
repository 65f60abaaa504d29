use super::may_carry_secrets;

#[test]
fn a_secret_goes_encrypted_or_to_this_machine() {
    for (url, may) in [
        ("https://api.github.com", true),
        ("https://10.0.0.7/api/v3", true),
        ("http://127.0.0.1:8080", true),
        ("http://[::1]:8080", true),
        ("http://localhost:8080", false),
        ("http://api.github.com", false),
        ("http://10.0.0.7", false),
        ("ftp://127.0.0.1", false),
        ("file:///etc/passwd", false),
    ] {
        assert_eq!(may_carry_secrets(&url.parse().unwrap()), may, "{url}");
    }
}
