//! What an answer says of limits: by its headers, and by its body where it is an error.
//!
//! Pure. Whatever a service sends, the result is bounded: a number that is none counts as not
//! said, a share is cut to a whole, and an end that is past or more than a month away is not
//! believed. Shapes of texts are not read here; the harnesses do that, as a last resort.

mod body;
mod number;

use std::collections::BTreeMap;

use hyper::header::HeaderMap;
use zazen_core::id::Time;
use zazen_core::limit::{Closing, Meter, Report, SHORT_WAIT_MS, Share, Standing, Window};
use zazen_core::task::Why;

use self::body::UsedUp;
use self::number::{Moment, seconds, span};

/// An answer, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered<'a> {
    pub(super) status: u16,
    pub(super) headers: &'a HeaderMap,
    /// The body of an error.
    pub(super) body: &'a [u8],
    /// The model that was asked.
    pub(super) model: &'a str,
}

/// The statuses of a service that wants to be left alone. 529 is Anthropic's own.
pub(super) const REFUSALS: [u16; 3] = [429, 503, 529];

/// How many windows one answer may have. The most that were seen are seven.
const WINDOWS_MAX: usize = 16;

/// How long the name of a class of models may be.
const CLASS_BYTES_MAX: usize = 24;

/// The beginning of the headers about a subscription of Anthropic.
const UNIFIED: &str = "anthropic-ratelimit-unified-";

/// Reads one answer.
pub(super) fn read(answered: Answered<'_>, now: Time) -> Report {
    let mut windows = unified(answered.headers, now);
    windows.extend(codex(answered.headers, now));
    windows.extend(rates(answered, now));
    windows.truncate(WINDOWS_MAX);
    let closing = REFUSALS.contains(&answered.status).then(|| closing(answered, &windows, now));
    Report { windows, closing: closing.flatten() }
}

/// Whether the service is closed for longer than a harness should wait, by its strongest word.
fn closing(answered: Answered<'_>, windows: &[Window], now: Time) -> Option<Closing> {
    let said = body::read(answered.body, now);
    let is_plan = |window: &&Window| matches!(window.of, Meter::Plan { .. });
    let is_used_up = |window: &&Window| window.standing == Standing::UsedUp;
    let mut plans = windows.iter().filter(is_plan).filter(is_used_up).peekable();
    let is_busy = said.is_busy || answered.status != 429 && said.used_up.is_none();
    let why = if is_busy { Why::Overloaded } else { Why::Quota };
    let rejected = text(answered.headers, "anthropic-ratelimit-unified-status") == Some("rejected");
    let closing = |until: Option<Time>, is_of_model: bool| Closing {
        why,
        model: is_of_model.then(|| answered.model.to_owned()),
        until,
        measured: now,
    };
    if !is_busy && (rejected || plans.peek().is_some()) {
        let ends = plans.clone().filter_map(|window| window.resets).max();
        let is_class = |window: &Window| matches!(window.of, Meter::Plan { class: Some(_), .. });
        let is_of_model =
            plans.peek().is_some() && plans.all(is_class) || is_claim_of_class(answered.headers);
        let of_claim = || text(answered.headers, "anthropic-ratelimit-unified-reset");
        let until = ends.or_else(|| number::reset(of_claim()?, now).end(now));
        let delay = || retry_after(answered.headers, now).end(now);
        let until = until.or_else(|| said.resets.end(now)).or_else(delay);
        return Some(closing(until, is_of_model));
    }
    if let Some(used_up) = said.used_up {
        // A moment after which the same is said again is no end.
        let is_long = |at: &Time| at.millis_since(now) >= SHORT_WAIT_MS;
        let delay = || retry_after(answered.headers, now).end(now).filter(is_long);
        let until = said.resets.end(now).filter(is_long).or_else(delay);
        return Some(closing(until, used_up == UsedUp::Model));
    }
    let wait = match (retry_after(answered.headers, now), said.wait) {
        (Moment::Unsaid, Moment::Unsaid) => rate_end(windows, now),
        (Moment::Unsaid, wait) | (wait, _) => wait,
    };
    wait.is_long(now).then(|| closing(wait.end(now), true))
}

/// When the rates are whole again that are used up.
fn rate_end(windows: &[Window], now: Time) -> Moment {
    let empty = windows.iter().filter(|window| window.left == Some(0));
    let end = empty.filter_map(|window| window.resets).max();
    end.map_or(Moment::Unsaid, |at| Moment::of(at, now))
}

/// How long the service wants to be left alone.
fn retry_after(headers: &HeaderMap, now: Time) -> Moment {
    if let Some(millis) = text(headers, "retry-after-ms").and_then(seconds) {
        return Moment::after(millis / 1000.0, now);
    }
    text(headers, "retry-after").map_or(Moment::Unsaid, |text| number::retry_after(text, now))
}

/// Whether a subscription is closed for a class of models only.
fn is_claim_of_class(headers: &HeaderMap) -> bool {
    let claim = text(headers, "anthropic-ratelimit-unified-representative-claim");
    let beginnings = ["five_hour_", "seven_day_"];
    claim.is_some_and(|claim| beginnings.iter().any(|beginning| claim.starts_with(beginning)))
}

