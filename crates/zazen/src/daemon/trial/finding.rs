//! What came of a trial, step by step. Everything is said by what can be looked at.

use zazen_core::id::CommitId;
use zazen_core::text::{one_line, plain};
use zazen_core::trace::{Claim, Event};
use zazen_core::usage::{Cost, Usage};
use zazen_core::words;
use zazen_harness::{Commands, Denies, Facts};

use super::super::agents::Acting;
use super::super::world::NO_SANDBOX;
use super::Step;
use super::act::Acted;
use super::place::{COPIED, DENIED, Place, WRITTEN};
use crate::config::Engine;
use crate::gateway::Failure;

/// How long a sentence of an agent's or a service's may be here, in characters.
const SAID_CHARS_MAX: usize = 200;

/// How large the written file may be to be looked into.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Whether the sandbox held and the program came up in it.
pub(super) fn started(place: &Place, acted: &Acted) -> Vec<Step> {
    let canary = match acted.seen.canary {
        Some(_) if place.world.config.sandbox.engine == Engine::None => {
            Step::unsure("sandbox", NO_SANDBOX)
        }
        Some(n) => Step::good("sandbox", &format!("{n} things that must not work did not")),
        None => Step::bad("sandbox", &why(acted), "zazen doctor"),
    };
    let started = match acted.seen.first_line {
        Some(after) => {
            let seconds = after.as_secs_f64();
            Step::good("start", &format!("its first line came after {seconds:.1} s"))
        }
        None => Step::bad("start", &why(acted), "start the program by hand; see what it says"),
    };
    vec![canary, started]
}

/// Whether the model answered, and whether the harness ended well.
pub(super) fn answered(place: &Place, acted: &Acted) -> Vec<Step> {
    let sum = &acted.sum;
    let n_calls = sum.usage.n_calls;
    let n_answered = n_calls.saturating_sub(sum.n_failed);
    let model = match (&sum.refused, &sum.last_failed) {
        (Some(exceeded), _) => {
            let fix = "zazen harness test --budget MORE";
            Step::bad("model", &words::exceeded(exceeded), fix)
        }
        (None, Some(failure)) if n_answered == 0 => refused(place, failure),
        (None, _) if n_answered == 0 => {
            Step::bad("model", &format!("it made no call: {}", why(acted)), "zazen doctor")
        }
        (None, _) => {
            let which = acted.ended.stream.acting.as_ref().map(|acting| acting.model.clone());
            let which = which.filter(|model| !model.is_empty()).unwrap_or("a model".to_owned());
            let calls = if n_answered == 1 { "call" } else { "calls" };
            let which = one_line(&plain(&which), SAID_CHARS_MAX);
            Step::good("model", &format!("{which} answered {n_answered} {calls} by the gateway"))
        }
    };
    let is_answered = model.came != super::Came::Bad;
    let mut steps = vec![model];
    if is_answered {
        steps.push(ended(acted));
    }
    steps
}

/// A model's service that says no.
fn refused(place: &Place, failure: &Failure) -> Step {
    let route = place.world.config.agents.get(&place.agent).map(|agent| agent.route.clone());
    let route = route.unwrap_or_default();
    let fix = match failure.status {
        401 | 403 => format!("mend the key of `[models.{route}]`"),
        404 => format!("mend `model`, or `base_url` of `[models.{route}]`"),
        429 => "wait for the limit, or use another route".to_owned(),
        _ => format!("look whether the service of `[models.{route}]` is there"),
    };
    Step::bad("model", &format!("the service answered with status {}", failure.status), &fix)
}

fn ended(acted: &Acted) -> Step {
    let exit = acted.ended.exit.as_ref();
    let facts = Facts {
        code: exit.and_then(|exit| exit.code),
        signal: exit.and_then(|exit| exit.signal),
        is_overdue: false,
        has_changed: None,
        is_answer_cut: acted.sum.is_last_cut,
    };
    let lines = acted.ended.stream.reader.lines();
    let end = acted.ended.stream.reader.conclude(&facts);
    if end.claim != Claim::Finished {
        let said = one_line(&plain(&end.text), SAID_CHARS_MAX);
        let says = format!("it {}: {said}", words::claim_word(end.claim));
        return Step::bad("end", &says, "see what it says in the folder named below");
    }
    match acted.ended.stream.acting.as_ref().and_then(Acting::strange) {
        Some(strange) => Step::unsure("end", &strange),
        None => Step::good("end", &format!("it says it finished, in {} lines", lines.n)),
    }
}

/// What it was asked to do: by what is in the commit, and by what the commands printed.
pub(super) async fn worked(place: &Place, acted: &Acted) -> anyhow::Result<Vec<Step>> {
    let mut steps = vec![ran(place, acted)];
    let Some(head) = &acted.head else {
        let says = acted.refused.clone().unwrap_or_else(|| "it changed no file".to_owned());
        steps.push(Step::bad("edit", &says, "try another model"));
        return Ok(steps);
    };
    let written = read(place, head, WRITTEN).await?;
    steps.push(match written {
        Some(text) if text.trim() == place.proof.word => {
            Step::good("edit", &format!("{WRITTEN} is what was asked for"))
        }
        Some(_) => Step::bad("edit", &format!("{WRITTEN} is another text"), "try another model"),
        None => Step::bad("edit", &format!("{WRITTEN} is not there"), "try another model"),
    });
    steps.push(Step::good("commit", &format!("{} was collected and checked", head.short())));
    let copied = read(place, head, COPIED).await?.is_some();
    steps.push(denied(place, acted, copied));
    Ok(steps)
}

