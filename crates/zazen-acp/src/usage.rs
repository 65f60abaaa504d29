//! What agents say they used. No two count alike.

use serde_json::Value;

use crate::event::{Event, Span};

/// Reads the usage of an answer to a prompt: the field that the protocol is about to have,
/// or Gemini's own.
pub(crate) fn of_answer(answer: &Value) -> Option<Event> {
    of_counts(&answer["usage"], Span::Turn).or_else(|| {
        let counts = &answer["_meta"]["quota"]["token_count"];
        let (input, output) = (counts["input_tokens"].as_u64()?, counts["output_tokens"].as_u64()?);
        Some(Event::Usage { of: Span::Turn, input, output, cache_read: 0, cache_write: 0 })
    })
}

/// Reads the usage of one call, which Qwen Code puts beside an empty piece of text.
pub(crate) fn of_update(update: &Value) -> Option<Event> {
    of_counts(&update["_meta"]["usage"], Span::Call)
}

fn of_counts(counts: &Value, of: Span) -> Option<Event> {
    let count = |name: &str| counts[name].as_u64();
    let (input, output) = (count("inputTokens")?, count("outputTokens")?);
    let (read, written) = (count("cachedReadTokens"), count("cachedWriteTokens"));
    let (cache_read, cache_write) = (read.unwrap_or(0), written.unwrap_or(0));
    // Some have what the cache did among the input and some beside it. The sum tells.
    let is_among = count("totalTokens") == Some(input.saturating_add(output));
    let cached = if is_among { cache_read.saturating_add(cache_write) } else { 0 };
    let input = input.saturating_sub(cached);
    Some(Event::Usage { of, input, output, cache_read, cache_write })
}
