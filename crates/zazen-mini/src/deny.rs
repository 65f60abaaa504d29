//! Whether a command begins with words that its owner has denied.
//!
//! It reads a shell's line as far as it takes to find where commands begin, and no further:
//! what is put together at run time, or written into a script, gets past it. It keeps an
//! agent from what it was told not to do by accident; the sandbox is what holds it.

/// What ends one command and begins another, or stands around one.
const BREAKS: &[char] = &[';', '&', '|', '\n', '(', ')', '{', '}', '`', '!'];

/// Words that another command follows.
const BEFORE: [&str; 16] = [
    "sudo", "env", "exec", "command", "nohup", "time", "nice", "xargs", "then", "else", "do", "if",
    "while", "until", "builtin", "eval",
];

/// The denied beginning that some command in the line has.
pub(crate) fn find<'a>(line: &str, denied: &'a [String]) -> Option<&'a str> {
    if denied.is_empty() {
        return None;
    }
    // A quote does not make another word of `git`, and a line that goes on is one line.
    let line = line.replace("\\\n", " ").replace(['\'', '"', '\\'], "");
    line.split(BREAKS).find_map(|part| {
        let words: Vec<&str> = part.split_whitespace().collect();
        let command = without_what_stands_before(&words);
        denied.iter().map(String::as_str).find(|denied| begins_with(command, denied))
    })
}

/// The command itself, without assignments and words like `sudo`.
fn without_what_stands_before<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    let stands_before = |word: &&&str| {
        let is_assignment = word
            .split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(is_name));
        is_assignment || BEFORE.contains(*word) || word.starts_with(['$', '<', '>', '-'])
    };
    let n_before = words.iter().take_while(stands_before).count();
    &words[n_before..]
}

fn begins_with(command: &[&str], denied: &str) -> bool {
    let mut words = command.iter();
    let mut is_first = true;
    denied.split(' ').all(|denied| {
        let Some(word) = words.next() else { return false };
        // Of the program, only its name counts, wherever it is.
        let name = if is_first && !denied.contains('/') {
            word.rsplit('/').next().unwrap_or(word)
        } else {
            word
        };
        is_first = false;
        name == denied
    })
}

fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

#[cfg(test)]
mod tests {
    use super::find;

    fn denied(line: &str) -> bool {
        let denied = ["git push".to_owned(), "curl".to_owned()];
        find(line, &denied).is_some()
    }

    #[test]
    fn a_denied_command_is_found_wherever_it_begins() {
        for line in [
            "git push",
            "git push origin main",
            "  git   push",
            "cd x && git push",
            "true; curl x",
            "a | curl -T - y",
            "echo $(curl x)",
            "echo `curl x`",
            "(git push)",
            "if true; then git push; fi",
            "A=1 B=2 git push",
            "sudo -n git push",
            "/usr/bin/git push",
            "env X=1 curl x",
            "'git' \"push\"",
            "git \\\n  push",
            "a &\ngit push",
            "! git push",
        ] {
            assert!(denied(line), "{line}");
        }
    }

    #[test]
    fn other_commands_are_left_alone() {
        for line in [
            "git status",
            "git pushy",
            "echo git push",
            "grep -r 'git push' .",
            "curly",
            "git",
            "cat curl",
            "make push",
            "",
        ] {
            assert!(!denied(line), "{line}");
        }
        assert_eq!(find("git push", &[]), None);
    }

    #[test]
    fn what_was_denied_is_named() {
        let denied = ["git push".to_owned(), "curl".to_owned()];
        assert_eq!(find("true && curl x", &denied), Some("curl"));
    }
}
