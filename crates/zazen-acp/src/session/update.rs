//! What an agent tells during its turn, as events.

use agent_client_protocol_schema::v1::{
    ContentBlock, PlanEntryStatus, SessionUpdate, ToolCallUpdate,
};
use serde_json::Value;

use super::{ERROR_SIGN, Out, Session, Stage};
use crate::event::{Event, Item, ItemStatus};
use crate::speech::How;
use crate::usage;

/// How Copilot begins what it says for itself.
const NOTICE_SIGN: &str = "Info: ";

/// What is in its notice of a call that is tried again.
const RETRY_SIGN: &str = "Retrying";

impl Session {
    /// Takes a `session/update`. What comes before the prompt is the replay of an older
    /// session, or lists that nobody here reads.
    pub(super) fn told(&mut self, mut message: Value) {
        if self.stage != Stage::Prompt {
            return;
        }
        let update = message["params"]["update"].take();
        let usage = usage::of_update(&update);
        match serde_json::from_value::<SessionUpdate>(update.clone()) {
            Ok(SessionUpdate::AgentMessageChunk(chunk)) => {
                let id = chunk.message_id.map(|id| id.0.to_string());
                self.spoken((How::Aloud, id), chunk.content, &update);
            }
            Ok(SessionUpdate::AgentThoughtChunk(chunk)) => {
                let id = chunk.message_id.map(|id| id.0.to_string());
                self.spoken((How::Thought, id), chunk.content, &update);
            }
            Ok(SessionUpdate::ToolCall(_) | SessionUpdate::ToolCallUpdate(_)) => {
                self.tool(update);
            }
            Ok(SessionUpdate::Plan(plan)) => {
                let items = plan
                    .entries
                    .into_iter()
                    .map(|entry| Item { text: entry.content, status: status(&entry.status) });
                self.tell(Event::Plan { items: items.collect() });
            }
            Ok(SessionUpdate::UsageUpdate(usage)) => {
                let cost = usage.cost.filter(|cost| cost.currency == "USD");
                let cost_micros = cost.and_then(|cost| micros(cost.amount));
                self.aside(Event::Context { used: usage.used, size: usage.size, cost_micros });
            }
            // Our own words; and lists that a person would choose from.
            Ok(
                SessionUpdate::UserMessageChunk(_)
                | SessionUpdate::AvailableCommandsUpdate(_)
                | SessionUpdate::ConfigOptionUpdate(_)
                | SessionUpdate::SessionInfoUpdate(_),
            ) => {}
            Ok(_) | Err(_) => self.tell(Event::Raw { line: update.to_string() }),
        }
        if let Some(usage) = usage {
            self.tell(usage);
        }
        self.interrupt();
    }

    fn spoken(&mut self, (how, id): (How, Option<String>), content: ContentBlock, whole: &Value) {
        let ContentBlock::Text(content) = content else {
            return self.tell(Event::Raw { line: whole.to_string() });
        };
        let text = content.text;
        let is_own = self.is_copilot() && how == How::Aloud;
        if is_own && let Some(notice) = text.strip_prefix(NOTICE_SIGN) {
            let notice = notice.to_owned();
            return self.tell(if notice.contains(RETRY_SIGN) {
                Event::Retry { why: notice }
            } else {
                Event::Notice { text: notice }
            });
        }
        if is_own && text.starts_with(ERROR_SIGN) {
            self.end_speech();
        }
        if how == How::Aloud && !text.trim().is_empty() {
            self.refused = None;
        }
        let told = self.speech.take(how, id, &text);
        self.out.extend(told.map(Out::Tell));
    }

    fn tool(&mut self, update: Value) {
        // A first announcement has the same fields as all others.
        let Ok(update) = serde_json::from_value::<ToolCallUpdate>(update) else { return };
        let events = self.tools.update(update);
        if events.iter().any(|event| matches!(event, Event::Call { .. })) {
            self.refused = None;
        }
        if !events.is_empty() {
            self.end_speech();
        }
        self.out.extend(events.into_iter().map(Out::Tell));
    }

    /// Copilot says in the words of its model what its program has to say.
    pub(super) fn is_copilot(&self) -> bool {
        self.agent == "Copilot"
    }
}

fn status(status: &PlanEntryStatus) -> ItemStatus {
    if *status == PlanEntryStatus::Completed {
        ItemStatus::Completed
    } else if *status == PlanEntryStatus::InProgress {
        ItemStatus::InProgress
    } else {
        ItemStatus::Pending
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in range")]
fn micros(amount: f64) -> Option<u64> {
    let micros = (amount * 1e6).round();
    (0.0..1e15).contains(&micros).then_some(micros as u64)
}