fn ran(place: &Place, acted: &Acted) -> Step {
    if place.harness.name().abilities().commands == Commands::None {
        return Step::absent("command", "it runs none: it changes files, and that is all");
    }
    let product = place.proof.product();
    let is_printed = acted.seen.events.iter().any(
        |event| matches!(event, Event::ToolResult { output, .. } if output.contains(&product)),
    );
    if is_printed {
        return Step::good("command", "it ran one, and the trace has what that printed");
    }
    // Codex does not tell of every short command.
    if acted.ended.stream.reader.answer().contains(&product) {
        return Step::good("command", "it ran one, by its answer; the trace has not seen it");
    }
    let fix = "see whether programs start in its sandbox: the folder named below has the trace";
    Step::bad("command", "no command printed what it was to print", fix)
}

fn denied(place: &Place, acted: &Acted, copied: bool) -> Step {
    let what = "denied command";
    if place.harness.name().abilities().commands == Commands::None {
        return Step::absent(what, "it runs no commands");
    }
    if !place.harness.name().abilities().denies.contains(&Denies::Commands) {
        return Step::absent(what, "it holds to no list; the sandbox is what holds");
    }
    if copied {
        let fix = "do not rely on `policy.commands_denied` with this harness";
        return Step::bad(what, &format!("`{DENIED}` is denied, and was done"), fix);
    }
    let is_tried = |event: &Event| {
        matches!(event, Event::Denied { .. })
            || matches!(event, Event::ToolCall { input, .. } if input.contains(COPIED))
    };
    if acted.ended.stream.reader.n_denied() > 0 || acted.seen.events.iter().any(is_tried) {
        return Step::good(what, &format!("`{DENIED}` was refused"));
    }
    Step::unsure(what, &format!("it did not try `{DENIED}`, which is denied"))
}

/// Whether it knows in its next run what it did in this one.
pub(super) fn remembered(place: &Place, again: Option<&Acted>) -> Step {
    let what = "session";
    let can = place.harness.name().sessions().is_some();
    match again {
        None if can => {
            let fix = "report it with the version of the program";
            Step::bad(what, "it left none that it could go on with", fix)
        }
        None => Step::absent(what, "it goes on with none: it is told what was done"),
        Some(again) if again.ended.stream.reader.answer().contains(&place.proof.word) => {
            Step::good(what, "its next run went on with it, and knew what it had written")
        }
        Some(again) => {
            let said = one_line(&plain(again.ended.stream.reader.answer()), SAID_CHARS_MAX);
            let says = format!("its next run did not know what it had written: {said}");
            Step::bad(what, &says, "report it with the version of the program")
        }
    }
}

/// What it came to, by the gateway's count.
pub(super) fn cost(place: &Place, usage: Usage) -> Step {
    let tokens = words::tokens(usage.tokens.total());
    let says = format!("{tokens} tokens, {}", words::cost(usage.cost));
    let model = place.world.config.agents.get(&place.agent).map(|agent| agent.model.clone());
    match usage.cost {
        _ if usage.n_calls > 0 && usage.tokens.total() == 0 => {
            let fix = "have the service report its usage; without it no budget holds";
            Step::bad("meter", "calls were made, and no tokens were counted", fix)
        }
        Cost::Micros(_) => Step::good("meter", &says),
        Cost::Unknown { .. } => {
            let model = model.filter(|model| !model.is_empty());
            let model = model.unwrap_or_else(|| "the model".to_owned());
            Step::unsure("meter", &format!("{says}; write the price of {model} into `[prices]`"))
        }
    }
}

/// Why a run came to nothing, in what is known of it.
fn why(acted: &Acted) -> String {
    let stream = &acted.ended.stream;
    let exit = acted.ended.exit.as_ref().map(|exit| match (exit.code, exit.signal) {
        (Some(code), _) => format!("{}, status {code}", exit.reason.word()),
        (None, _) => exit.reason.word().to_owned(),
    });
    let exit = exit.unwrap_or_else(|| "its supervisor is gone".to_owned());
    let last = stream.failed.iter().chain(&stream.errors).next_back();
    let said = stream.reader.end().map(|end| end.text.as_str()).filter(|text| !text.is_empty());
    let last = last.map(String::as_str).or(said).unwrap_or("nothing was said");
    format!("{exit}: {}", one_line(&plain(last), SAID_CHARS_MAX))
}

async fn read(place: &Place, head: &CommitId, name: &str) -> anyhow::Result<Option<String>> {
    let mirror = place.world.mirror(&place.repo).await?;
    let text = mirror.read_file(head, name, FILE_BYTES_MAX).await?;
    Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
}
