//! Tests of the whole program, in the words of the people who use it.

#[cfg(test)]
mod acp;
#[cfg(test)]
mod agents;
mod briefs;
#[cfg(test)]
mod budget;
mod claude;
#[cfg(test)]
mod cli;
mod codex;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod fail_over;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod github;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod home;
#[cfg(test)]
mod hosts;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod others;
mod own;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod quota;
#[cfg(test)]
mod rebase;
#[cfg(test)]
pub(crate) mod receipt;
#[cfg(test)]
mod red_team;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod results;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod sandbox;
mod servers;
mod skills;
mod speakers;
#[cfg(test)]
pub(crate) mod split;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod told;
mod trial;
mod trouble;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod verify;
