//! Tests of the meter: every shape of answer, cut at every byte.

use super::*;

const STREAM: &str = "text/event-stream; charset=utf-8";
const JSON: &str = "application/json";

const ANTHROPIC: &str = concat!(
    "event: message_start\n",
    r#"data: {"type":"message_start","message":{"model":"claude-sonnet-4-5-20250929","#,
    r#""usage":{"input_tokens":10,"cache_creation_input_tokens":200,"#,
    r#""cache_read_input_tokens":3000,"#,
    r#""cache_creation":{"ephemeral_5m_input_tokens":150,"ephemeral_1h_input_tokens":50},"#,
    r#""output_tokens":1}}}"#,
    "\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n",
    "event: content_block_delta\n",
    r#"data: {"type":"content_block_delta","#,
    r#""delta":{"text":"\"usage\": {\"output_tokens\": 9999}"}}"#,
    "\n\nevent: message_delta\n",
    r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"#,
    r#""usage":{"output_tokens":42}}"#,
    "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);
const ANTHROPIC_TOKENS: Tokens =
    Tokens { input: 10, output: 42, cache_read: 3000, cache_write: 200 };

const CHAT: &str = concat!(
    r#"data: {"model":"gpt-4o-2024-08-06","#,
    r#""choices":[{"delta":{"content":"\"usage\""}}],"usage":null}"#,
    "\n\n",
    r#"data: {"model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":100,"#,
    r#""completion_tokens":7,"prompt_tokens_details":{"cached_tokens":60}}}"#,
    "\n\ndata: [DONE]\n\n",
);
const CHAT_TOKENS: Tokens = Tokens { input: 40, output: 7, cache_read: 60, cache_write: 0 };

const RESPONSES: &str = concat!(
    "event: response.created\n",
    r#"data: {"type":"response.created","response":{"model":"gpt-5-codex","usage":null}}"#,
    "\n\nevent: response.output_text.delta\n",
    r#"data: {"type":"response.output_text.delta","delta":"hi"}"#,
    "\n\nevent: response.completed\n",
    r#"data: {"type":"response.completed","response":{"model":"gpt-5-codex","usage":{"#,
    r#""input_tokens":500,"input_tokens_details":{"cached_tokens":400},"output_tokens":20,"#,
    r#""output_tokens_details":{"reasoning_tokens":12},"total_tokens":520}}}"#,
    "\n\n",
);
const RESPONSES_TOKENS: Tokens = Tokens { input: 100, output: 20, cache_read: 400, cache_write: 0 };

const GEMINI: &str = concat!(
    r#"data: {"candidates":[{"content":{"parts":[{"text":"\"usageMetadata\""}],"role":"model"}}],"#,
    r#""usageMetadata":{"promptTokenCount":900,"candidatesTokenCount":3,"totalTokenCount":903},"#,
    r#""modelVersion":"gemini-2.5-pro"}"#,
    "\r\n\r\n",
    r#"data: {"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}],"#,
    r#""modelVersion":"gemini-2.5-pro","usageMetadata":{"promptTokenCount":900,"#,
    r#""cachedContentTokenCount":600,"toolUsePromptTokenCount":5,"candidatesTokenCount":30,"#,
    r#""thoughtsTokenCount":70,"totalTokenCount":1005}}"#,
    "\r\n\r\n",
);
const GEMINI_TOKENS: Tokens = Tokens { input: 305, output: 100, cache_read: 600, cache_write: 0 };

const STREAMS: [(Endpoint, &str, Tokens); 3] = [
    (Endpoint::Messages, ANTHROPIC, ANTHROPIC_TOKENS),
    (Endpoint::ChatCompletions, CHAT, CHAT_TOKENS),
    (Endpoint::Responses, RESPONSES, RESPONSES_TOKENS),
];

fn terms<'a>(asked: &'a str, prices: &'a Prices) -> Terms<'a> {
    let most = Most { input: 1_000, output: 2_000, has_other_price: false };
    Terms { prices, unknown: prices.dearest(), asked, most }
}

fn read(endpoint: Endpoint, content_type: &str, chunks: &[&[u8]]) -> Reading {
    let mut meter = Meter::new(endpoint, content_type);
    for chunk in chunks {
        meter.push(chunk);
    }
    meter.finish(&chunks.concat())
}

#[test]
fn a_stream_of_each_api_is_counted() {
    for (endpoint, text, tokens) in STREAMS {
        let reading = read(endpoint, STREAM, &[text.as_bytes()]);
        assert_eq!((reading.tokens, reading.settled), (tokens, true), "{endpoint:?}");
    }
    let reading = read(Endpoint::Messages, STREAM, &[ANTHROPIC.as_bytes()]);
    assert_eq!(reading.n_hour, 50);
    assert_eq!(reading.model.as_deref(), Some("claude-sonnet-4-5-20250929"));
}

#[test]
fn a_stream_cut_in_two_anywhere_counts_the_same() {
    for (endpoint, text, _) in STREAMS {
        let whole = read(endpoint, STREAM, &[text.as_bytes()]);
        for at in 0..=text.len() {
            let (a, b) = text.as_bytes().split_at(at);
            assert_eq!(read(endpoint, STREAM, &[a, b]), whole, "{endpoint:?} at {at}");
        }
    }
}

#[test]
fn a_stream_that_ends_anywhere_is_settled_only_if_its_usage_was_seen() {
    for (endpoint, text, tokens) in STREAMS {
        let last_usage = text.rfind(r#""usage""#).unwrap();
        let seen_at = last_usage + text[last_usage..].find("\n\n").unwrap() + 2;
        for at in 0..=text.len() {
            let reading = read(endpoint, STREAM, &[&text.as_bytes()[..at]]);
            assert_eq!(reading.settled, at >= seen_at, "{endpoint:?} at {at}");
            assert!(reading.tokens.total() <= tokens.total(), "{endpoint:?} at {at}");
            assert!(!reading.settled || reading.tokens == tokens, "{endpoint:?} at {at}");
        }
    }
}

#[test]
fn a_whole_answer_of_each_api_is_counted() {
    let anthropic = r#"{"type":"message","model":"m","usage":{"input_tokens":10,
        "cache_creation_input_tokens":200,"cache_read_input_tokens":3000,"output_tokens":42}}"#;
    let chat = r#"{"object":"chat.completion","model":"m","usage":{"prompt_tokens":100,
        "completion_tokens":7,"prompt_tokens_details":{"cached_tokens":60}}}"#;
    let responses = r#"{"object":"response","model":"m","usage":{"input_tokens":500,
        "input_tokens_details":{"cached_tokens":400},"output_tokens":20}}"#;
    for (endpoint, text, tokens) in [
        (Endpoint::Messages, anthropic, ANTHROPIC_TOKENS),
        (Endpoint::ChatCompletions, chat, CHAT_TOKENS),
        (Endpoint::Responses, responses, RESPONSES_TOKENS),
    ] {
        let reading = read(endpoint, JSON, &[text.as_bytes()]);
        let model = Some("m".to_owned());
        assert_eq!(reading, Reading { tokens, model, settled: true, ..Reading::default() });
        for at in 0..text.len() {
            let cut = read(endpoint, JSON, &[&text.as_bytes()[..at]]);
            assert_eq!(cut, Reading::default(), "{endpoint:?} at {at}");
        }
    }
}

