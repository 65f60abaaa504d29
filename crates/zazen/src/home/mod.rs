//! The Markdown repository that is this zazen's memory, and its journal.

pub mod journal;
