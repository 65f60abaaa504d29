//! Polling with a scripted source: what is handed out, when the cursor moves, and restarts.

use std::collections::VecDeque;
use std::path::Path;

use tempfile::TempDir;

use super::*;

const NOW: Time = Time(1_800_000_000_000);

/// A question that was asked.
type Asked = (Time, Option<String>);

/// Gives prepared answers, and then that nothing changed.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Result<Changed, Trouble>>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// The last delivery that failed, at each look; then the last of these for ever.
    failed: Arc<Mutex<VecDeque<Option<u64>>>>,
    n_listed: Arc<Mutex<usize>>,
}

impl Source for Script {
    async fn changed_items(
        &self,
        _repo: &RepoName,
        since: Time,
        etag: Option<&str>,
    ) -> Result<Changed, Trouble> {
        self.asked.lock().unwrap().push((since, etag.map(ToOwned::to_owned)));
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| Ok(Changed::default()))
    }

    async fn failed_delivery(&self) -> Result<Option<u64>, Trouble> {
        *self.n_listed.lock().unwrap() += 1;
        let mut failed = self.failed.lock().unwrap();
        let newest = if failed.len() > 1 { failed.pop_front() } else { failed.front().copied() };
        Ok(newest.flatten())
    }
}

impl Script {
    fn of(answers: impl IntoIterator<Item = Result<Changed, Trouble>>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        Self { answers, ..Self::default() }
    }

