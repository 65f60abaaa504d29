//! Text from hostile sources, made fit to be shown.
//!
//! Agents, comments, logs and titles may hold anything. [`plain`] takes out
//! what a terminal or an eye would be fooled by, [`neutral`] also what a forge
//! would act on; the others make text short, or fence it off. Nothing here
//! reads meaning: commands are in [`crate::command`], plans in [`crate::plan`].

mod neutral;
mod plain;

pub use neutral::neutral;
pub(crate) use plain::is_hidden;
pub use plain::plain;

/// How long a slug may be. It is part of a folder's and a branch's name.
pub const SLUG_BYTES_MAX: usize = 40;

/// The slug of a title that has no letter we can spell.
const SLUG_FALLBACK: &str = "task";

/// The shortest code fence of Markdown.
const FENCE_MIN: usize = 3;

/// A code fence that is open, as in `CommonMark`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fence {
    mark: u8,
    len: usize,
}

impl Fence {
    /// Reads the line that opens a fence. The indent is the caller's business.
    pub(crate) fn opened_by(line: &str) -> Option<Self> {
        let line = line.trim_start_matches([' ', '\t']);
        let mark = *line.as_bytes().first().filter(|b| matches!(b, b'`' | b'~'))?;
        let len = line.bytes().take_while(|b| *b == mark).count();
        let is_inline_code = mark == b'`' && line[len..].contains('`');
        (len >= FENCE_MIN && !is_inline_code).then_some(Self { mark, len })
    }

    /// Says whether this line closes the fence.
    pub(crate) fn closed_by(self, line: &str) -> bool {
        let line = line.trim_matches([' ', '\t', '\r', '\n']);
        line.len() >= self.len && line.bytes().all(|b| b == self.mark)
    }

    /// The line that closes the fence.
    pub(crate) fn closing(self) -> String {
        char::from(self.mark).to_string().repeat(self.len)
    }
}

/// Makes one line of at most `chars_max` characters, for a title or a list.
///
/// Runs of white space become one space; what is cut off is shown by `…`.
pub fn one_line(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    for word in plain(text).split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.chars().count() <= chars_max {
        return line;
    }
    let Some(kept) = chars_max.checked_sub(1) else { return String::new() };
    let head: String = line.chars().take(kept).collect();
    // A joiner at the cut would bind the dots to an emoji.
    format!("{}…", head.trim_end_matches([' ', '\u{200d}']))
}

/// Makes text of at most `bytes_max` bytes: the head and the tail, and between
/// them a line that says how much was left out.
///
/// Where there is no room even for that line, only the head is kept.
pub fn cut_middle(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let Some(room) = bytes_max.checked_sub(cut_notice(text.len()).len()) else {
        return text[..floor_boundary(text, bytes_max)].to_owned();
    };
    let head = floor_boundary(text, room - room / 2);
    let tail = ceil_boundary(text, text.len() - room / 2);
    format!("{}{}{}", &text[..head], cut_notice(tail - head), &text[tail..])
}

fn cut_notice(n_bytes: usize) -> String {
    format!("\n[… {n_bytes} bytes left out …]\n")
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

fn ceil_boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len())
}

/// Puts text into a Markdown code block that nothing in the text can close.
///
/// The block ends with a line feed. Of `info` only what names a language is kept.
pub fn fence(text: &str, info: &str) -> String {
    let fence = "`".repeat(FENCE_MIN.max(longest_backticks(text) + 1));
    let info: String = info
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '_' | '.' | '#'))
        .collect();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{info}\n{text}{end}{fence}\n")
}

fn longest_backticks(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for byte in text.bytes() {
        run = if byte == b'`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Spells a title with `a-z`, `0-9` and `-`, for the name of a folder or a branch.
///
/// It is never empty, never longer than [`SLUG_BYTES_MAX`], and neither begins
/// nor ends with a dash. Composed and decomposed letters give the same slug.
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    let mut gap = false;
    for letter in title.chars().filter(|c| !is_silent(*c)) {
        let spelled = spell(letter);
        if spelled.is_empty() {
            gap = true;
            continue;
        }
        let n_dashes = usize::from(gap && !slug.is_empty());
        if slug.len() + n_dashes + spelled.len() > SLUG_BYTES_MAX {
            break;
        }
        slug.push_str(&"-"[..n_dashes]);
        slug.push_str(&spelled);
        gap = false;
    }
    if slug.is_empty() { SLUG_FALLBACK.to_owned() } else { slug }
}

/// Accents that stand alone, apostrophes, and what cannot be seen.
fn is_silent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\'' | '’') || is_hidden(letter)
}

fn spell(letter: char) -> String {
    if letter.is_ascii_alphanumeric() {
        return letter.to_ascii_lowercase().to_string();
    }
    let spelled = match letter.to_lowercase().next().unwrap_or(letter) {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ð' | 'ď' | 'đ' => "d",
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì'..='ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => "o",
        'œ' => "oe",
        'ř' => "r",
        'ś' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    };
    spelled.to_owned()
}

#[cfg(test)]
mod tests;
