//! Spans of time and sizes, as people write them: `30m`, `4GiB`.

use std::time::Duration;

/// Reads `90s`, `30m` or `2h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (n, unit) = split(text);
    let seconds = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
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

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}
