//! Tests of the price table: which names it covers, and the sum.

use super::*;

fn micros(model: &str, tokens: Tokens) -> u64 {
    match Prices::builtin().cost(model, tokens) {
        Cost::Micros(micros) => micros,
        Cost::Unknown { .. } => panic!("`{model}` has no price"),
    }
}

fn input_only(n_tokens: u64) -> Tokens {
    Tokens { input: n_tokens, ..Tokens::default() }
}

#[test]
fn every_kind_of_token_has_its_own_price() {
    let tokens = Tokens { input: 1_000, output: 100, cache_read: 10_000, cache_write: 2_000 };
    // 1000 x 3 + 100 x 15 + 10000 x 0.3 + 2000 x 3.75, in millionths.
    assert_eq!(micros("claude-sonnet-4-5", tokens), 3_000 + 1_500 + 3_000 + 7_500);
}

#[test]
fn an_hour_in_the_cache_costs_more() {
    let prices = Prices::builtin();
    let tokens = Tokens { cache_write: 1_000, ..Tokens::default() };
    let cost = |n_hour| prices.cost_with_hour_cache("claude-sonnet-4-5", tokens, n_hour);
    assert_eq!(cost(0), Cost::Micros(3_750));
    assert_eq!(cost(1_000), Cost::Micros(6_000));
    assert_eq!(cost(9_999), Cost::Micros(6_000), "never more than was written");
}

#[test]
fn a_date_after_the_name_is_the_same_model() {
    let million = input_only(1_000_000);
    assert_eq!(micros("claude-opus-4-20250514", million), 15_000_000);
    assert_eq!(micros("claude-opus-4-1-20250805", million), 15_000_000);
    assert_eq!(micros("claude-opus-4-5-20251101", million), 5_000_000);
    assert_eq!(micros("claude-opus-5", million), 5_000_000);
    assert_eq!(micros("claude-opus-5-5", million), 4_000_000);
    assert_eq!(micros("claude-3-5-haiku-latest", million), 800_000);
    assert_eq!(micros("claude-haiku-4-5@20251001", million), 1_000_000);
    assert_eq!(micros("gpt-4o-2024-08-06", million), 2_500_000);
    assert_eq!(micros("gpt-4o-mini-2024-07-18", million), 150_000);
}

#[test]
fn a_model_without_a_price_has_an_unknown_cost() {
    let prices = Prices::builtin();
    for model in [
        "",
        "claude-opus-45",
        "claude-opus-4-9",
        "claude-haiku-5-5",
        "claude-opus-4-20250514-extra",
        "gpt-5-pro",
        "gpt-4o-audio-preview",
        "o3-pro",
        "o33",
        "gpt",
        "gpt-4o-2024-0806-",
        "gpt-4o-２０２４",
        "llama",
    ] {
        assert_eq!(
            prices.cost(model, input_only(1)),
            Cost::Unknown { known_micros: 0 },
            "`{model}`"
        );
    }
}

#[test]
fn an_override_replaces_a_price_and_may_cover_a_family() {
    let cheap = Price {
        input: 1_000_000,
        output: 0,
        cache_read: 0,
        cache_write: 0,
        cache_write_hour: None,
    };
    let free = Price { input: 0, ..cheap };
    let prices = Prices::builtin().merged(Prices::from_iter([
        ("gpt-5".to_owned(), cheap),
        ("qwen*".to_owned(), free),
        ("qwen-max*".to_owned(), cheap),
    ]));
    assert_eq!(prices.cost("gpt-5", input_only(7)), Cost::Micros(7));
    assert_eq!(prices.cost("qwen2.5-coder", input_only(7)), Cost::Micros(0));
    assert_eq!(prices.cost("qwen-max-1", input_only(7)), Cost::Micros(7), "the longest counts");
}

#[test]
fn the_sum_is_rounded_to_the_nearest_millionth_and_never_overflows() {
    // 0.4 and 0.8 millionths of a dollar.
    assert_eq!(micros("gpt-4.1-mini", input_only(1)), 0);
    assert_eq!(micros("claude-3-5-haiku", input_only(1)), 1);
    let all =
        Tokens { input: u64::MAX, output: u64::MAX, cache_read: u64::MAX, cache_write: u64::MAX };
    assert_eq!(micros("claude-opus-4", all), u64::MAX);
}

#[test]
fn prices_are_read_from_a_plain_map() {
    let text = r#"{"m":{"input":1,"output":2,"cache_read":3,"cache_write":4}}"#;
    let prices: Prices = serde_json::from_str(text).unwrap();
    assert_eq!(prices.price("m").map(|price| price.cache_write), Some(4));
    assert_eq!(serde_json::to_string(&prices).unwrap(), text);
}
