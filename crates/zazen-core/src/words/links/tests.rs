use super::*;
use crate::text::neutral;

fn check(text: &str, expected: &str) {
    let files = ["src/sum.rs", "README.md", "a b (c).md"].map(str::to_owned).into();
    let links = Links { at: "https://forge/ada/tally/blob/0123/", files: &files };
    assert_eq!(linked(text, links), expected);
}

#[test]
fn a_place_in_a_file_is_a_link() {
    check(
        "It is in `src/sum.rs:12`, and in `README.md`.\n",
        "It is in [`src/sum.rs:12`](https://forge/ada/tally/blob/0123/src/sum.rs#L12), and in \
         [`README.md`](https://forge/ada/tally/blob/0123/README.md).\n",
    );
    check(
        "`src/sum.rs:12-14`",
        "[`src/sum.rs:12-14`](https://forge/ada/tally/blob/0123/src/sum.rs#L12-L14)",
    );
    check(
        "`a b (c).md:1`",
        "[`a b (c).md:1`](https://forge/ada/tally/blob/0123/a%20b%20%28c%29.md#L1)",
    );
}

#[test]
fn everything_else_stays_as_it_is() {
    for text in [
        "`src/other.rs:12`, `src/sum.rs:x`, `sum`, a ` alone",
        "``src/sum.rs``",
        "[`src/sum.rs`](https://elsewhere/)",
        "```\n`src/sum.rs:1`\n```\n",
        "~~~ text\n`src/sum.rs:1`\n~~~\n",
        "src/sum.rs:12",
    ] {
        check(text, text);
    }
}

#[test]
fn links_have_an_end() {
    let text = "`README.md` ".repeat(N_LINKS_MAX + 5);
    let files = ["README.md".to_owned()].into();
    let links = Links { at: "https://forge/", files: &files };
    assert_eq!(linked(&text, links).matches("https://forge/").count(), N_LINKS_MAX);
}

#[test]
fn a_link_survives_what_makes_texts_harmless() {
    let files = ["src/sum.rs".to_owned()].into();
    let links = Links { at: "https://forge/ada/tally/blob/0123/", files: &files };
    let text = linked("See `src/sum.rs:12`.", links);
    assert_eq!(neutral(&text), text);
}
