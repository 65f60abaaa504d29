//! Tests of what is written to `zazen.toml`.

use super::*;

fn home(config: &str) -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path()).unwrap();
    fs::write(home.config_page(), config).unwrap();
    (dir, home)
}

fn wanted(api: &str) -> setup::Wanted {
    let api = config::check_api(api).unwrap();
    let web = config::web_of(&api);
    setup::Wanted { api, web, name: "z".to_owned(), organization: None, hook: None }
}

#[test]
fn the_number_of_the_app_is_written_and_nothing_else_changes() {
    let (_dir, home) = home("version = 1 # mine\n\n[github]\npoll = \"60s\" # often\n");
    write_app(&home, &wanted(config::GITHUB_API), 7).unwrap();
    let text = fs::read_to_string(home.config_page()).unwrap();
    assert_eq!(text, "version = 1 # mine\n\n[github]\npoll = \"60s\" # often\napp_id = 7\n");
    write_app(&home, &wanted(config::GITHUB_API), 8).unwrap();
    assert!(fs::read_to_string(home.config_page()).unwrap().ends_with("\napp_id = 8\n"));
}

#[test]
fn a_table_is_made_where_there_is_none() {
    let (_dir, home) = home("version = 1\n");
    write_app(&home, &wanted("https://git.example.org/api/v3"), 7).unwrap();
    let text = fs::read_to_string(home.config_page()).unwrap();
    let says = "\n[github]\napp_id = 7\napi = \"https://git.example.org/api/v3\"\n";
    assert!(text.ends_with(says), "{text}");
}
