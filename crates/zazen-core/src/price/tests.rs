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
        "gemini-3.8-flash",
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
        long: None,
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

#[test]
fn the_table_has_a_date_and_sources_and_no_odd_price() {
    let digits = prices_date().bytes().filter(u8::is_ascii_digit).count();
    assert!(digits == 8 && prices_date().len() == 10, "{}", prices_date());
    let mut names = std::collections::BTreeSet::new();
    for vendor in vendors() {
        assert!(vendor.source.starts_with("https://"), "{}", vendor.name);
        for (model, listed) in &vendor.models {
            let price = listed.price().unwrap_or_else(|why| panic!("{model}: {why}"));
            assert!(names.insert(model), "`{model}` stands there twice");
            assert!(price.input > 0 && price.input < price.output, "{model}");
            assert!(price.cache_read <= price.input, "{model}");
            assert!(price.cache_write >= price.input, "{model}");
            assert!(price.cache_write_hour.is_none_or(|hour| hour > price.cache_write), "{model}");
            let Some(long) = price.long else { continue };
            assert!(long.above >= 100_000, "{model}");
            assert!(long.input > price.input && long.output > price.output, "{model}");
            assert!(long.cache_read > price.cache_read, "{model}");
            assert!(long.cache_write > price.cache_write, "{model}");
        }
    }
    assert!(names.len() > 40);
}

#[test]
fn a_long_prompt_has_its_own_prices_for_the_whole_call() {
    let short = Tokens { input: 50_000, output: 10, cache_read: 140_000, cache_write: 10_000 };
    let long = Tokens { cache_write: 10_001, ..short };
    // 50000 x 3 + 10 x 15 + 140000 x 0.3 + 10000 x 3.75, and the same at twice the price.
    assert_eq!(micros("claude-sonnet-4-5", short), 150_000 + 150 + 42_000 + 37_500);
    assert_eq!(micros("claude-sonnet-4-5", long), 300_000 + 225 + 84_000 + 75_008);
    assert_eq!(micros("gemini-2.5-pro", input_only(200_000)), 250_000);
    assert_eq!(micros("gemini-2.5-pro", input_only(200_001)), 500_003);
}

#[test]
fn the_worst_case_of_a_call_is_never_below_what_it_costs() {
    let prices = Prices::builtin();
    for (input, cache_read, cache_write) in [(9, 0, 0), (0, 0, 300_000), (1, 250_000, 3)] {
        let tokens = Tokens { input, output: 77, cache_read, cache_write };
        for model in vendors().iter().flat_map(|vendor| vendor.models.keys()) {
            let price = prices.price(model).unwrap();
            let worst = price.micros_at_most(input + cache_read + cache_write, 77);
            assert!(worst >= price.micros(tokens, cache_write), "{model}");
            assert!(prices.dearest().micros(tokens, cache_write) >= price.micros(tokens, 0));
        }
    }
}

#[test]
fn a_price_that_nobody_means_is_refused() {
    let read = |text: &str| toml::from_str::<Listed>(text).map(|listed| listed.price());
    let listed = read("input = 3\noutput = 15.5").unwrap().unwrap();
    assert_eq!(
        (listed.input, listed.cache_read, listed.cache_write),
        (3_000_000, 3_000_000, 3_000_000)
    );
    assert!(read("input = -1\noutput = 2").unwrap().is_err());
    assert!(read("input = nan\noutput = 2").unwrap().is_err());
    assert!(
        read("input = 1\noutput = 2\nlong = { above = 9, input = 1e9, output = 1 }")
            .unwrap()
            .is_err()
    );
    assert!(read("input = 1").is_err() && read("input = 1\noutput = 1\ncache = 1").is_err());
}
