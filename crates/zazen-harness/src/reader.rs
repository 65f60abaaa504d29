//! Reads one run's stream, and says what the run came to.
//!
//! [`Reader::read`] takes the lines as they come. What an end is taken for is
//! decided once, in [`Reader::conclude`], from all that is known: the stream, what
//! was said on the other channel, how the process ended, and what was changed.

use zazen_core::prompt::gave_up;
use zazen_core::trace::{Claim, End, Event, Lines, RateLimit, Reset};
use zazen_core::usage::Tokens;

use super::acp::stream as acp;
use super::claude::stream as claude;
use super::{Patterns, aider, codex, copilot, custom, gemini, mini, opencode, said};

/// Reads the lines of one run's stream.
#[derive(Debug, Clone)]
pub struct Reader {
    kind: Kind,
    /// The agent's last words so far: what a plan or an answer is taken from.
    last_text: String,
    /// The last error that the harness told of, in its stream or beside it.
    last_error: String,
    end: Option<End>,
    session: Option<String>,
    /// When a limit is over that the provider says is reached.
    reset: Option<Reset>,
    before: Totals,
    totals: Totals,
    n_denied: u32,
    n_lines: u64,
    n_unknown: u64,
}

/// What a session used until now, as its harness says. A session that is resumed goes on
/// counting where it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub tokens: Tokens,
    pub cost_micros: u64,
}

/// In whose words a stream is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Claude,
    Codex,
    Qwen,
    Gemini,
    OpenCode,
    Copilot,
    Aider,
    Mini,
    /// That of the client which drives agents that speak the Agent Client Protocol.
    Acp,
}

/// How the stream of a harness is read.
#[derive(Debug, Clone)]
enum Kind {
    Claude(claude::Memory),
    Codex(codex::Memory),
    Qwen(claude::Memory),
    Gemini(gemini::Memory),
    OpenCode(opencode::Memory),
    Copilot(copilot::Memory),
    Aider(aider::Memory),
    Mini,
    Acp(acp::Memory),
    Custom(custom::Memory),
}

/// Which sums of a harness are those of the whole session, and not of one run.
#[derive(Debug, Clone, Copy, Default)]
struct Cumulative {
    tokens: bool,
    cost: bool,
}

/// What is known of a run's end beside its stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// The status that the process ended with.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// It did not go on, and was ended for that.
    pub is_overdue: bool,
    /// Whether anything was changed. None where nothing was to be changed.
    pub has_changed: Option<bool>,
    /// The model's last answer never came to its end, as was seen on its way.
    pub is_answer_cut: bool,
}

/// How long a line may be to be looked into. What comes from a sandbox is far shorter.
const LINE_BYTES_MAX: usize = 16 << 20;

/// How much of a longer line is kept.
const LONG_LINE_KEPT: usize = 64 << 10;

/// How much of an agent's last words is kept. A plan is far shorter.
const TEXT_BYTES_MAX: usize = 8 << 20;

impl Reader {
    /// A reader for one run's stream.
    pub fn of(dialect: Dialect) -> Self {
        Self::new(match dialect {
            Dialect::Claude => Kind::Claude(claude::Memory::default()),
            Dialect::Qwen => Kind::Qwen(claude::Memory::of_qwen()),
            Dialect::Codex => Kind::Codex(codex::Memory::default()),
            Dialect::Gemini => Kind::Gemini(gemini::Memory::default()),
            Dialect::OpenCode => Kind::OpenCode(opencode::Memory::default()),
            Dialect::Copilot => Kind::Copilot(copilot::Memory::default()),
            Dialect::Aider => Kind::Aider(aider::Memory::default()),
            Dialect::Mini => Kind::Mini,
            Dialect::Acp => Kind::Acp(acp::Memory::default()),
        })
    }