/// The windows of a subscription of Anthropic: `5h`, `7d`, and what is like `7d_opus`.
fn unified(headers: &HeaderMap, now: Time) -> Vec<Window> {
    let mut windows: BTreeMap<Meter, Window> = BTreeMap::new();
    for (name, value) in headers {
        let Some(rest) = name.as_str().strip_prefix(UNIFIED) else { continue };
        let Some((meter, what)) =
            rest.rsplit_once('-').and_then(|(span, what)| Some((plan(span)?, what)))
        else {
            continue;
        };
        let Ok(value) = value.to_str() else { continue };
        let new = || Window::new(meter.clone(), now);
        let window = windows.entry(meter.clone()).or_insert_with(new);
        match what {
            "utilization" => window.used = share(value, 1.0),
            "reset" => window.resets = number::reset(value, now).end(now),
            "status" => window.standing = standing(value),
            _ => {}
        }
    }
    let mut windows: Vec<Window> = windows.into_values().collect();
    // A threshold alone says nothing.
    windows.retain(is_said);
    windows
}

/// A span of a plan by its name.
fn plan(name: &str) -> Option<Meter> {
    let (span, class) = match name.split_once('_') {
        Some((span, class)) => (span, Some(class)),
        None => (name, None),
    };
    let (count, unit) = span.split_at_checked(span.len().checked_sub(1)?)?;
    let of_unit = match unit {
        "h" => 60,
        "d" => 24 * 60,
        _ => return None,
    };
    let is_class = |class: &str| {
        let is_part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        !class.is_empty() && class.len() <= CLASS_BYTES_MAX && class.bytes().all(is_part)
    };
    if class.is_some_and(|class| !is_class(class)) {
        return None;
    }
    // Three digits at most: no span is longer than a year.
    let count: u32 = (count.len() <= 3).then(|| count.parse().ok()).flatten()?;
    let class = class.map(str::to_owned);
    (count > 0).then_some(Meter::Plan { minutes: count * of_unit, class })
}

/// The two windows of a plan of `ChatGPT`.
fn codex(headers: &HeaderMap, now: Time) -> Vec<Window> {
    let window = |which: &str| {
        let value = |what: &str| text(headers, &format!("x-codex-{which}-{what}"));
        let minutes = value("window-minutes").and_then(seconds)?;
        let minutes = span(minutes)?;
        let mut window = Window::new(Meter::Plan { minutes, class: None }, now);
        window.used = Some(share(value("used-percent")?, 100.0)?);
        let after = || {
            let after = value("reset-after-seconds").and_then(seconds)?;
            Moment::after(after, now).end(now)
        };
        let at = value("reset-at").and_then(|at| number::reset(at, now).end(now));
        window.resets = at.or_else(after);
        if window.used == Some(Share::WHOLE) {
            window.standing = Standing::UsedUp;
        }
        Some(window)
    };
    ["primary", "secondary"].into_iter().filter_map(window).collect()
}

/// What may be asked in a minute or so, by the vendors' headers.
fn rates(answered: Answered<'_>, now: Time) -> Vec<Window> {
    let kinds = [
        ("requests", Meter::Requests),
        ("tokens", Meter::Tokens),
        ("input-tokens", Meter::InputTokens),
        ("output-tokens", Meter::OutputTokens),
    ];
    let window = |(name, meter): (&str, Meter)| {
        let value = |what: &str| {
            let anthropic = text(answered.headers, &format!("anthropic-ratelimit-{name}-{what}"));
            anthropic.or_else(|| text(answered.headers, &format!("x-ratelimit-{what}-{name}")))
        };
        let count = |what: &str| value(what).and_then(number::count);
        let mut window = Window::new(meter, now);
        (window.left, window.most) = (count("remaining"), count("limit"));
        window.resets = value("reset").and_then(|at| number::reset(at, now).end(now));
        window.model = (!answered.model.is_empty()).then(|| answered.model.to_owned());
        if window.left == Some(0) {
            window.standing = Standing::UsedUp;
        }
        is_said(&window).then_some(window)
    };
    kinds.into_iter().filter_map(window).collect()
}

/// Whether a window has anything that is worth to be known.
fn is_said(window: &Window) -> bool {
    window.used.is_some() || window.left.is_some() || window.standing != Standing::Open
}

fn standing(word: &str) -> Standing {
    match word {
        "allowed_warning" => Standing::Near,
        "rejected" => Standing::UsedUp,
        _ => Standing::Open,
    }
}

/// A share that is written as a number up to `whole`.
fn share(text: &str, whole: f64) -> Option<Share> {
    let number = seconds(text).filter(|number| number.is_finite())?;
    let thousandths = (number / whole * 1000.0).clamp(0.0, 1000.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped")]
    let thousandths = thousandths.round() as u64;
    Some(Share::of_thousandths(thousandths))
}

/// A header that is text. Others say nothing.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

#[cfg(test)]
mod tests;
