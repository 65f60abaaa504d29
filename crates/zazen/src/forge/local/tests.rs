use std::fs;

use tempfile::TempDir;
use zazen_core::id::{CommentId, IssueNumber, PullNumber, RepoName};

use super::{BOT, Local, NewIssue};
use crate::forge::PullState;

const ONE: IssueNumber = IssueNumber(1);

struct Place {
    dir: TempDir,
    forge: Local,
    repo: RepoName,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let forge =
            Local::new(dir.path().join("forge"), dir.path().join("locks"), "ada".to_owned());
        Self { dir, forge, repo: "local/tally".parse().unwrap() }
    }

    fn with_issue() -> Self {
        let place = Self::new();
        assert_eq!(place.open("First"), ONE);
        place
    }

    fn open(&self, title: &str) -> IssueNumber {
        let new = NewIssue { title, body: "Please.", author: "ada", labels: &[] };
        self.forge.open_issue(&self.repo, &new).unwrap()
    }

    fn comment(&self, text: &str) -> CommentId {
        self.forge.comment(&self.repo, ONE, ("ada", text)).unwrap()
    }

    fn open_pull(&self, branch: &str) -> PullNumber {
        let new = crate::forge::NewPull {
            title: "Sum by month",
            body: "Refs #1",
            branch,
            base: "main",
            head: "0123456789012345678901234567890123456789",
            issue: ONE,
        };
        self.forge.open_pull(&self.repo, &new).unwrap()
    }

    /// The comments, as `(author, body)`.
    fn comments(&self) -> Vec<(String, String)> {
        let comments = self.forge.comments(&self.repo, ONE).unwrap();
        comments.into_iter().map(|comment| (comment.author, comment.body)).collect()
    }

    fn drop_comment(&self, name: &str, text: &str) {
        let dir = self.dir.path().join("forge/local/tally/issues/1/comments");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(name), text).unwrap();
    }

    fn adopt(&self) -> usize {
        self.forge.adopt(&self.repo, ONE, &|_| true).unwrap()
    }
}

fn says(author: &str, body: &str) -> (String, String) {
    (author.to_owned(), body.to_owned())
}

#[test]
fn issues_and_pull_requests_share_their_numbers() {
    let place = Place::with_issue();
    assert_eq!(place.open_pull("zazen/1-first"), PullNumber(2));
    assert_eq!(place.open("Third"), IssueNumber(3));
    assert_eq!(place.open_pull("zazen/2-third"), PullNumber(4));
    let issues = place.forge.issue_numbers(&place.repo).unwrap();
    assert_eq!(issues, [ONE, IssueNumber(3)]);
}

#[test]
fn many_who_write_at_once_each_get_a_number_of_their_own() {
    let place = Place::with_issue();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let place = &place;
            scope.spawn(move || {
                for m in 0..4 {
                    place.open(&format!("Issue {n}.{m}"));
                    place.comment(&format!("Comment {n}.{m}"));
                    place.open_pull(&format!("zazen/{n}-{m}"));
                }
            });
        }
    });
    let issues = place.forge.issue_numbers(&place.repo).unwrap();
    let pulls = place.forge.pulls(&place.repo).unwrap();
    let mut all: Vec<u64> = issues.iter().map(|n| n.0).collect();
    all.extend(pulls.iter().map(|pull| pull.number.0));
    all.sort_unstable();
    assert_eq!(all, (1..=65).collect::<Vec<_>>());
    assert_eq!(place.comments().len(), 32);
}

#[test]
fn what_zazen_shows_is_one_comment_that_is_edited() {
    let place = Place::with_issue();
    let show = |text| place.forge.show(&place.repo, ONE, ("1/plan", text)).unwrap();
    let first = show("A plan");
    place.comment("Hm.");
    assert_eq!(show("A plan"), first);
    assert_eq!(show("A better plan"), first);
    assert_eq!(place.comments(), [says(BOT, "A better plan"), says("ada", "Hm.")]);
    // Another key is another comment.
    place.forge.show(&place.repo, ONE, ("1/note/1", "Done.")).unwrap();
    assert_eq!(place.comments().len(), 3);
}

#[test]
fn a_persons_comment_is_never_taken_for_zazens() {
    let place = Place::with_issue();
    place.drop_comment("0001.md", "---\nauthor: ada\nkey: 1/plan\n---\n\nMine.\n");
    place.forge.show(&place.repo, ONE, ("1/plan", "A plan")).unwrap();
    assert_eq!(place.comments(), [says("ada", "Mine."), says(BOT, "A plan")]);
    let refused = place.forge.comment(&place.repo, ONE, (BOT, "I am zazen.")).unwrap_err();
    assert!(refused.to_string().contains("is the name that zazen signs with"));
}