    fn n_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn repo() -> RepoName {
    "ada/tally".parse().unwrap()
}

fn changed(numbers: impl IntoIterator<Item = u64>) -> Changed {
    let item = |n| ChangedItem { number: IssueNumber(n), updated_at: Time(NOW.0 - 60_000) };
    Changed { items: numbers.into_iter().map(item).collect(), ..Changed::default() }
}

fn numbers(found: &Found) -> Vec<u64> {
    let number = |hint: &Hint| match hint {
        Hint::Item { number, .. } => Some(number.0),
        Hint::Checks { .. } | Hint::Branch { .. } | Hint::Installation => None,
    };
    found.hints.iter().map(|hint| number(hint).expect("polling finds items")).collect()
}

fn start(script: &Script, dir: &Path) -> (Polls, mpsc::Receiver<Found>) {
    Polls::start(script, &options(dir, Pace::Adaptive))
}

fn options(dir: &Path, pace: Pace) -> Options {
    let cursors = dir.to_owned();
    Options { cursors, repos: vec![repo()], pace, has_deliveries: false, now: || NOW }
}

/// Waits until it was asked this often. The clock stands still, so each is woken.
async fn asked(script: &Script, polls: &Polls, n: usize) {
    while script.n_asked() < n {
        polls.wake(&repo());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_changed_is_handed_out_once_it_is_dealt_with_and_again_if_not() {
    let dir = TempDir::new().unwrap();
    let script = Script::of([Ok(changed([3, 1])), Ok(changed([3, 1])), Ok(changed([3, 1]))]);
    let (polls, mut found) = start(&script, dir.path());
    let first = found.recv().await.unwrap();
    assert_eq!(numbers(&first), [1, 3]);
    drop(first.done);
    asked(&script, &polls, 2).await;
    let again = found.recv().await.unwrap();
    assert_eq!(numbers(&again), [1, 3]);
    again.done.send(()).unwrap();
    asked(&script, &polls, 5).await;
    assert!(found.try_recv().is_err());
    polls.close().await;
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was_and_a_crash_before_it_was_dealt_with_finds_it_again() {
    let dir = TempDir::new().unwrap();
    let script = Script::of([Ok(changed([1]))]);
    let (polls, mut found) = start(&script, dir.path());
    let _undone = found.recv().await.unwrap();
    asked(&script, &polls, 3).await;
    polls.close().await;

    let script = Script::of([Ok(changed([1]))]);
    let (polls, mut found) = start(&script, dir.path());
    let one = found.recv().await.unwrap();
    assert_eq!(numbers(&one), [1]);
    one.done.send(()).unwrap();
    asked(&script, &polls, 2).await;
    polls.close().await;

    let script = Script::of([Ok(changed([1, 2]))]);
    let (polls, mut found) = start(&script, dir.path());
    assert_eq!(numbers(&found.recv().await.unwrap()), [2]);
    let reached = NOW.0 - 60_000;
    let (since, _) = script.asked.lock().unwrap()[0].clone();
    assert!(since.0 < reached && since.0 > reached - 600_000, "{since:?}");
    polls.close().await;
}

#[tokio::test]
async fn what_cannot_be_dealt_with_yet_holds_up_nothing_else() {
    let dir = TempDir::new().unwrap();
    let script = Script::of([Ok(changed([1])), Ok(changed([1, 2])), Ok(changed([1, 2]))]);
    let (polls, mut found) = start(&script, dir.path());
    let _stuck = found.recv().await.unwrap();
    asked(&script, &polls, 2).await;
    let second = found.recv().await.unwrap();
    assert_eq!(numbers(&second), [2]);
    second.done.send(()).unwrap();
    asked(&script, &polls, 4).await;
    polls.close().await;
    // The cursor stays before what is stuck.
    let script = Script::of([Ok(changed([1, 2]))]);
    let (polls, mut found) = start(&script, dir.path());
    assert_eq!(numbers(&found.recv().await.unwrap()), [1, 2]);
    polls.close().await;
}

/// A page of items, each a second after the one before; there are more after it.
fn page(numbers: std::ops::Range<u64>) -> Changed {
    let item = |n| ChangedItem { number: IssueNumber(n), updated_at: at(n) };
    Changed { items: numbers.map(item).collect(), more: true, ..Changed::default() }
}

fn at(n: u64) -> Time {
    Time(NOW.0 - 600_000).plus_seconds(n)
}

#[tokio::test]
async fn each_page_is_asked_for_from_where_the_one_before_ended() {
    let dir = TempDir::new().unwrap();
    let last = Changed { more: false, ..page(199..250) };
    let script = Script::of([Ok(page(1..101)), Ok(page(100..200)), Ok(last)]);
    let (polls, mut found) = start(&script, dir.path());
    let found = found.recv().await.unwrap();
    assert_eq!(numbers(&found), (1..250).collect::<Vec<_>>());
    let asked = script.asked.lock().unwrap().clone();
    let from: Vec<Time> = asked[1..3].iter().map(|(since, _)| *since).collect();
    assert_eq!(from, [at(100), at(199)]);
    polls.close().await;
}

#[tokio::test]
async fn a_page_that_does_not_go_on_is_not_asked_for_again_and_again() {
    let dir = TempDir::new().unwrap();
    let same = || Changed { more: true, ..changed(1..=100) };
    let script = Script::of([Ok(same()), Ok(same())]);
    let (polls, mut found) = start(&script, dir.path());
    assert_eq!(numbers(&found.recv().await.unwrap()).len(), 100);
    let asked = script.asked.lock().unwrap().clone();
    assert_eq!(asked[2].0, asked[1].0.plus_seconds(1));
    polls.close().await;
}

#[tokio::test]
async fn trouble_is_waited_out_and_nothing_is_skipped() {
    let dir = TempDir::new().unwrap();
    let until = NOW.plus_seconds(900);
    let script = Script::of([
        Err(Trouble::Limited { until }),
        Err(Trouble::Failed("no answer".to_owned())),
        Ok(changed([5])),
    ]);
    let (polls, mut found) = start(&script, dir.path());
    while polls.due(&repo()) != Some(until) {
        tokio::task::yield_now().await;
    }
    asked(&script, &polls, 3).await;
    let (since, _) = script.asked.lock().unwrap()[2].clone();
    assert_eq!(since, script.asked.lock().unwrap()[0].0);
    assert_eq!(numbers(&found.recv().await.unwrap()), [5]);
    polls.close().await;
}

#[tokio::test]
async fn without_polling_it_is_asked_once_to_catch_up() {
    let dir = TempDir::new().unwrap();
    let script = Script::of([Err(Trouble::Failed("no answer".to_owned())), Ok(changed([5]))]);
    let (polls, mut found) = Polls::start(&script, &options(dir.path(), Pace::Off));
    until(|| script.n_asked() == 1).await;
    // There was no answer, so it is to be asked again.
    until(|| polls.due(&repo()).is_some_and(|due| due > NOW)).await;
    polls.wake(&repo());
    assert_eq!(numbers(&found.recv().await.unwrap()), [5]);
    until(|| polls.due(&repo()).is_none()).await;
    assert_eq!(script.n_asked(), 2);
    polls.close().await;
}

#[tokio::test]
async fn a_delivery_that_failed_has_every_repository_asked_about_once() {
    let dir = TempDir::new().unwrap();
    let script = Script::default();
    *script.failed.lock().unwrap() = [Some(2), Some(2), Some(7), Some(7)].into();
    let (polls, _found) = Polls::start(&script, &options(dir.path(), Pace::Off));
    until(|| polls.due(&repo()).is_none()).await;
    assert_eq!(script.n_asked(), 1);
    let repos = polls.repos.values().cloned().collect();
    let mut tasks = JoinSet::new();
    tasks.spawn(missed::watch(script.clone(), repos, (Duration::from_millis(1), || NOW)));
    until(|| script.n_asked() == 2).await;
    let listed = *script.n_listed.lock().unwrap();
    until(|| *script.n_listed.lock().unwrap() > listed + 3).await;
    assert_eq!(script.n_asked(), 2, "it is told once");
    polls.close().await;
}

/// Waits for something that comes by itself.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
