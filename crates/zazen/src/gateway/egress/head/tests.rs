use super::*;

const SOON: (Duration, Duration) = (Duration::from_secs(9), Duration::from_secs(9));

async fn read(mut bytes: &[u8]) -> First {
    First::read(&mut bytes, SOON).await
}

async fn wrong(text: &str) -> Denied {
    match read(text.as_bytes()).await {
        First::Wrong(denied) => denied,
        other @ (First::Model(_) | First::Host(..) | First::Gone) => {
            panic!("{text:?} is {other:?}")
        }
    }
}

#[tokio::test]
async fn what_is_meant_for_a_model_is_handed_on_as_it_came() {
    for text in [
        "POST /anthropic/v1/messages HTTP/1.1\r\nhost: gateway\r\n\r\n{}",
        "OPTIONS * HTTP/1.1\r\n\r\n",
        "GET /healthz HTTP/1.1\n\n",
        "nonsense\r\n",
        "\r\nCONNECT a.org:443 HTTP/1.1\r\n\r\n",
        "a-method-that-is-longer-than-any",
    ] {
        let First::Model(begun) = read(text.as_bytes()).await else { panic!("{text:?}") };
        assert_eq!(begun, text.as_bytes());
    }
}

#[tokio::test]
async fn a_request_to_a_host_is_read_to_the_end_of_its_head() {
    let text = "CONNECT a.org:443 HTTP/1.1\r\nHost: a.org:443\r\nX-A:\t b \r\n\r\nearly";
    let First::Host(head, early) = read(text.as_bytes()).await else { panic!() };
    assert_eq!((head.method.as_str(), head.target.as_str()), ("CONNECT", "a.org:443"));
    assert_eq!((head.only("host"), head.only("x-a")), (Ok(Some("a.org:443")), Ok(Some("b"))));
    assert_eq!((head.only("y"), &early[..]), (Ok(None), &b"early"[..]));
    let First::Host(head, _) = read(b"GET http://a.org/ HTTP/1.0\r\n\r\n").await else { panic!() };
    assert!(head.is_http_1_0);
}

#[tokio::test]
async fn a_head_that_could_be_read_in_two_ways_is_refused() {
    for (line, more, why) in [
        ("CONNECT a.org:443 HTTP/1.1", "a: b\n", "without a carriage return"),
        ("CONNECT a.org:443 HTTP/1.1", "a: b\r\n\n", "without a carriage return"),
        ("CONNECT a.org:443 HTTP/1.1", "a: b\rc: d\r\n", "a carriage return stands alone"),
        ("CONNECT a.org:443 HTTP/1.1", "a: b\r\n c\r\n", "folded"),
        ("CONNECT a.org:443 HTTP/1.1", " a: b\r\n", "folded"),
        ("CONNECT a.org:443 HTTP/1.1", "a : b\r\n", "the name of a header is none"),
        ("CONNECT a.org:443 HTTP/1.1", ": b\r\n", "the name of a header is none"),
        ("CONNECT a.org:443 HTTP/1.1", "ab\r\n", "no colon"),
        ("CONNECT a.org:443 HTTP/1.1", "a: \0\r\n", "not plain ASCII"),
        ("CONNECT a.org:443 HTTP/1.1", "a: \u{fc}\r\n", "not plain ASCII"),
        ("CONNECT  a.org:443 HTTP/1.1", "", "three parts"),
        ("CONNECT a.org:443", "", "three parts"),
        ("CONNECT a.org:443 HTTP/1.1 ", "", "three parts"),
        ("CONNECT a.org:443 HTTP/2.0", "", "its version"),
        ("CONNECT a.org:443 http/1.1", "", "its version"),
        ("get http://a.org/ HTTP/1.1", "", "its method"),
        ("GET http://a.org/ HTTP/1.1", "content-length: 5\r\n", "it has a body"),
        ("GET http://a.org/ HTTP/1.1", "content-length: 0\r\nContent-Length: 0\r\n", "twice"),
        ("GET http://a.org/ HTTP/1.1", "content-length: 0\r\ncontent-length: 5\r\n", "twice"),
        (
            "GET http://a.org/ HTTP/1.1",
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            "it has a body",
        ),
        ("GET http://a.org/ HTTP/1.1", "Transfer-Encoding: identity\r\n", "it has a body"),
        ("GET http://a.org/ HTTP/1.1", "content-length: +0\r\n", "it has a body"),
    ] {
        let denied = wrong(&format!("{line}\r\n{more}\r\n")).await;
        assert!(denied.to_string().contains(why), "{line:?} {more:?}: {denied}");
        assert_eq!(denied.status(), 400);
    }
}

#[tokio::test]
async fn a_head_without_an_end_takes_no_more_memory() {
    let line = format!("GET http://a.org/{} HTTP/1.1\r\n\r\n", "a".repeat(17 << 10));
    assert_eq!(wrong(&line).await, Denied::TooLarge);
    let line = format!("CONNECT {}", "a".repeat(17 << 10));
    assert_eq!(wrong(&line).await, Denied::TooLarge);
    let headers = "a: b\r\n".repeat(65);
    let line = format!("CONNECT a.org:443 HTTP/1.1\r\n{headers}\r\n");
    assert_eq!(wrong(&line).await, Denied::TooLarge);
}
