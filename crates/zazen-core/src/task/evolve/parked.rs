//! How a task is parked, how another agent takes over, and how the task goes on.
//!
//! Whatever happens meanwhile happens to what the task goes on with. Where that is then
//! something else, there is nothing to wait for any more.

use std::mem::discriminant;

use super::{
    IllegalEvent, Note, Outcome, Passed, Run, State, Task, Trouble, attempt_of, give_up, illegal,
    is_fresh, waiting,
};
use crate::id::Time;
use crate::task::parked::{PASSED_MAX, WAITS_MAX};
use crate::task::{Event, Hold, Kind, Pause, TakenOver, Waits, Why};

/// The run came to nothing, and may do better later, or with another agent.
pub(super) fn hold(task: &mut Task, run: &Run, (hold, trouble): (Hold, Trouble)) {
    let at = task.changed;
    let hold = Hold { resumes: hold.resumes && !task.by_hand, ..hold };
    let Some(waits) = waits_of(task) else { return };
    if !hold.fails_over || run.agent().is_none() {
        let pause = hold.pause(&waits, at);
        if hold.is_too_long(&waits, &pause) {
            return no_longer(task, trouble, &waited(&waits, &pause));
        }
        return park(task, (waits.next(), pause), Vec::new());
    }
    if waits.n >= WAITS_MAX {
        let because = format!("waits since {}: {}", waits.since.utc(), waits.n);
        return no_longer(task, trouble, &because);
    }
    again(task, waits.next());
}

/// Nobody may begin the next run. Says nothing where that is not the question any more.
pub(super) fn put_off(task: &mut Task, hold: Hold, passed: Vec<Passed>) {
    let wants_an_agent = matches!(
        task.state,
        State::Received(_)
            | State::Planning(_)
            | State::Queued(_)
            | State::Implementing(_)
            | State::Reviewing(_)
            | State::Correcting(_)
    );
    if !wants_an_agent || task.run.is_some() {
        return;
    }
    let hold = Hold { resumes: hold.resumes && !task.by_hand, ..hold };
    let Some(waits) = waits_of(task) else { return };
    let trouble = Trouble::new(hold.why.trouble(), evidence(&passed));
    if hold.why == Why::Login {
        say(&mut task.notes, None, (Vec::new(), None));
        task.state = give_up(task.state.clone(), trouble, &mut task.notes);
        return;
    }
    // What was said before the last run counts for its agent alone.
    let pause = hold.pause(&Waits { n: waits.n_put_off, ..waits }, task.changed);
    // Where somebody says when it is over, it may take as long as the owner lets it.
    let known = hold.free.map_or(pause.known, |free| free.known);
    if hold.is_too_long(&waits, &Pause { known, ..pause }) {
        return no_longer(task, trouble, &waited(&waits, &pause));
    }
    let n_put_off = waits.n_put_off.saturating_add(1);
    park(task, (Waits { n_put_off, ..waits.next() }, pause), passed);
}

/// Who may not act, and why, for the evidence.
fn evidence(passed: &[Passed]) -> String {
    let line = |Passed { agent, why, until, .. }: &Passed| {
        let until = until.map(|until| format!(" until {}", until.utc())).unwrap_or_default();
        format!("{agent}: {}{until}\n", why.word())
    };
    passed.iter().map(line).collect::<String>().trim_end().to_owned()
}

/// The waits of this phase so far, if there are any such.
fn waits_of(task: &mut Task) -> Option<Waits> {
    let since = task.changed;
    let attempt = attempt_of(&mut task.state)?;
    Some(attempt.waits.unwrap_or(Waits { n: 0, since, forced: false, n_put_off: 0 }))
}

/// Keeps the waits so far. What the task then stands in says that no run is under way.
fn again(task: &mut Task, waits: Waits) {
    if let Some(attempt) = attempt_of(&mut task.state) {
        attempt.waits = Some(waits);
    }
    task.state = waiting(task.state.clone());
}

fn park(task: &mut Task, (waits, pause): (Waits, Pause), passed: Vec<Passed>) {
    again(task, waits);
    say(&mut task.notes, Some(pause), (passed, None));
    task.state = State::Parked { pause, back: Box::new(task.state.clone()) };
}

/// The task waits no longer, for this reason.
fn no_longer(task: &mut Task, mut trouble: Trouble, because: &str) {
    say(&mut task.notes, None, (Vec::new(), None));
    trouble.evidence = trouble.evidence_with(because);
    if let Some(attempt) = attempt_of(&mut task.state) {
        attempt.waits = None;
    }
    task.state = give_up(task.state.clone(), trouble, &mut task.notes);
}

