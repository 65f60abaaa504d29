//! Which start of the machine this is.
//!
//! A process number means something only together with the boot it belongs
//! to: after a restart of the machine the same number is another process.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// The first eight digits of the kernel's boot id, or zeros where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct BootId(u32);

impl BootId {
    /// Reads the id of the boot that we run in.
    pub fn read() -> Self {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        text.get(..8).map(Self::from).unwrap_or_default()
    }
}

/// Reads when the machine was started, as far as the kernel tells.
pub(super) fn read_boot_time() -> Option<SystemTime> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.trim().parse().ok()?))
}

impl From<&str> for BootId {
    fn from(text: &str) -> Self {
        Self(u32::from_str_radix(text, 16).unwrap_or_default())
    }
}

impl From<String> for BootId {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl FromStr for BootId {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl From<BootId> for String {
    fn from(boot: BootId) -> Self {
        boot.to_string()
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}
