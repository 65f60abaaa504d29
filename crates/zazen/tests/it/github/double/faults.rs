//! What goes wrong on purpose: lost answers, limits, slow answers.

use std::time::Duration;

use super::state::now;
use super::wire::Reply;

/// How one request goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection breaks before anything has happened.
    Unheard,
    /// It is carried out, and the connection breaks before the answer.
    ReplyLost,
    /// It is carried out, and the answer is 502 by something in between.
    BadGatewayAfter,
    /// 503, and nothing has happened.
    Unavailable,
    /// 429 with `Retry-After` of so many seconds.
    TooMany(u64),
    /// 403 for a secondary limit, with `Retry-After` if there are seconds to tell.
    Secondary(Option<u64>),
    /// 403 as the hour's requests are used up; they come back after so many seconds.
    UsedUp(u64),
    /// 404, and nothing has happened: this server does not have it.
    Absent,
    /// The answer comes late.
    Slow(Duration),
}

/// A fault that waits for its request.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) method: String,
    pub(super) template: String,
    pub(super) fault: Fault,
    pub(super) times: usize,
}

impl Planned {
    pub(super) fn fits(&self, method: &str, template: &str) -> bool {
        let is_method = self.method == "*" || self.method == method;
        is_method && (self.template == "*" || self.template == template)
    }
}

impl Fault {
    /// The answer of a fault that keeps the request from being carried out.
    pub(super) fn refusal(&self) -> Option<Reply> {
        let secondary = "You have exceeded a secondary rate limit. Please wait a few minutes \
                         before you try again.";
        let mut reply = match self {
            Self::TooMany(_) => Reply::error(429, secondary),
            Self::Secondary(_) => Reply::error(403, secondary),
            Self::UsedUp(_) => Reply::error(403, "API rate limit exceeded for installation."),
            Self::Unavailable => return Some(Reply::error(503, "Service unavailable")),
            Self::Absent => return Some(Reply::error(404, "Not Found")),
            Self::Unheard | Self::ReplyLost | Self::BadGatewayAfter | Self::Slow(_) => return None,
        };
        match self {
            Self::TooMany(wait) | Self::Secondary(Some(wait)) => {
                reply.set("retry-after", &wait.to_string());
            }
            Self::UsedUp(wait) => {
                let reset = jiff::Timestamp::now().as_second() + wait.cast_signed();
                reply.set("x-ratelimit-remaining", "0");
                reply.set("x-ratelimit-used", "5000");
                reply.set("x-ratelimit-reset", &reset.to_string());
            }
            Self::Unheard
            | Self::ReplyLost
            | Self::BadGatewayAfter
            | Self::Unavailable
            | Self::Absent
            | Self::Secondary(None)
            | Self::Slow(_) => {}
        }
        reply.set("date", &now());
        Some(reply)
    }
}

/// What a proxy says when it has lost the server behind it.
pub(super) fn bad_gateway() -> Reply {
    let mut reply = Reply::empty(502);
    reply.body = "<html><head><title>502 Bad Gateway</title></head></html>".into();
    reply.set("content-type", "text/html");
    reply
}
