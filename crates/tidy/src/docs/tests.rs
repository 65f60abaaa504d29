//! Planted mistakes in Markdown.

use super::*;

fn page(text: &str) -> File {
    File::new("docs/logging.md", text)
}

fn check_links_of(text: &str) -> Vec<String> {
    let page = page(text);
    let other =
        File::new("docs/glossary.md", "# Words\n\n## The `home`, and so on\n\n## Run\n\n## Run\n");
    let files = vec![page.clone(), other];
    let more = ["README.md", "docs/design/README.md", "docs/picture.svg"].map(str::to_owned);
    let paths = files.iter().map(|file| file.path.clone()).chain(more).collect();
    check_links(&page, &files, &paths).iter().map(ToString::to_string).collect()
}

#[test]
fn a_page_has_one_title() {
    assert_eq!(check_title(&page("# Logs\n\n## Levels\n")), []);
    assert_eq!(check_title(&page("# Logs\n\n```sh\n# not a title\n```\n")), []);
    assert_eq!(check_title(&page("## Levels\n")).len(), 1);
    assert_eq!(check_title(&page("# Logs\n\n# Levels\n"))[0].line, Some(3));
}

#[test]
fn only_the_documentation_is_judged() {
    assert!(is_page(&File::new("README.md", "")));
    assert!(is_page(&File::new("docs/design/0001-a.md", "")));
    assert!(!is_page(&File::new("crates/zazen/tests/fixtures/task.md", "")));
    assert!(!is_page(&File::new("docs/picture.svg", "")));
}

#[test]
fn a_dead_link_is_reported_with_the_line_and_the_reason() {
    assert_eq!(
        check_links_of("# Logs\n\nSee [the words](words.md).\n"),
        ["docs/logging.md:3: the link to `words.md` is dead: there is no `docs/words.md`; \
          point it at what is there, relative to this page, or take it out"]
    );
}

#[test]
fn dead_links_are_found_in_every_way_of_writing_them() {
    for text in [
        "[a](gone.md)",
        "[a](../gone.md \"with a title\")",
        "[a]: gone.md",
        "<img src=\"gone.png\">",
        "![a](design/gone/)",
        "[a](../../outside.md)",
        "[a](#no-heading)",
        "[a](glossary.md#no-heading)",
        "[a](glossary.md#run-2)",
    ] {
        assert_eq!(check_links_of(text).len(), 1, "{text}");
    }
}

#[test]
fn live_links_and_links_to_elsewhere_are_left_alone() {
    for text in [
        "[a](glossary.md)",
        "[a](./design/)",
        "[a](../README.md)",
        "[a](glossary.md#the-home-and-so-on)",
        "[a](glossary.md#run-1)",
        "# One heading\n[a](#one-heading)",
        "[a](picture.svg#part)",
        "[a](https://example.org/gone.md)",
        "[a](mailto:a@example.org)",
        "`[a](gone.md)`",
        "```\n[a](gone.md)\n```",
    ] {
        assert_eq!(check_links_of(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_design_note_that_the_index_leaves_out_is_reported() {
    let index = File::new(DESIGN_INDEX, "# Notes\n\n- [0001](0001-a.md): a.\n");
    let notes = ["docs/design/0001-a.md", "docs/design/0002-b.md"].map(|path| File::new(path, ""));
    let files: Vec<_> = notes.iter().cloned().chain([index]).collect();
    let found = check_design_index(&files);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "docs/design/0002-b.md");
    assert_eq!(check_design_index(&notes).len(), 2);
}

#[test]
fn a_test_that_a_page_names_and_nobody_wrote_is_reported() {
    let files = [File::new("crates/a/src/tests.rs", "fn this_one_is_here() {}\n")];
    let page =
        page("# A\n\n`this_one_is_here`, `this_one_is_not`, `no_test` and\n`nor this one`\n");
    let found = check_tests(&page, &files);
    assert_eq!(found.len(), 1, "{found:?}");
}
