//! What is known of the limits of models' services, for `status`.
//!
//! Read from what the daemon keeps, so it says the same whether the daemon is up or not. What
//! nobody has reported is unknown, and shown as that.

use serde::Serialize;
use zazen_core::id::Time;
use zazen_core::limit::{Closing, Limits, Meter, Mode, Pace, Standing};
use zazen_core::words;

use crate::config::Config;
use crate::daemon::{self, now};
use crate::home::Home;

/// What is known of one route.
#[derive(Debug, Serialize)]
pub(super) struct RouteJson {
    route: String,
    state: &'static str,
    /// What is answered nothing for a while.
    closed: Vec<Closing>,
    windows: Vec<WindowJson>,
    /// What may begin, where the use of it is paced.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    /// When more may.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode_until_ms: Option<Time>,
    #[serde(skip)]
    words: String,
}

/// One limit, as it was reported.
#[derive(Debug, Serialize)]
struct WindowJson {
    name: String,
    of: Meter,
    model: Option<String>,
    used_percent: Option<u64>,
    left: Option<u64>,
    most: Option<u64>,
    resets_ms: Option<Time>,
    standing: Standing,
    measured_ms: Time,
}

impl RouteJson {
    /// The row, for people.
    pub(super) fn in_words(&self) -> String {
        format!("limits of {}: {}", self.route, self.words)
    }
}

/// What is known of each route that an agent uses.
pub(super) fn all(home: &Home, config: &Config) -> Vec<RouteJson> {
    let mut known = daemon::limits(home);
    let routes = config.used_routes().into_iter();
    let of = |route| of(route, &known.remove(route).unwrap_or_default(), config.quota.pace);
    routes.map(of).collect()
}

fn of(route: &str, limits: &Limits, pace: Option<Pace>) -> RouteJson {
    let now = now();
    let windows = limits.windows(now).map(|window| WindowJson {
        name: words::meter(&window.of),
        of: window.of.clone(),
        model: window.model.clone(),
        used_percent: window.used().map(zazen_core::limit::Share::percent),
        left: window.left,
        most: window.most,
        resets_ms: window.resets,
        standing: window.standing,
        measured_ms: window.measured,
    });
    let (windows, closed): (Vec<_>, Vec<_>) =
        (windows.collect(), limits.closings(now).cloned().collect());
    let is_near = windows.iter().any(|window| window.standing != Standing::Open);
    let state = match (closed.is_empty(), windows.is_empty()) {
        (false, _) => "closed",
        (true, true) => "unknown",
        (true, false) if is_near => "near",
        (true, false) => "open",
    };
    let mode = pace.and_then(|pace| mode(pace, limits, now));
    RouteJson {
        route: route.to_owned(),
        state,
        closed,
        windows,
        mode: mode.map(|(mode, _)| mode.word()),
        mode_until_ms: mode.and_then(|(_, until)| until),
        words: words::limits(limits, mode, now),
    }
}

/// What may begin, and when more may.
fn mode(pace: Pace, limits: &Limits, now: Time) -> Option<(Mode, Option<Time>)> {
    let mode = pace.mode(limits, None, now)?;
    let larger = Mode::ALL.into_iter().rfind(|larger| *larger > mode);
    let until = larger.and_then(|larger| pace.opens(limits, (larger, None), now));
    Some((mode, until))
}
