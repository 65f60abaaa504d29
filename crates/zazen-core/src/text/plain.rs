//! Takes out what is in a text but cannot be seen in it.
//!
//! Terminal escapes, control characters, characters that turn the reading
//! direction, and invisible ones that smuggle text past a reader. Emoji stay
//! whole, though they are partly made of the same characters.

/// The joiner of emoji sequences.
const JOINER: char = '\u{200d}';

/// Asks for the coloured form of an emoji.
const EMOJI_FORM: char = '\u{fe0f}';

/// The flags that are spelled with tag characters: the only use of tags that
/// is left in, because any other is text that a reader does not see.
const TAG_FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// Removes terminal escapes, control characters but line feed and tab, bidi
/// controls, zero-width characters and Unicode tags.
///
/// A carriage return ends a line, as it does for a reader of Markdown.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = '\0';
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = after;
        match c {
            '\u{1b}' => rest = after_escape(after),
            '\u{9b}' => rest = after_control_sequence(after),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => rest = after_control_string(after),
            '\r' if after.starts_with('\n') => {}
            '\r' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '🏴' => {
                let flag = tag_flag(after);
                out.push(c);
                out.push_str(&after[..flag]);
                rest = &after[flag..];
            }
            _ if is_hidden(c) && !is_part_of_emoji(c, last, after) => continue,
            _ => out.push(c),
        }
        last = c;
    }
    out
}

/// Says whether a character by itself shows nothing, or changes how others show.
pub(crate) fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Soft hyphen, grapheme joiner, Hangul and Khmer fillers, Mongolian selectors.
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{ffa0}' => true,
        // Bidi controls, zero-width characters, invisible operators.
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{feff}' => true,
        // Variation selectors, annotations, noncharacters, tags.
        '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}' => true,
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => true,
        '\u{e0000}'..='\u{e0fff}' => true,
        _ => c.is_control(),
    }
}

/// Returns what follows `ESC` and its sequence.
fn after_escape(rest: &str) -> &str {
    match rest.bytes().next() {
        Some(b'[') => after_control_sequence(&rest[1..]),
        Some(b']' | b'P' | b'X' | b'^' | b'_') => after_control_string(&rest[1..]),
        Some(_) => {
            let rest = rest.trim_start_matches(|c| matches!(c, ' '..='/'));
            rest.strip_prefix(|c| matches!(c, '0'..='~')).unwrap_or(rest)
        }
        None => rest,
    }
}

fn after_control_sequence(rest: &str) -> &str {
    let rest = rest.trim_start_matches(|c| matches!(c, '0'..='?'));
    let rest = rest.trim_start_matches(|c| matches!(c, ' '..='/'));
    rest.strip_prefix(|c| matches!(c, '@'..='~')).unwrap_or(rest)
}

/// A string that is never ended takes the rest of its line with it, not more.
fn after_control_string(rest: &str) -> &str {
    let is_end = |c| matches!(c, '\u{7}' | '\u{9c}' | '\u{1b}' | '\n' | '\r');
    let rest = &rest[rest.find(is_end).unwrap_or(rest.len())..];
    match rest.strip_prefix("\u{1b}\\") {
        Some(after) => after,
        None => rest.strip_prefix(['\u{7}', '\u{9c}']).unwrap_or(rest),
    }
}

/// The length of the tags that make the black flag before them another flag.
fn tag_flag(rest: &str) -> usize {
    let is_here = |flag: &str| {
        let tags = flag.bytes().map(u32::from).chain([0x7f]).map(|b| char::from_u32(0xe0000 + b));
        tags.eq(rest.chars().take(flag.len() + 1).map(Some))
    };
    // Each tag character is four bytes, and the last one ends the sequence.
    TAG_FLAGS.iter().find(|flag| is_here(flag)).map_or(0, |flag| 4 * (flag.len() + 1))
}

fn is_part_of_emoji(c: char, last: char, after: &str) -> bool {
    match c {
        EMOJI_FORM => is_emoji(last) || is_keycap(last) && after.starts_with('\u{20e3}'),
        JOINER => {
            (is_emoji(last) || last == EMOJI_FORM) && after.chars().next().is_some_and(is_emoji)
        }
        _ => false,
    }
}

fn is_keycap(c: char) -> bool {
    matches!(c, '0'..='9' | '#' | '*')
}

fn is_emoji(c: char) -> bool {
    let is_sign = "©®‼⁉™ℹ〰〽㊗㊙\u{24c2}".contains(c);
    let is_symbol = matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}')
        || matches!(c, '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}')
        || matches!(c, '\u{2b00}'..='\u{2bff}');
    is_sign || is_symbol || matches!(c, '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests;
