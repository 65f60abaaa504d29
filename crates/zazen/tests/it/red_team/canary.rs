//! Secrets that are planted to be found again, in whatever form they come.
//!
//! A piece of a canary counts as the canary: whoever can take a part out can take
//! all of it.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// A planted secret: what it stands for, and its value.
#[derive(Debug, Clone)]
pub(super) struct Canary {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// Looks for canaries in bytes.
#[derive(Debug)]
pub(super) struct Search {
    pieces: HashMap<[u8; PIECE], &'static str>,
    /// Whether a piece begins with these two bytes.
    begins: Vec<bool>,
}

/// How long a piece is. So long a piece does not come about by chance.
const PIECE: usize = 12;

impl Canary {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, value: format!("zc{:016x}{:016x}", random(), random()) }
    }
}

/// A number that nobody knows before.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

impl Search {
    pub(super) fn for_all(canaries: &[Canary]) -> Self {
        let mut search = Self { pieces: HashMap::new(), begins: vec![false; 1 << 16] };
        for canary in canaries {
            for form in forms(&canary.value) {
                for piece in form.as_bytes().windows(PIECE) {
                    let piece: [u8; PIECE] = piece.try_into().expect("it is as long");
                    search.begins[begin(&piece)] = true;
                    search.pieces.insert(piece, canary.name);
                }
            }
        }
        search
    }

    /// The canaries in some bytes, also if other characters stand between theirs.
    pub(super) fn find(&self, bytes: &[u8]) -> Vec<&'static str> {
        let squeezed: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
        let mut found: Vec<&str> = [bytes, &squeezed]
            .iter()
            .flat_map(|bytes| bytes.windows(PIECE))
            .filter(|piece| self.begins[begin(piece)])
            .filter_map(|piece| self.pieces.get(piece).copied())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The canaries in the files of a folder, each with its file. A file that `leave_out`
    /// names is where one was planted.
    pub(super) fn find_below(&self, dir: &Path, leave_out: &[&str]) -> Vec<String> {
        let files = crate::harness::place::files_below(dir);
        let files = files.iter().filter(|(path, _)| {
            let path = path.to_string_lossy();
            !leave_out.iter().any(|part| path.contains(part))
        });
        let found = files.flat_map(|(path, bytes)| {
            let found = self.find(bytes).into_iter();
            found.map(move |name| format!("{name} in {}", path.display()))
        });
        found.collect()
    }
}

fn begin(piece: &[u8]) -> usize {
    usize::from(piece[0]) << 8 | usize::from(piece[1])
}

/// The ways in which a value is written to get it past somebody.
fn forms(value: &str) -> Vec<String> {
    let backwards: String = value.chars().rev().collect();
    let mut forms = Vec::new();
    for text in [value, &backwards] {
        let bytes = text.as_bytes();
        let each = |print: fn(&u8) -> String| bytes.iter().map(print).collect::<String>();
        forms.push(text.to_owned());
        forms.push(text.to_ascii_uppercase());
        forms.push(each(|b| format!("{b:02x}")));
        forms.push(each(|b| format!("{b:02X}")));
        forms.push(each(|b| format!("%{b:02x}")));
        forms.push(each(|b| format!("%{b:02X}")));
        forms.push(each(|b| format!("\\x{b:02x}")));
        forms.push(each(|b| char::from(rot13(*b)).to_string()));
        for n_before in 0..3 {
            // What stands before and behind changes the letters at the ends only.
            let mut around = vec![b' '; n_before];
            around.extend_from_slice(bytes);
            let whole = around.len() / 3 * 4;
            forms.push(STANDARD.encode(&around)[4..whole].to_owned());
            forms.push(URL_SAFE.encode(&around)[4..whole].to_owned());
        }
    }
    forms
}

fn rot13(b: u8) -> u8 {
    match b {
        b'a'..=b'z' => (b - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (b - b'A' + 13) % 26 + b'A',
        _ => b,
    }
}

#[test]
fn a_canary_is_found_in_every_form_it_can_be_written_in() {
    let canary = Canary::new("secret");
    let search = Search::for_all(std::slice::from_ref(&canary));
    let value = &canary.value;
    let spaced: String = value.chars().flat_map(|c| [c, ' ', '-']).collect();
    let (first, second) = value.split_at(17);
    let mut written = forms(value);
    written.extend([spaced, format!("{first}\n+ \"{second}\""), first.to_owned()]);
    written.push(STANDARD.encode(format!("key: {value}, and more")));
    for text in written {
        let text = format!("some text {text} and more");
        assert_eq!(search.find(text.as_bytes()), ["secret"], "{text}");
    }
    assert_eq!(search.find(Canary::new("another").value.as_bytes()), Vec::<&str>::new());
}
