//! What a daemon with nothing to do takes, and how it starts, with many tasks.
//!
//! Homes are filled by `grown`. A daemon counts as settled once it has used next
//! to no processor for a while and no git is at work for it; then its memory and
//! its processor time are taken.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::grown::{Grown, grow};
use crate::place::{Place, millis};
use crate::process;
use crate::report::{Row, Samples, mb};

/// The names of the two measurements.
pub(crate) const NAME: &str = "idle";
pub(crate) const MANY: &str = "many";

/// How long an idle daemon is looked at.
const WINDOW: Duration = Duration::from_secs(30);

/// A daemon is settled once it has used less than this share of a core for this long.
const SETTLED_SHARE: f64 = 0.005;
const SETTLED_SPAN: Duration = Duration::from_secs(2);

/// How long it may take to settle: at its first start it writes every page that is not there.
const SETTLE_MAX: Duration = Duration::from_secs(1800);

/// The homes. Pages take long to write, so the largest has them for its newest tasks only.
const N_TASKS: u32 = 10_000;
const N_TASKS_MANY: u32 = 100_000;
const N_PAGES_MANY: u32 = 1_000;

/// How many requests are timed.
const N_REQUESTS: u32 = 20;

/// The design's limits.
const RSS_KB_MAX: u64 = 25 << 10;
const CPU_PERCENT_MAX: f64 = 0.1;
const RSS_MANY_KB_MAX: u64 = 60 << 10;
const SNAPSHOT_START_MAX: f64 = 3.0;
const REPLAY_MAX: f64 = 6.0;
const REQUEST_MS_MAX: f64 = 50.0;

/// A model that nobody asks.
const NOBODY: &str = "http://127.0.0.1:9";

/// What a settled daemon takes.
struct Taken {
    rss_kb: u64,
    anonymous_kb: u64,
    peak_kb: u64,
    cpu_percent: f64,
    settled_after: Duration,
}

pub(crate) fn run(zazen: &Path) -> anyhow::Result<Vec<Row>> {
    let mut empty = Place::new(zazen, "bwrap", NOBODY)?;
    let mut filled = Place::new(zazen, "bwrap", NOBODY)?;
    let grown = grow(&filled.home(), N_TASKS, N_TASKS)?;
    empty.up()?;
    filled.up()?;
    settle(empty.pid())?;
    settle(filled.pid())?;
    let replayed_kb = process::rss_kb(filled.pid());
    // As daemons mostly are: started from the snapshot that the last one left.
    for place in [&mut empty, &mut filled] {
        place.down()?;
        place.up()?;
    }
    let settled = (settle(empty.pid())?, settle(filled.pid())?);
    let before = (process::own_cpu(empty.pid()), process::own_cpu(filled.pid()));
    sleep(WINDOW);
    let mut rows = idle_rows("an empty home", &taken(empty.pid(), before.0, settled.0));
    rows.extend(idle_rows(&words(grown), &taken(filled.pid(), before.1, settled.1)));
    let how = "its first start: without a snapshot, and with every page to be made sure of";
    rows.push(Row::new(NAME, "memory of it after reading every record", mb(replayed_kb)).how(how));
    empty.down()?;
    filled.down()?;
    Ok(rows)
}

fn words(grown: Grown) -> String {
    let Grown { n_tasks, n_records, n_pages } = grown;
    let pages = if n_pages == n_tasks {
        "all with their pages".to_owned()
    } else {
        format!("the newest {n_pages} with their pages")
    };
    format!("{n_tasks} drafted tasks ({n_records} records), {pages}")
}

fn settle(pid: u32) -> anyhow::Result<Duration> {
    let began = Instant::now();
    while began.elapsed() < SETTLE_MAX {
        let (at, before) = (Instant::now(), process::cpu(pid));
        sleep(SETTLED_SPAN);
        let used = process::cpu(pid).saturating_sub(before);
        // A git that waits for the disk uses no processor, and is counted once it has ended.
        let is_alone = process::tree(pid).len() == 1;
        if is_alone && used.as_secs_f64() / at.elapsed().as_secs_f64() <= SETTLED_SHARE {
            return Ok(began.elapsed().saturating_sub(SETTLED_SPAN));
        }
    }
    bail!("the daemon did not settle in {SETTLE_MAX:?}")
}

