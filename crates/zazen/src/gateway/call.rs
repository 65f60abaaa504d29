//! The life of one call, from the request that was let in to the bill.
//!
//! Each call is a task of its own, apart from the connection that asked: when
//! the client leaves or the run is ended, the call still gets to say what it
//! used and to be recorded. The bill and the record are made before the client
//! sees the end of the stream.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::BoxStream;
use hyper::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use hyper::{Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;
use zazen_core::budget::Exceeded;
use zazen_core::limit::Closing;
use zazen_core::usage::Usage;

use super::budget::Held;
use super::forward::{self, Answer, Cut, Pipe, Reply};
use super::meter::{Meter, Terms};
use super::record::{Bill, Draft};
use super::refuse::Refusal;
use super::request::{Asked, Facts};
use super::secret::Screen;
use super::serve::Door;
use super::{CallReport, Shared, Source, limits, playback};

type Head = oneshot::Sender<Result<Response<Reply>, Refusal>>;

/// What is known of a call from its beginning.
struct Begun {
    n: u64,
    at_ms: u64,
    started: Instant,
    asked: Asked,
    room: OwnedSemaphorePermit,
    /// What is held for it of the budgets. None where nothing is paid.
    held: Option<Held>,
    /// That the service is closed for a while, as it said or has said before.
    closing: Option<Closing>,
}

/// How a call ended.
struct Ended {
    status: u16,
    content_type: String,
    body: Vec<u8>,
    complete: bool,
    retry_after: Option<String>,
    /// The service may have charged for the call.
    is_served: bool,
    refused: Option<Exceeded>,
    meter: Option<Meter>,
}

/// What an answer goes through on its way.
struct Tee {
    screen: Screen,
    meter: Meter,
    body: Vec<u8>,
}

/// How the stream of an answer ended.
enum End {
    Whole,
    /// The client left or does not read, or the run was ended.
    ClientLeft,
    Broken(String),
}

type Stream = BoxStream<'static, Result<Bytes, String>>;

/// How many frames may wait for a client that reads slowly. They come from the
/// service no faster than they are read here, so a few are enough.
const FRAMES_MAX: usize = 4;

/// How long a client may leave a frame unread before it counts as gone.
const CLIENT_STALL_TIMEOUT: Duration = Duration::from_secs(300);

/// How long a bill may wait to be taken. The daemon takes them at once; if it
/// does not, something is badly wrong and said so, but no call hangs on it.
const REPORT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long an answer may be, all in all. Far above what a model can write in
/// one answer; a stream without end is cut here.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// How long the end of an answer is waited for when all but the end was there.
const LAST_WORDS_TIMEOUT: Duration = Duration::from_secs(2);

/// What is recorded of a call that the client left before it was answered.
const STATUS_CLIENT_LEFT: u16 = 499;

/// Makes the call, in a task of its own, and returns when the answer begins.
pub(super) async fn start(
    door: &Arc<Door>,
    asked: Asked,
    room: OwnedSemaphorePermit,
) -> Result<Response<Reply>, Refusal> {
    door.recorder.check()?;
    let (head, answered) = oneshot::channel();
    let (n, at_ms, started) = (door.recorder.next(), now_ms(), Instant::now());
    let begun = Begun { n, at_ms, started, asked, room, held: None, closing: None };
    door.spawn(run(Arc::clone(door), begun, head));
    answered.await.unwrap_or(Err(Refusal::Bug))
}

async fn run(door: Arc<Door>, mut begun: Begun, mut head: Head) {
    let answer = unless_over(&door, head.closed(), open(&door, &mut begun)).await;
    match answer {
        None => {
            let mut ended = Ended::without_answer(STATUS_CLIENT_LEFT, String::new());
            ended.is_served = begun.held.is_some();
            settle(&door, begun, ended).await;
        }
        Some(Err(refusal)) => {
            let api = door.api(begun.asked.endpoint);
            let body = refusal.body(api).to_string();
            let mut ended = Ended::without_answer(refusal.status(api).as_u16(), body);
            ended.is_served = refusal.may_have_cost();
            if let Refusal::Budget(exceeded) = &refusal {
                tracing::info!(run = %door.grant.run, "refused a call: {refusal}");
                ended.refused = Some(*exceeded);
            }
            if let Refusal::Closed(closing) = &refusal {
                begun.closing = Some(closing.clone());
            }
            match door.grant.source {
                Source::Live { .. } => settle(&door, begun, ended).await,
                // What a recording lacks must not get into the next one.
                Source::Playback(_) | Source::Nobody => {}
            }
            drop(head.send(Err(refusal)));
        }
        Some(Ok(answer)) => {
            let (answer, closing) = limits::look(&door, &begun.asked, answer).await;
            begun.closing = closing;
            pump(&door, begun, answer, head).await;
        }
    }
}

async fn open(door: &Door, begun: &mut Begun) -> Result<Answer, Refusal> {
    let recording = match &door.grant.source {
        Source::Live { route } => {
            let route = door.shared.routes.get(route).ok_or(Refusal::Bug)?;
            limits::check(door, &begun.asked)?;
            hold(door, begun).await?;
            let asked = &begun.asked;
            return forward::ask(&door.shared.client, route, asked).await;
        }
        Source::Nobody => return Err(Refusal::Bug),
        Source::Playback(recording) => recording,
    };
    let asked = &begun.asked;
    let facts = Facts::read(asked.endpoint, &asked.body, &door.veil);
    let label = &door.grant.label;
    let call =
        recording.answer_to(label, asked.endpoint, &facts, &asked.model).ok_or_else(|| {
            let path = asked.endpoint.path();
            Refusal::NoAnswer { label: label.clone(), turn: facts.turn, path }
        })?;
    let mut headers = HeaderMap::new();
    if let Ok(content_type) = call.response.content_type.parse() {
        headers.insert(CONTENT_TYPE, content_type);
    }
    let status = StatusCode::from_u16(call.response.status).map_err(|_| Refusal::Bug)?;
    Ok(Answer { status, headers, body: playback::frames(call) })
}

/// Sees to it that a call is paid for, before it is made.
async fn hold(door: &Door, begun: &mut Begun) -> Result<(), Refusal> {
    if !begun.asked.endpoint.is_billed() {
        return Ok(());
    }
    let worst = terms(door, &begun.asked).worst();
    let held = door.shared.purse.hold(&door.grant.payer(), worst).await?;
    if let Err(err) = door.recorder.begun.note(begun.n, worst) {
        tracing::error!(run = %door.grant.run, "a call cannot be noted: {err}");
        held.settle(&Usage::default());
        return Err(Refusal::NoRecording);
    }
    begun.held = Some(held);
    Ok(())
}

fn terms<'a>(door: &'a Door, asked: &'a Asked) -> Terms<'a> {
    let Shared { prices, unknown, .. } = &*door.shared;
    Terms { prices, unknown: *unknown, asked: &asked.model, most: asked.most }
}

/// Hands the answer on, frame by frame, while it is metered and kept.
async fn pump(door: &Door, begun: Begun, answer: Answer, head: Head) {
    let Answer { status, headers, body: mut stream } = answer;
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.map(str::to_owned);
    if !status.is_success() {
        let (run, model) = (door.grant.run, &begun.asked.model);
        tracing::info!(%run, model, retry_after, "the model's service answered {status}");
    }
    let (frames, pipe) = mpsc::channel(FRAMES_MAX);
    let mut response = Response::new(Reply::Right(Pipe(pipe)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    drop(head.send(Ok(response)));

    let meter = Meter::new(begun.asked.endpoint, &content_type);
    let mut tee = Tee { screen: Screen::new(door.key()), meter, body: Vec::new() };
    let end = match tee.hand_on(door, &mut stream, &frames).await {
        // Clients leave when they have read the last event, which is before the end.
        End::ClientLeft if tee.meter.is_settled() => {
            timeout(LAST_WORDS_TIMEOUT, tee.drain(&mut stream)).await.unwrap_or(End::ClientLeft)
        }
        // Some clients take an answer for whole that was closed in its middle.
        End::Whole if tee.meter.is_without_end() => {
            End::Broken("it was closed without a reason to end".into())
        }
        end @ (End::Whole | End::ClientLeft | End::Broken(_)) => end,
    };
    let complete = match &end {
        End::Whole => true,
        End::ClientLeft => false,
        End::Broken(why) => {
            tracing::warn!(run = %door.grant.run, why, "a model's answer broke off");
            tee.meter.note_broken_off();
            false
        }
    };
    let Tee { meter, body, .. } = tee;
    let status = status.as_u16();
    let is_served = status < 300;
    let meter = Some(meter);
    let ended = Ended {
        status,
        content_type,
        body,
        complete,
        retry_after,
        is_served,
        refused: None,
        meter,
    };
    settle(door, begun, ended).await;
    if !complete {
        drop(timeout(CLIENT_STALL_TIMEOUT, frames.send(Err(Cut))).await);
    }
}

impl Tee {
    async fn hand_on(
        &mut self,
        door: &Door,
        stream: &mut Stream,
        frames: &mpsc::Sender<Result<Bytes, Cut>>,
    ) -> End {
        loop {
            let next = match unless_over(door, frames.closed(), stream.next()).await {
                None => return End::ClientLeft,
                Some(next) => self.take(next),
            };
            let (frame, end) = match next {
                Ok(taken) => taken,
                Err(end) => return end,
            };
            if !frame.is_empty() {
                let sent = timeout(CLIENT_STALL_TIMEOUT, frames.send(Ok(frame)));
                match door.stop.run_until_cancelled(sent).await {
                    Some(Ok(Ok(()))) => {}
                    Some(Ok(Err(_)) | Err(_)) | None => return End::ClientLeft,
                }
            }
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Reads on to the end, for the record only.
    async fn drain(&mut self, stream: &mut Stream) -> End {
        loop {
            match self.take(stream.next().await) {
                Ok((_, None)) => {}
                Ok((_, Some(end))) | Err(end) => return end,
            }
        }
    }

    /// Takes in what came of the stream: the frame to hand on, and whether it was the last.
    fn take(&mut self, next: Option<Result<Bytes, String>>) -> Result<(Bytes, Option<End>), End> {
        let (frame, end) = match next {
            Some(Ok(frame)) => (self.screen.push(frame), None),
            Some(Err(why)) => return Err(End::Broken(why)),
            None => (self.screen.finish(), Some(End::Whole)),
        };
        if self.body.len() + frame.len() > ANSWER_BYTES_MAX {
            return Err(End::Broken(format!("it is longer than {ANSWER_BYTES_MAX} bytes")));
        }
        self.meter.push(&frame);
        self.body.extend_from_slice(&frame);
        Ok((frame, end))
    }
}

/// Bills the call and records it.
async fn settle(door: &Door, begun: Begun, ended: Ended) {
    let Begun { n, at_ms, started, asked, room, held, closing } = begun;
    let Ended { status, content_type, body, complete, retry_after, is_served, refused, meter } =
        ended;
    let reading = meter.map(|meter| meter.finish(&body)).unwrap_or_default();
    if let Some(error) = &reading.error {
        tracing::info!(run = %door.grant.run, error, "a model's answer ended with an error");
    }
    let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let bill = (asked.endpoint.is_billed() && refused.is_none()).then(|| {
        let model = reading.billed_model(&asked.model, &door.shared.prices);
        let usage = reading.usage(&terms(door, &asked), is_served);
        Bill { model: door.veil.over(model.to_owned()), usage }
    });
    if let Some(held) = held {
        held.settle(&bill.as_ref().map(|bill| bill.usage).unwrap_or_default());
    }
    if let Some(Bill { model, usage }) = bill.clone() {
        let report = CallReport { run: door.grant.run, model, usage, status, latency_ms };
        // Nobody listens any more once a run is over; what counts is what is recorded.
        if timeout(REPORT_TIMEOUT, door.usage.send(report)).await.is_err() {
            tracing::error!(run = %door.grant.run, "nobody took the bill of a model call");
        }
    }
    let (tokens, error) = (reading.tokens, reading.error);
    let (body, room) = (body.into(), Some(room));
    let draft = Draft {
        n,
        at_ms,
        asked,
        status,
        content_type,
        body,
        complete,
        retry_after,
        error,
        tokens,
        bill,
        refused,
        closing,
        latency_ms,
        room,
    };
    door.recorder.record(draft).await;
}

impl Ended {
    fn without_answer(status: u16, body: String) -> Self {
        let content_type = "application/json".to_owned();
        let body = body.into_bytes();
        Self {
            status,
            content_type,
            body,
            complete: false,
            retry_after: None,
            is_served: true,
            refused: None,
            meter: None,
        }
    }
}

/// Waits for `work`, unless the run ends or the client leaves before.
pub(super) async fn unless_over<T>(
    door: &Door,
    client_left: impl Future<Output = ()>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let (client_left, work) = (pin!(client_left), pin!(work));
    match door.stop.run_until_cancelled(select(client_left, work)).await {
        Some(Either::Right((done, _))) => Some(done),
        Some(Either::Left(_)) | None => None,
    }
}

pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