#[test]
fn a_call_that_is_not_settled_has_an_unknown_cost_with_its_known_part() {
    let prices = Prices::builtin();
    let at = ANTHROPIC.find("event: ping").unwrap();
    let reading = read(Endpoint::Messages, STREAM, &[&ANTHROPIC.as_bytes()[..at]]);
    // 10 x 3 + 1 x 15 + 3000 x 0.3 + 150 x 3.75 + 50 x 6 millionths, rounded.
    let known_micros = 30 + 15 + 900 + 563 + 300;
    assert_eq!(reading.usage(&terms("x", &prices), true).cost, Cost::Unknown { known_micros });
    let nothing = Reading::default();
    assert_eq!(
        nothing.usage(&terms("gpt-5", &prices), true).cost,
        Cost::Unknown { known_micros: 0 },
        "an answer without usage"
    );
    assert_eq!(
        nothing.usage(&terms("gpt-5", &prices), false).cost,
        Cost::Micros(0),
        "a refused call"
    );
}

#[test]
fn the_model_that_answered_is_billed_if_it_has_a_price() {
    let prices = Prices::builtin();
    let reading = |model: &str| Reading {
        model: Some(model.to_owned()),
        settled: true,
        ..Reading::default()
    };
    assert_eq!(reading("gpt-4o-2024-08-06").billed_model("alias", &prices), "gpt-4o-2024-08-06");
    assert_eq!(reading("internal-7").billed_model("gpt-5", &prices), "gpt-5");
    assert_eq!(reading("internal-7").billed_model("alias", &prices), "internal-7");
    assert_eq!(Reading::default().billed_model("alias", &prices), "alias");
    let unknown = reading("internal-7").usage(&terms("alias", &prices), true);
    assert_eq!(unknown.cost, Cost::Unknown { known_micros: 0 });
}

#[test]
fn a_stream_of_gemini_is_counted_with_its_thoughts_and_without_what_was_cached() {
    let reading = read(Endpoint::StreamGenerate, STREAM, &[GEMINI.as_bytes()]);
    assert_eq!((reading.tokens, reading.settled), (GEMINI_TOKENS, true));
    assert_eq!(reading.model.as_deref(), Some("gemini-2.5-pro"));
    let prices = Prices::builtin();
    // 305 x 1.25 + 100 x 10 + 600 x 0.125, rounded.
    let usage = reading.usage(&terms("gemini-2.5-pro", &prices), true);
    assert_eq!((usage.cost, usage.assumed), (Cost::Micros(1_456), Amount::default()));
    let end_of_first = GEMINI.find("\r\n\r\n").unwrap() + 4;
    let cut = read(Endpoint::StreamGenerate, STREAM, &[&GEMINI.as_bytes()[..end_of_first]]);
    assert_eq!((cut.tokens.input, cut.settled), (900, false));
    for at in 0..=GEMINI.len() {
        let (a, b) = GEMINI.as_bytes().split_at(at);
        assert_eq!(read(Endpoint::StreamGenerate, STREAM, &[a, b]), reading, "at {at}");
    }
}