fn taken(pid: u32, before: Duration, settled_after: Duration) -> Taken {
    let used = process::own_cpu(pid).saturating_sub(before);
    Taken {
        rss_kb: process::rss_kb(pid),
        anonymous_kb: process::anonymous_kb(pid),
        peak_kb: process::rss_peak_kb(pid),
        cpu_percent: 100.0 * used.as_secs_f64() / WINDOW.as_secs_f64(),
        settled_after,
    }
}

fn idle_rows(what: &str, taken: &Taken) -> Vec<Row> {
    let Taken { rss_kb, anonymous_kb, peak_kb, cpu_percent, settled_after } = taken;
    let memory = format!(
        "of it {} heap and stacks, the rest the program's own file; {} at its highest",
        mb(*anonymous_kb),
        mb(*peak_kb)
    );
    vec![
        Row::new(NAME, format!("memory, {what}"), mb(*rss_kb))
            .limit("≤ 25 MB RSS", *rss_kb <= RSS_KB_MAX)
            .how(memory),
        Row::new(NAME, format!("processor, {what}"), format!("{cpu_percent:.3} % of a core"))
            .limit("< 0.1 %", *cpu_percent < CPU_PERCENT_MAX)
            .how(format!(
                "over {} s, settled {:.0} s after it was ready",
                WINDOW.as_secs(),
                settled_after.as_secs_f64()
            )),
    ]
}

/// Starting with very many tasks, from all records and from a snapshot, and being asked.
pub(crate) fn many(zazen: &Path) -> anyhow::Result<Vec<Row>> {
    let mut place = Place::new(zazen, "bwrap", NOBODY)?;
    let grown = grow(&place.home(), N_TASKS_MANY, N_PAGES_MANY)?;
    let replay = place.up()?.as_secs_f64();
    let replayed_kb = process::rss_kb(place.pid());
    // It makes sure of every page first, and writes those that are not there.
    let sure = settle(place.pid())?;
    place.down()?;
    let snapshot_mb = fs::metadata(place.home().snapshot_file())?.len() >> 20;
    let start = place.up()?.as_secs_f64();
    let settled = settle(place.pid())?;
    let taken = taken(place.pid(), process::own_cpu(place.pid()), settled);
    let request = requests(&place)?;
    place.down()?;
    #[expect(clippy::cast_precision_loss, reason = "a count of millions")]
    let per_million = replay * 1e6 / grown.n_records as f64;
    let home = words(grown);
    Ok(vec![
        Row::new(MANY, format!("start, {home}"), format!("{start:.2} s"))
            .limit("< 3 s", start < SNAPSHOT_START_MAX)
            .how(format!("`zazen up` to ready, from a snapshot of {snapshot_mb} MB")),
        Row::new(
            MANY,
            "start without a snapshot",
            format!("{replay:.2} s = {per_million:.2} s per million records"),
        )
        .limit("< 6 s for a million", per_million < REPLAY_MAX)
        .how(format!(
            "every record read and checked; {} then; every page made sure of {:.0} s later",
            mb(replayed_kb),
            sure.as_secs_f64()
        )),
        Row::new(MANY, "memory of it", mb(taken.rss_kb))
            .limit("≤ 60 MB RSS", taken.rss_kb <= RSS_MANY_KB_MAX)
            .how(format!(
                "from the snapshot, settled after {:.0} s; of it {} heap and stacks; {} at its \
                 highest",
                settled.as_secs_f64(),
                mb(taken.anonymous_kb),
                mb(taken.peak_kb)
            )),
        Row::new(
            MANY,
            "a command until its effect",
            format!("p50 {:.0} ms, max {:.0} ms", request.p50(), request.at(1.0)),
        )
        .limit("< 50 ms", request.p50() < REQUEST_MS_MAX)
        .how(format!("{N_REQUESTS} times `/status` written → the reply's file is there")),
    ])
}

/// Asks for the status on old issues. Says how long each reply took, in milliseconds.
fn requests(place: &Place) -> anyhow::Result<Samples> {
    let mut times = Vec::new();
    for n in 0..N_REQUESTS {
        let issue = N_TASKS_MANY - n;
        let at = place.comment(u64::from(issue), "/status")?;
        let reply = place
            .root()
            .join(format!("forge/{}/issues/{issue}/comments/0006.md", crate::place::REPO));
        let written = place
            .wait("the reply", || Ok(reply.metadata().and_then(|found| found.modified()).ok()))?;
        times.push(millis(written) - millis(at));
        sleep(Duration::from_millis(200));
    }
    Ok(Samples::new(times))
}
