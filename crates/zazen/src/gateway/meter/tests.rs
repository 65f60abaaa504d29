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

const STREAMS: [(Endpoint, &str, Tokens); 3] = [
    (Endpoint::Messages, ANTHROPIC, ANTHROPIC_TOKENS),
    (Endpoint::ChatCompletions, CHAT, CHAT_TOKENS),
    (Endpoint::Responses, RESPONSES, RESPONSES_TOKENS),
];

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
        assert_eq!(reading, Reading { tokens, n_hour: 0, model, settled: true });
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
    assert_eq!(reading.usage("x", &prices, true).cost, Cost::Unknown { known_micros });
    let nothing = Reading::default();
    assert_eq!(
        nothing.usage("gpt-5", &prices, true).cost,
        Cost::Unknown { known_micros: 0 },
        "an answer without usage"
    );
    assert_eq!(nothing.usage("gpt-5", &prices, false).cost, Cost::Micros(0), "a refused call");
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
    let unknown = reading("internal-7").usage("alias", &prices, true);
    assert_eq!(unknown.cost, Cost::Unknown { known_micros: 0 });
}