    /// A reader for the stream of a program whose lines mean what its owner says.
    pub fn custom(lines: &Patterns) -> Self {
        Self::new(Kind::Custom(custom::Memory::of(lines)))
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            last_text: String::new(),
            last_error: String::new(),
            end: None,
            session: None,
            reset: None,
            before: Totals::default(),
            totals: Totals::default(),
            n_denied: 0,
            n_lines: 0,
            n_unknown: 0,
        }
    }

    /// The same for a session that goes on, and has used this much before: what the harness
    /// counts from the session's beginning is not counted again.
    #[must_use]
    pub fn after(mut self, before: Totals) -> Self {
        self.before = before;
        self.totals = before;
        self
    }

    /// Reads one line of the program's standard output. There is always something in it:
    /// a line that says nothing known is an event by itself.
    pub fn read(&mut self, line: &str) -> Vec<Event> {
        self.n_lines += 1;
        if line.len() > LINE_BYTES_MAX {
            self.n_unknown += 1;
            let kept = said::cut(line, LONG_LINE_KEPT);
            let n_cut = line.len() - kept.len();
            return vec![Event::Unknown { line: format!("{kept}… ({n_cut} more bytes)") }];
        }
        let mut events = match &mut self.kind {
            Kind::Claude(memory) | Kind::Qwen(memory) => claude::read(memory, line),
            Kind::Codex(memory) => codex::read(memory, line),
            Kind::Gemini(memory) => gemini::read(memory, line),
            Kind::OpenCode(memory) => opencode::read(memory, line),
            Kind::Copilot(memory) => copilot::read(memory, line),
            Kind::Aider(memory) => aider::read(memory, line),
            Kind::Mini => mini::read(line),
            Kind::Acp(memory) => acp::read(memory, line),
            Kind::Custom(memory) => custom::read(memory, line),
        };
        if events.is_empty() {
            events.push(Event::Unknown { line: line.to_owned() });
        }
        if matches!(events.as_slice(), [Event::Unknown { .. }]) {
            self.n_unknown += 1;
        }
        for event in &mut events {
            self.take_in(event);
        }
        events
    }

    /// Takes in one line of the program's standard error: some harnesses say there alone
    /// why they end.
    pub fn read_error(&mut self, line: &str) {
        if let Kind::Codex(_) = self.kind
            && codex::denied(line).is_some()
        {
            self.n_denied += 1;
        }
        if said::claim_of(line).is_some() {
            line.clone_into(&mut self.last_error);
        }
    }

    fn take_in(&mut self, event: &mut Event) {
        match event {
            Event::Started { session: Some(session), .. } => self.session = Some(session.clone()),
            // Its lines are parts of an answer, which is whole when it says what it used.
            Event::Text { .. } if matches!(self.kind, Kind::Aider(_)) => {}
            Event::Text { .. } if matches!(self.kind, Kind::Custom(_)) => self.take_in_said(),
            Event::Text { text } if text.len() <= TEXT_BYTES_MAX => {
                self.last_text.clone_from(text);
            }
            Event::End(end) => self.end = Some(end.clone()),
            Event::Notice { .. } if matches!(self.kind, Kind::OpenCode(_)) => self.end = None,
            Event::Error { message } => message.clone_into(&mut self.last_error),
            Event::Denied { .. } => self.n_denied += 1,
            Event::RateLimit(RateLimit { status, resets_at: Some(at), .. })
                if status == "rejected" =>
            {
                self.reset = Some(Reset::At(*at));
            }
            Event::Usage { tokens, cost_micros } => {
                self.count(tokens, cost_micros);
                self.take_in_answer();
            }
            Event::Sub { event, .. } => {
                if let Event::Denied { .. } = **event {
                    self.n_denied += 1;
                }
            }
            Event::Started { .. }
            | Event::Text { .. }
            | Event::Delta { .. }
            | Event::Thinking { .. }
            | Event::ToolCall { .. }
            | Event::ToolResult { .. }
            | Event::Files { .. }
            | Event::Todo { .. }
            | Event::Retry { .. }
            | Event::RateLimit(_)
            | Event::Told { .. }
            | Event::Notice { .. }
            | Event::Unknown { .. } => {}
        }
    }

    /// An answer is all that such a program says: it has lines, and no texts. It went on, so it
    /// got over what went wrong before.
    fn take_in_said(&mut self) {
        if let Kind::Custom(memory) = &self.kind {
            memory.said().clone_into(&mut self.last_text);
            self.last_error.clear();
        }
    }

    /// Aider says what it used after each whole answer. It went on, so it got over what went
    /// wrong before.
    fn take_in_answer(&mut self) {
        if let Kind::Aider(memory) = &self.kind {
            memory.answer().clone_into(&mut self.last_text);
            self.last_error.clear();
        }
    }

    /// Makes what was used in this run of what the session used, where a harness says that.
    fn count(&mut self, tokens: &mut Tokens, cost_micros: &mut Option<u64>) {
        let cumulative = self.kind.cumulative();
        if cumulative.tokens {
            self.totals.tokens = *tokens;
            *tokens = minus(*tokens, self.before.tokens);
            self.before.tokens = self.totals.tokens;
        } else {
            self.totals.tokens += *tokens;
        }
        let Some(cost) = cost_micros else { return };
        if cumulative.cost {
            self.totals.cost_micros = *cost;
            *cost = cost.saturating_sub(self.before.cost_micros);
            self.before.cost_micros = self.totals.cost_micros;
        } else {
            self.totals.cost_micros = self.totals.cost_micros.saturating_add(*cost);
        }
    }

    /// How the harness said it ended, if it said so.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// The agent's answer: what it said at its end, or its last words before.
    pub fn answer(&self) -> &str {
        match &self.end {
            Some(End { claim: Claim::Finished, text, .. }) if !text.trim().is_empty() => text,
            _ => &self.last_text,
        }
    }

    /// The session, by which it can be resumed, if the stream named one.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// What the session used until now. A run that resumes it is read [`Reader::after`] that.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// How many lines were read, and how many of them said nothing that is known. A harness
    /// whose stream has changed shows here.
    pub fn lines(&self) -> Lines {
        Lines { n: self.n_lines, n_unknown: self.n_unknown }
    }

    /// How many lines said nothing that is known.
    pub fn n_unknown(&self) -> u64 {
        self.n_unknown
    }

    /// How often a tool was refused, as far as the harness says so.
    pub fn n_denied(&self) -> u32 {
        self.n_denied
    }

    /// Says what the run came to. Whatever speaks against a success counts more than what
    /// speaks for it.
    pub fn conclude(&self, facts: &Facts) -> End {
        let mut end = match &self.end {
            _ if facts.is_overdue => self.said(Claim::Hung),
            Some(end) if end.claim == Claim::Finished => self.finished(end, facts),
            Some(end) => end.clone(),
            None if facts.code == Some(0) && self.kind.ends_in_text() => self.ended_in_text(facts),
            None => self.without_end(facts),
        };
        if end.claim == Claim::Quota {
            end.reset = self
                .reset
                .or(end.reset)
                .or_else(|| said::reset_of(&end.text))
                .or_else(|| said::reset_of(&self.last_error));
        }
        end
    }

    fn finished(&self, end: &End, facts: &Facts) -> End {
        let claim = match facts {
            Facts { signal: Some(_), .. } => Claim::Killed,
            Facts { code: Some(code), .. } if *code != 0 => Claim::Crashed,
            Facts { is_answer_cut: true, .. } => Claim::StreamCut,
            _ if gave_up(self.answer()).is_some() => Claim::GaveUp,
            Facts { has_changed: Some(false), .. } if self.n_denied > 0 => Claim::NeedsPermission,
            Facts { has_changed: Some(false), .. } => Claim::NothingDone,
            Facts { .. } => Claim::Finished,
        };
        End { claim, ..end.clone() }
    }

    /// Of a program that never says how it ended, and ends with success whatever happened.
    fn ended_in_text(&self, facts: &Facts) -> End {
        if let Some(claim) = said::claim_of(&self.last_error) {
            return self.said(claim);
        }
        if !self.kind.is_complete() || !self.last_error.is_empty() && self.kind.counts_errors() {
            return self.said(Claim::Crashed);
        }
        let text = self.last_text.clone();
        self.finished(&End { claim: Claim::Finished, text, reset: None }, facts)
    }

    /// The stream ended without an end.
    fn without_end(&self, facts: &Facts) -> End {
        if facts.signal.is_some() {
            return self.said(Claim::Killed);
        }
        let by_code = facts.code.and_then(|code| self.kind.claim_of_code(code));
        let claim = by_code.or_else(|| said::claim_of(&self.last_error)).unwrap_or(Claim::Crashed);
        self.said(claim)
    }

    /// An end that is not the harness's own, with the last error as its words.
    fn said(&self, claim: Claim) -> End {
        End { claim, text: self.last_error.clone(), reset: None }
    }
}