#[test]
fn a_pull_request_is_opened_once_for_a_branch() {
    let place = Place::with_issue();
    let pull = place.open_pull("zazen/1-first");
    assert_eq!(place.open_pull("zazen/1-first"), pull);
    let path = place.forge.pull_path(&place.repo, pull);
    let page = fs::read_to_string(&path).unwrap();
    assert_eq!(place.forge.pull(&place.repo, pull).unwrap().state, PullState::Open);
    fs::write(&path, page.replace("state: open", "state: closed")).unwrap();
    assert_eq!(place.forge.pull(&place.repo, pull).unwrap().state, PullState::Closed);
    // What a person closed stays closed.
    assert_ne!(place.open_pull("zazen/1-first"), pull);
}

#[test]
fn files_that_people_drop_become_comments_in_the_order_of_their_names() {
    let place = Place::with_issue();
    place.comment("One.");
    place.drop_comment("b thought.md", "Three.");
    place.drop_comment("a thought.md", "Two.");
    place.drop_comment("7.md", "A number of one's own.");
    for name in [".b.md.swp", ".draft.md", "picture.png", "notes.md~"] {
        place.drop_comment(name, "no comment");
    }
    assert!(place.forge.has_stray(&place.repo, ONE));
    assert_eq!(place.adopt(), 3);
    assert_eq!(place.adopt(), 0);
    assert!(!place.forge.has_stray(&place.repo, ONE));
    let all = ["One.", "A number of one's own.", "Two.", "Three."].map(|text| says("ada", text));
    assert_eq!(place.comments(), all);
}

#[test]
fn a_file_that_is_being_written_is_left_alone() {
    let place = Place::with_issue();
    place.drop_comment("draft.md", "/pl");
    assert_eq!(place.forge.adopt(&place.repo, ONE, &|_| false).unwrap(), 0);
    assert_eq!(place.comments(), []);
    assert!(place.forge.has_stray(&place.repo, ONE));
}

#[test]
fn the_first_line_keeps_its_indent() {
    let place = Place::with_issue();
    place.comment("\n\n    /plan\n\n");
    assert_eq!(place.comments(), [says("ada", "    /plan")]);
}

#[test]
fn a_reaction_is_put_once_and_leaves_the_text_alone() {
    let place = Place::with_issue();
    let id = place.comment("/plan   \n\n  with care");
    for _ in 0..2 {
        place.forge.react(&place.repo, (ONE, id), "eyes").unwrap();
        place.forge.react(&place.repo, (ONE, CommentId::comment(0)), "eyes").unwrap();
    }
    let [comment] = place.forge.comments(&place.repo, ONE).unwrap().try_into().unwrap();
    assert_eq!(comment.reactions, ["eyes"]);
    assert_eq!(comment.body, "/plan   \n\n  with care");
}

#[test]
fn what_is_no_issue_is_refused() {
    let place = Place::with_issue();
    let long = "x".repeat(300_000);
    for (title, body) in [("", ""), ("a\nb", ""), (&long[..300], ""), ("good", &long)] {
        let new = NewIssue { title, body, author: "ada", labels: &[] };
        place.forge.open_issue(&place.repo, &new).unwrap_err();
    }
    place.forge.comment(&place.repo, ONE, ("ada", " \n ")).unwrap_err();
    place.forge.comment(&place.repo, IssueNumber(9), ("ada", "Hi.")).unwrap_err();
    assert_eq!(place.forge.issue_numbers(&place.repo).unwrap(), [ONE]);
}

#[test]
fn a_title_of_any_text_comes_back_as_it_was() {
    let place = Place::new();
    for title in ["a: b", "# no comment", "\"quoted\"", "[list]", "yes", "- dash", "ü ✓ 'x'", "{{"]
    {
        let number = place.open(title);
        assert_eq!(place.forge.issue(&place.repo, number).unwrap().title, title);
    }
}

#[test]
fn an_issue_written_by_hand_is_the_persons_and_has_a_title() {
    let place = Place::new();
    let dir = place.dir.path().join("forge/local/tally/issues/4");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("issue.md"), "# Sum by month\n\nPlease.\n").unwrap();
    let issue = place.forge.issue(&place.repo, IssueNumber(4)).unwrap();
    assert_eq!((issue.title.as_str(), issue.author.as_str()), ("Sum by month", "ada"));
    assert!(issue.open);
    assert_eq!(place.open("Next"), IssueNumber(5));
}
