//! Spans of time, sizes and sums, as people write them: `30m`, `4GiB`, `$10`.
//!
//! Each function reads one of them, or says how it is written. What a value means
//! is the matter of who asks.

use std::time::Duration;

/// Reads `90s`, `30m`, `2h` or `7d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (n, unit) = split(text);
    let seconds = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => {
            return Err(format!(
                "`{text}` is not a span of time; write it like `90s`, `30m` or `2h`"
            ));
        }
    };
    let n: u64 =
        n.parse().map_err(|_| format!("`{text}` is not a span of time; write it like `30m`"))?;
    if n == 0 {
        return Err(format!("`{text}` would stop every run at once; write more than 0"));
    }
    n.checked_mul(seconds)
        .map(Duration::from_secs)
        .ok_or_else(|| format!("`{text}` is longer than can be counted"))
}

/// Reads `512MiB` or `4GiB`.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let (n, unit) = split(text);
    let factor: u64 = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(format!("`{text}` is not a size; write it like `512MiB` or `4GiB`")),
    };
    let n: u64 = n.parse().map_err(|_| format!("`{text}` is not a size; write it like `4GiB`"))?;
    n.checked_mul(factor)
        .filter(|n| *n > 0)
        .ok_or_else(|| format!("`{text}` is not a size that can be used"))
}

/// Reads `$10`, `$0.50` or `none`, into millionths of a dollar.
pub(super) fn money(text: &str) -> Result<Option<u64>, String> {
    let wrong =
        || format!("`{text}` is not a sum of money; write it like `$10`, `$0.50` or `none`");
    if text.trim() == "none" {
        return Ok(None);
    }
    let number = text.trim().strip_prefix('$').ok_or_else(wrong)?.trim();
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) || part.len() > 6 {
        return Err(wrong());
    }
    let dollars: u64 = whole.parse().map_err(|_| wrong())?;
    let part: u64 = format!("{part:0<6}").parse().map_err(|_| wrong())?;
    let micros = dollars.checked_mul(1_000_000).and_then(|micros| micros.checked_add(part));
    micros.map(Some).ok_or_else(wrong)
}

/// Reads `500k`, `5M`, `20000` or `none`: how many tokens.
pub(super) fn tokens(text: &str) -> Result<Option<u64>, String> {
    let wrong =
        || format!("`{text}` is not a number of tokens; write it like `500k`, `5M` or `none`");
    if text.trim() == "none" {
        return Ok(None);
    }
    let (n, unit) = split(text);
    let factor: u64 = match unit {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        _ => return Err(wrong()),
    };
    let n: u64 = n.parse().map_err(|_| wrong())?;
    n.checked_mul(factor).map(Some).ok_or_else(wrong)
}

/// Reads `10%`, into hundredths.
pub(super) fn percent(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a share; write it like `10%`, between `0%` and `90%`");
    let n: u64 = text.trim().strip_suffix('%').and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
    if n <= 90 { Ok(n) } else { Err(wrong()) }
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}
