//! What is looked at before anything is published: a change, against what was agreed on.
//!
//! [`examine`] goes through the whole change with every guard, and each finding is a flag
//! (shown to people) or a hold (a person has to approve that very thing). All of it is
//! pure: who calls it brings the [`Evidence`]. Every file of a change is hostile. A guard
//! reads it line by line, in linear time, within limits, and quotes it through [`crate::text`].

mod blob;
mod change;
mod claim;
mod dependency;
mod empty;
mod evidence;
mod glob;
mod language;
mod licence;
mod patch;
mod pattern;
mod protected;
mod report;
mod scope;
mod secret;
mod tests_weakened;
mod weaken;

pub use self::change::{Change, Content, Hunk, Line, Side, TEXT_BYTES_MAX};
pub use self::evidence::{Checks, Contract, Evidence, Ran, Rules, Setting, Sibling, commands};
pub use self::glob::{Glob, InvalidGlob};
pub use self::language::is_source;
pub use self::patch::hunks;
pub use self::protected::is_agent_config;
use self::report::Draft;
pub use self::report::{Finding, GuardName, Level, Report, Verdict};

/// How many findings of one guard are told one by one. What is more is one finding
/// more, which says how many there are and is held, if one of them is.
const FINDINGS_MAX: usize = 30;

/// Looks at a change with every guard that is not off.
pub fn examine(evidence: &Evidence<'_>) -> Report {
    let mut report = Report::default();
    for guard in GuardName::ALL {
        let setting = evidence.rules.setting(guard);
        if setting == Setting::Off {
            report.off.push(guard);
            continue;
        }
        let mut drafts = look(guard, evidence);
        // What is held comes first, so that what is left out is never worse than what is told.
        drafts.sort_by_key(|draft| std::cmp::Reverse(draft.level));
        for draft in &mut drafts {
            draft.level = setting.applied(draft.level);
        }
        let more = drafts.split_off(drafts.len().min(FINDINGS_MAX));
        let more = Draft::summed_up(&more);
        let finish = |draft: Draft| draft.finish(guard, evidence.scanner);
        report.findings.extend(drafts.into_iter().chain(more).map(finish));
    }
    report
}

fn look(guard: GuardName, evidence: &Evidence<'_>) -> Vec<Draft> {
    match guard {
        GuardName::Scope => scope::look(evidence),
        GuardName::Dependencies => dependency::look(evidence),
        GuardName::Protected => protected::look(evidence),
        GuardName::Tests => tests_weakened::look(evidence),
        GuardName::Checks => weaken::look(evidence),
        GuardName::Secrets => secret::look(evidence),
        GuardName::Files => blob::look(evidence),
        GuardName::Licence => licence::look(evidence),
        GuardName::Claims => claim::look(evidence),
        GuardName::Empty => empty::look(evidence),
    }
}

#[cfg(test)]
mod tests;
