//! What was measured on, in words that name no machine.

use std::fmt;
use std::fs;

use serde::Serialize;

/// The machine, as far as it matters for numbers.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    n_cores: usize,
    memory_gb: u64,
    kernel: String,
    /// The load over the last minute, before anything was measured.
    load: String,
}

impl Machine {
    pub(crate) fn read() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let kernel = read("/proc/sys/kernel/osrelease");
        let memory_kb: u64 = read("/proc/meminfo")
            .lines()
            .find_map(|line| {
                line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok()
            })
            .unwrap_or(0);
        Self {
            n_cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gb: memory_kb >> 20,
            // Only the version: the rest may name who built it.
            kernel: kernel.split(['-', '+', '\n']).next().unwrap_or_default().to_owned(),
            load: load(),
        }
    }
}

/// The load over the last minute.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n_cores, memory_gb, kernel, load } = self;
        write!(f, "{n_cores} cores, {memory_gb} GB, Linux {kernel}, load {load} at the start.")
    }
}