impl Kind {
    /// Whether its stream has no sign of its end.
    fn ends_in_text(&self) -> bool {
        matches!(self, Self::Aider(_) | Self::Custom(_))
    }

    /// Whether all was said that is to be said before an end that is a success.
    fn is_complete(&self) -> bool {
        match self {
            Self::Custom(memory) => memory.is_complete(),
            Self::Aider(memory) => memory.has_answered(),
            Self::Claude(_)
            | Self::Codex(_)
            | Self::Qwen(_)
            | Self::Gemini(_)
            | Self::OpenCode(_)
            | Self::Copilot(_)
            | Self::Mini
            | Self::Acp(_) => true,
        }
    }

    /// Whether an error that nothing came after speaks against a success, whatever its words.
    fn counts_errors(&self) -> bool {
        matches!(self, Self::Aider(_) | Self::Custom(_))
    }

    fn cumulative(&self) -> Cumulative {
        match self {
            Self::Claude(_) => Cumulative { cost: true, ..Cumulative::default() },
            Self::Codex(_) | Self::Qwen(_) => Cumulative { tokens: true, ..Cumulative::default() },
            Self::Acp(_) => Cumulative { cost: true, ..Cumulative::default() },
            Self::Gemini(_)
            | Self::OpenCode(_)
            | Self::Copilot(_)
            | Self::Aider(_)
            | Self::Mini
            | Self::Custom(_) => Cumulative::default(),
        }
    }

    /// What a status means that a harness ends with, when its stream has no end.
    fn claim_of_code(&self, code: i32) -> Option<Claim> {
        match (self, code) {
            (Self::Qwen(_), 53 | 55) => Some(Claim::TurnLimit),
            (Self::Gemini(_), _) => gemini::claim_of_code(code),
            (
                Self::Claude(_)
                | Self::Codex(_)
                | Self::Qwen(_)
                | Self::OpenCode(_)
                | Self::Copilot(_)
                | Self::Aider(_)
                | Self::Mini
                | Self::Acp(_)
                | Self::Custom(_),
                _,
            ) => claim_of_shell_code(code),
        }
    }
}

/// A program that ends in an orderly way for a signal says so as a shell does.
fn claim_of_shell_code(code: i32) -> Option<Claim> {
    matches!(code, 129 | 130 | 137 | 143).then_some(Claim::Killed)
}

fn minus(tokens: Tokens, less: Tokens) -> Tokens {
    Tokens {
        input: tokens.input.saturating_sub(less.input),
        output: tokens.output.saturating_sub(less.output),
        cache_read: tokens.cache_read.saturating_sub(less.cache_read),
        cache_write: tokens.cache_write.saturating_sub(less.cache_write),
    }
}
