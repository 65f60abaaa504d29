use std::io::Cursor;

use expect_test::{Expect, expect};

use super::{Sent, let_back, let_on, read_line};

fn only() -> std::collections::BTreeSet<String> {
    ["search".to_owned()].into()
}

/// What becomes of a message of the client.
fn check(line: &str, expected: &Expect) {
    let said = match let_on(&only(), line.to_owned()) {
        Sent::On(line) => format!("on: {line}"),
        Sent::Back(answer) => format!("back: {answer}"),
    };
    expected.assert_eq(&said);
}

#[test]
fn a_call_of_a_tool_that_is_not_on_the_list_is_answered_and_goes_nowhere() {
    check(
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search"}}"#,
        &expect![[
            r#"on: {"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search"}}"#
        ]],
    );
    check(
        r#"{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"delete"}}"#,
        &expect![[
            r#"back: {"jsonrpc":"2.0","id":8,"error":{"code":-32602,"message":"the tool `delete` is not among those that agents may use here"}}"#
        ]],
    );
    check(
        r#"{"jsonrpc":"2.0","id":9,"method":"tools/call"}"#,
        &expect![[
            r#"back: {"jsonrpc":"2.0","id":9,"error":{"code":-32602,"message":"the tool `` is not among those that agents may use here"}}"#
        ]],
    );
    check(
        r#"[{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"delete"}}]"#,
        &expect![[
            r#"back: {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batches are not taken"}}"#
        ]],
    );
    check(
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        &expect![[r#"on: {"jsonrpc":"2.0","method":"notifications/initialized"}"#]],
    );
}

#[test]
fn the_list_of_tools_is_cut() {
    let line = r#"{"id":1,"result":{"tools":[{"name":"search"},{"name":"delete"},{}]}}"#;
    expect![[r#"
        {"id":1,"result":{"tools":[{"name":"search"}]}}
    "#]]
    .assert_eq(&let_back(&only(), line.to_owned()));
    for other in [r#"{"id":1,"result":{"content":[]}}"#, "no JSON", "[1]", "\n"] {
        assert_eq!(let_back(&only(), other.to_owned()), other);
    }
}

#[test]
fn messages_are_read_one_a_line_to_the_end() {
    let mut reader = Cursor::new(b"one\ntwo".to_vec());
    assert_eq!(read_line(&mut reader).unwrap().as_deref(), Some("one\n"));
    assert_eq!(read_line(&mut reader).unwrap().as_deref(), Some("two"));
    assert_eq!(read_line(&mut reader).unwrap(), None);
    assert!(read_line(&mut Cursor::new(vec![0xff, b'\n'])).is_err());
    let endless = std::io::repeat(b'x');
    assert!(read_line(&mut std::io::BufReader::new(endless)).is_err());
}