#[test]
fn answers_of_gemini_that_are_no_events_are_counted_too() {
    let parts: Vec<&str> =
        GEMINI.split("\r\n\r\n").filter_map(|part| part.strip_prefix("data: ")).collect();
    let list = format!("[{}\n]", parts.join(",\n"));
    let reading = read(Endpoint::StreamGenerate, JSON, &[list.as_bytes()]);
    assert_eq!((reading.tokens, reading.settled), (GEMINI_TOKENS, true));
    let reading = read(Endpoint::Generate, JSON, &[parts[1].as_bytes()]);
    assert_eq!((reading.tokens, reading.settled), (GEMINI_TOKENS, true));
    let blocked = r#"{"promptFeedback":{"blockReason":"SAFETY"},
        "usageMetadata":{"promptTokenCount":9,"totalTokenCount":9}}"#;
    let reading = read(Endpoint::Generate, JSON, &[blocked.as_bytes()]);
    assert_eq!((reading.tokens.input, reading.settled), (9, true));
    let counted = r#"{"totalTokens":9}"#;
    assert_eq!(read(Endpoint::CountGeminiTokens, JSON, &[counted.as_bytes()]), Reading::default());
}

#[test]
fn what_is_not_known_is_assumed_at_its_worst() {
    let prices = Prices::builtin();
    let terms = terms("claude-sonnet-4-5", &prices);
    // 1000 x 6 (kept for an hour) + 2000 x 15: what the call can come to.
    assert_eq!(terms.worst(), Amount { micros: 36_000, tokens: 3_000 });
    let nothing = Reading::default().usage(&terms, true);
    assert_eq!(nothing.counted(), Amount { micros: 36_000, tokens: 3_000 });
    // Once the prompt is known, only the answer is not.
    let at = ANTHROPIC.find("event: ping").unwrap();
    let begun = read(Endpoint::Messages, STREAM, &[&ANTHROPIC.as_bytes()[..at]]);
    let begun = begun.usage(&terms, true);
    assert_eq!(begun.cost, Cost::Unknown { known_micros: 1_808 });
    // 10 x 3 + 3000 x 0.3 + 150 x 3.75 + 50 x 6 + 2000 x 15, rounded.
    assert_eq!(begun.counted(), Amount { micros: 31_793, tokens: 3_210 + 2_000 });
    let settled = read(Endpoint::Messages, STREAM, &[ANTHROPIC.as_bytes()]);
    assert_eq!(settled.usage(&terms, true).assumed, Amount::default());
    let refused = Reading::default().usage(&terms, false);
    assert_eq!((refused.cost, refused.assumed), (Cost::Micros(0), Amount::default()));
}

#[test]
fn another_tier_and_another_model_count_at_the_dearest_price() {
    let prices = Prices::builtin();
    let reading = read(Endpoint::ChatCompletions, STREAM, &[CHAT.as_bytes()]);
    let dearest = prices.dearest().micros(CHAT_TOKENS, 0);
    let plain = terms("gpt-4o", &prices);
    let most = Most { has_other_price: true, ..plain.most };
    let usage = reading.usage(&Terms { most, ..plain }, true);
    assert_eq!(usage.cost, Cost::Unknown { known_micros: 0 });
    assert_eq!(usage.assumed, Amount { micros: dearest, tokens: 0 });
    let unknown = Reading { model: Some("house-1".to_owned()), ..reading };
    let usage = unknown.usage(&terms("house", &prices), true);
    assert_eq!((usage.counted().micros, usage.tokens), (dearest, CHAT_TOKENS));
}

#[test]
fn an_error_in_the_middle_of_an_answer_is_kept() {
    for (endpoint, text, expected) in [
        (
            Endpoint::Messages,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            "overloaded_error: Overloaded",
        ),
        (
            Endpoint::Responses,
            r#"{"type":"response.failed","response":{"error":{"code":"x","message":"no"}}}"#,
            "no",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"error":{"message":"no","type":"server_error"}}"#,
            "server_error: no",
        ),
        (
            Endpoint::StreamGenerate,
            r#"{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}"#,
            "UNAVAILABLE: busy",
        ),
    ] {
        let reading = read(endpoint, STREAM, &[format!("data: {text}\n\n").as_bytes()]);
        assert_eq!((reading.error.as_deref(), reading.settled), (Some(expected), false));
    }
}