/// Why a task does not wait any longer, for the evidence.
fn waited(waits: &Waits, pause: &Pause) -> String {
    let until = pause.until.map(|until| format!(", and would be until {}", until.utc()));
    let since = waits.since.utc();
    let n = waits.n;
    format!("waits since {since}: {n}{}", until.unwrap_or_default())
}

/// Keeps one entry for each agent.
fn remember(all: &mut Vec<Passed>, passed: Passed) {
    all.retain(|other| other.agent != passed.agent);
    if all.len() >= PASSED_MAX {
        all.remove(0);
    }
    all.push(passed);
}

/// Learns from a run whether the service of its agent is there, whatever the task wants by now.
pub(super) fn learn(all: &mut Vec<Passed>, (run, outcome): (&Run, &Outcome), at: Time) {
    let Some(agent) = run.agent() else { return };
    match outcome {
        Outcome::Planned { .. }
        | Outcome::Answered { .. }
        | Outcome::Reviewed { .. }
        | Outcome::StepDone { .. } => all.retain(|other| other.agent != agent),
        Outcome::Held { hold, .. } if hold.fails_over => {
            let known = all.iter().find(|passed| passed.agent == agent);
            let n = known.map_or(0, |passed| passed.n);
            remember(all, hold.passed(agent, n, at));
        }
        Outcome::Held { .. }
        | Outcome::ChecksGreen { .. }
        | Outcome::Failed { .. }
        | Outcome::Stopped => {}
    }
}

/// A run begins, and these agents would have acted before the one that does.
pub(super) fn took_over(notes: &mut Vec<Note>, run: &Run, passed: Vec<Passed>) {
    let Some(by) = run.agent() else { return };
    let is_waits = |note: &Note| matches!(note, Note::Waits { .. });
    if passed.is_empty() && !notes.iter().any(is_waits) {
        return;
    }
    let known = notes.iter().find_map(|note| {
        let Note::Waits { taken: Some(taken), .. } = note else { return None };
        Some(taken.run).filter(|_| taken.by == by)
    });
    let taken = TakenOver { by, run: known.unwrap_or(run.id) };
    let taken = Some(taken).filter(|_| !passed.is_empty());
    say(notes, None, (passed, taken));
}

/// A person wants it tried, whatever is known of limits.
pub(super) fn try_anew(passed: &mut Vec<Passed>, state: &mut State, (remarks, at): (String, Time)) {
    passed.clear();
    if let Some(attempt) = attempt_of(state) {
        attempt.n_failed = 0;
        attempt.remarks = remarks;
        attempt.waits = Some(Waits { n: 0, since: at, forced: true, n_put_off: 0 });
    }
}

/// Moves a task that is parked.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others happen to what it goes on with")]
pub(super) fn evolve(mut task: Task, event: Event, at: Time) -> Result<Task, IllegalEvent> {
    let State::Parked { pause, back } = task.state.clone() else { return Ok(task) };
    match event {
        Event::Resumed { until } if pause.until == Some(until) => go_on(&mut task, *back, at),
        // It was about a wait before this one, or this one has begun already.
        Event::Resumed { .. } | Event::PutOff { .. } => {}
        Event::RetryAsked { remarks, .. } => {
            let mut back = *back;
            try_anew(&mut task.passed, &mut back, (remarks, at));
            go_on(&mut task, back, at);
        }
        Event::RunBegun { phase, .. } => return Err(illegal(&task, format!("RunBegun({phase})"))),
        event => {
            let before = discriminant(&*back);
            task.state = *back;
            let moved = super::evolve(task, event, at);
            task = moved.map_err(|err| IllegalEvent { state: "parked", ..err })?;
            if discriminant(&task.state) == before {
                task.state = State::Parked { pause, back: Box::new(task.state) };
            } else {
                say(&mut task.notes, None, (Vec::new(), None));
            }
        }
    }
    Ok(task)
}

fn go_on(task: &mut Task, back: State, at: Time) {
    if is_fresh(&back) && task.kind != Kind::Review {
        // A tip that was found long ago may be old by now.
        task.base = None;
    }
    task.changed = at;
    task.state = back;
    say(&mut task.notes, None, (Vec::new(), None));
}

/// Keeps the one note about waits up to date. It is edited in place: a comment for each wait
/// would be noise.
fn say(notes: &mut Vec<Note>, now: Option<Pause>, (who, by): (Vec<Passed>, Option<TakenOver>)) {
    for note in &mut *notes {
        if let Note::Waits { n, pause, passed, taken } = note {
            *n = n.saturating_add(u32::from(now.is_some()));
            (*pause, *passed, *taken) = (now, who, by);
            return;
        }
    }
    if now.is_some() || !who.is_empty() {
        let n = u32::from(now.is_some());
        notes.push(Note::Waits { n, pause: now, passed: who, taken: by });
    }
}
