//! What is known of the limits of all routes, and what follows from it for a call.
//!
//! Every answer of a service is read (`read`) before a run sees it. A refusal that lasts longer
//! than a harness should wait is answered in a form that is final for it, and so is every call
//! after it until the time has come: nobody is asked who has said no. See `zazen_core::limit` for
//! what is kept.

mod read;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, StreamExt as _};
use hyper::header::{HeaderValue, RETRY_AFTER};
use tokio::sync::Notify;
use tokio::time::timeout;
use zazen_core::id::Time;
use zazen_core::limit::{Changed, Closing, Limits, Report};
use zazen_core::words;

use self::read::{Answered, REFUSALS};
use super::Source;
use super::call::now_ms;
use super::forward::Answer;
use super::refuse::Refusal;
use super::request::Asked;
use super::route::Api;
use super::serve::Door;

/// The limits of all routes, shared by all runs.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Held only to look and to note.
    routes: Mutex<BTreeMap<String, Kept>>,
    changed: Arc<Notify>,
}

/// What is known of one route.
#[derive(Debug, Default)]
struct Kept {
    limits: Limits,
    /// When somebody was last told that there is something new.
    told: Time,
}

/// What one run was told to be closed.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Vec<Closing>>);

/// How much of an error is read before it is handed on. They are some hundred bytes.
const ERROR_BYTES_MAX: usize = 64 << 10;

/// How long an error may take to come. Its head is there; the rest is in the same packet.
const ERROR_TIMEOUT: Duration = Duration::from_secs(10);

/// How often it is told that a measure changed: each call changes them.
const TOLD_EVERY_MS: u64 = 5 * 1000;

impl Known {
    /// Takes up what was known before a restart.
    pub(super) fn start_from(&self, limits: BTreeMap<String, Limits>) {
        let now = now();
        let mut routes = self.lock();
        for (route, limits) in limits {
            routes.entry(route).or_default().limits = limits.checked(now);
        }
    }

    /// What is known.
    pub(super) fn all(&self) -> BTreeMap<String, Limits> {
        let routes = self.lock();
        routes.iter().map(|(route, kept)| (route.clone(), kept.limits.clone())).collect()
    }

    /// What is told of changes.
    pub(super) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    fn note(&self, (route, model): (&str, &str), is_well: bool, report: Report) {
        let now = now();
        let mut routes = self.lock();
        let kept = routes.entry(route.to_owned()).or_default();
        let changed = if is_well {
            kept.limits.take(model, report, now)
        } else {
            kept.limits.take_failed(model, report, now)
        };
        let is_due = now.millis_since(kept.told) >= TOLD_EVERY_MS;
        if changed == Changed::Closings || changed == Changed::Measures && is_due {
            kept.told = now;
            self.changed.notify_one();
        }
    }

    fn closed(&self, route: &str, model: &str) -> Option<Closing> {
        self.lock().get(route)?.limits.closed(model, now()).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn note(&self, model: &str, is_well: bool, closing: Option<Closing>) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_well || closing.is_some() {
            told.retain(|old| !old.is_for(model));
        }
        told.extend(closing);
    }

    /// What stands in the way of a call. What nobody says the end of, does so for all of the run.
    fn closed(&self, model: &str) -> Option<Closing> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        let mut of_model = told.iter().filter(|closing| closing.is_for(model));
        of_model.find(|closing| closing.until.is_none_or(|until| until > now)).cloned()
    }
}

/// Refuses a call that the service has said it would not answer.
pub(super) fn check(door: &Door, asked: &Asked) -> Result<(), Refusal> {
    let Source::Live { route } = &door.grant.source else { return Ok(()) };
    if !asked.endpoint.is_billed() {
        return Ok(());
    }
    let model = door.veil.over(asked.model.clone());
    let of_run = door.told.closed(&model);
    // A run that a person wants to be tried asks once more.
    let of_all = || door.shared.limits.closed(route, &model).filter(|_| !door.grant.is_forced);
    of_run.or_else(of_all).map_or(Ok(()), |closing| Err(Refusal::Closed(closing)))
}

/// Takes in what an answer says of limits. One that closes the route is made final for the run.
pub(super) async fn look(
    door: &Door,
    asked: &Asked,
    mut answer: Answer,
) -> (Answer, Option<Closing>) {
    let Source::Live { route } = &door.grant.source else { return (answer, None) };
    let status = answer.status.as_u16();
    let is_refusal = REFUSALS.contains(&status);
    let body = if is_refusal { beginning(&mut answer).await } else { Bytes::new() };
    let model = door.veil.over(asked.model.clone());
    let answered = Answered { status, headers: &answer.headers, body: &body, model: &model };
    let report = read::read(answered, now());
    let closing = report.closing.clone();
    let is_well = answer.status.is_success() && asked.endpoint.is_billed();
    door.shared.limits.note((route, &model), is_well, report);
    door.told.note(&model, is_well, closing.clone());
    if let Some(closing) = &closing {
        let run = door.grant.run;
        tracing::info!(%run, route, model, "{}", words::closed(closing));
        finish(door.api(asked.endpoint), closing, &mut answer);
    }
    (answer, closing)
}

/// Has no client ask again, whatever it makes of the status that the service has chosen.
fn finish(api: Api, closing: &Closing, answer: &mut Answer) {
    let refusal = Refusal::Closed(closing.clone());
    answer.headers.insert("x-should-retry", HeaderValue::from_static("false"));
    match api {
        // Its clients obey that header.
        Api::Anthropic => {}
        // Of its clients some wait as long as they are told, and some ask all the same. OpenCode
        // looks for words in the answer, whatever its status, and then obeys the header.
        Api::OpenAi => {
            answer.status = refusal.status(api);
            answer.headers.remove(RETRY_AFTER);
        }
        // Its clients read the status in the body.
        Api::Gemini => {
            answer.status = refusal.status(api);
            let body = Bytes::from(refusal.body(api).to_string());
            answer.body = stream::iter([Ok(body)]).boxed();
        }
    }
}

/// The beginning of an error's body, which stays in the answer.
async fn beginning(answer: &mut Answer) -> Bytes {
    let mut read = BytesMut::new();
    let mut end = None;
    let all = async {
        while let Some(frame) = answer.body.next().await {
            match frame {
                Ok(frame) => read.extend_from_slice(&frame),
                Err(_) => end = Some(frame),
            }
            if end.is_some() || read.len() >= ERROR_BYTES_MAX {
                break;
            }
        }
    };
    // What does not come in time is handed on when it comes.
    drop(timeout(ERROR_TIMEOUT, all).await);
    let read = read.freeze();
    let rest = std::mem::replace(&mut answer.body, stream::empty().boxed());
    let first = stream::iter([Ok(read.clone())].into_iter().chain(end));
    answer.body = first.chain(rest).boxed();
    read
}

fn now() -> Time {
    Time(now_ms())
}
