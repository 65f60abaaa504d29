//! Each guard, with changes as they come, good and bad. See [`sample`] for how they are made.

mod blob;
mod claim;
mod dependency;
mod empty;
mod examine;
mod hostile;
mod licence;
mod parts;
mod protected;
mod sample;
mod scope;
mod secret;
mod tests_weakened;
mod weaken;
