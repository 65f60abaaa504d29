//! Which addresses a host may have.
//!
//! What is public is a short list; the rest is refused by name. The ranges are
//! those of IANA's registries of special addresses, together with the services
//! that hand out credentials in clouds, wherever those live. Whether an address
//! is this machine's own cannot be known here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of address it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Anybody's, on the internet.
    Public,
    /// Of the house: private ranges, unique local ones, those of carriers.
    Private,
    /// The machine itself.
    Loopback,
    /// Never a host's; the word says why.
    Never(&'static str),
}

/// Which addresses an entry of a list may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public ones only.
    Public,
    /// Public and private ones, but none of the machine itself.
    House,
    /// The machine itself, as its owner has written `localhost`.
    Loopback,
    /// This one, as its owner has written it.
    Exactly(IpAddr),
}

/// The ranges that are not public, the first that fits counts: network, length, class.
const RANGES_V4: [([u8; 4], u8, Class); 20] = [
    ([169, 254, 169, 254], 32, METADATA),
    ([100, 100, 100, 200], 32, METADATA),
    ([168, 63, 129, 16], 32, METADATA),
    ([192, 0, 0, 192], 32, METADATA),
    ([0, 0, 0, 0], 8, Class::Never("unspecified")),
    ([10, 0, 0, 0], 8, Class::Private),
    ([100, 64, 0, 0], 10, Class::Private),
    ([127, 0, 0, 0], 8, Class::Loopback),
    ([169, 254, 0, 0], 16, Class::Never("link-local")),
    ([172, 16, 0, 0], 12, Class::Private),
    ([192, 0, 0, 0], 24, RESERVED),
    ([192, 0, 2, 0], 24, DOCUMENTATION),
    ([192, 88, 99, 0], 24, EMBEDDING),
    ([192, 168, 0, 0], 16, Class::Private),
    ([198, 18, 0, 0], 15, RESERVED),
    ([198, 51, 100, 0], 24, DOCUMENTATION),
    ([203, 0, 113, 0], 24, DOCUMENTATION),
    ([224, 0, 0, 0], 4, Class::Never("multicast")),
    ([255, 255, 255, 255], 32, Class::Never("broadcast")),
    ([240, 0, 0, 0], 4, RESERVED),
];

/// The same for IPv6, where only `2000::/3` is public at all.
const RANGES_V6: [(Ipv6Addr, u8, Class); 22] = [
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128, METADATA),
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128, METADATA),
    (Ipv6Addr::UNSPECIFIED, 128, Class::Never("unspecified")),
    (Ipv6Addr::LOCALHOST, 128, Class::Loopback),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, EMBEDDING),
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96, EMBEDDING),
    (Ipv6Addr::UNSPECIFIED, 96, EMBEDDING),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, EMBEDDING),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, EMBEDDING),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, RESERVED),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, EMBEDDING),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, RESERVED),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, DOCUMENTATION),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, EMBEDDING),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, DOCUMENTATION),
    (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, Class::Public),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Class::Private),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, Class::Never("link-local")),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, Class::Never("site-local")),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, Class::Never("multicast")),
    (Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16, RESERVED),
    (Ipv6Addr::UNSPECIFIED, 0, RESERVED),
];

const METADATA: Class = Class::Never("metadata");
const DOCUMENTATION: Class = Class::Never("documentation");
/// It holds another address, which would have to be judged instead.
const EMBEDDING: Class = Class::Never("embedding");
const RESERVED: Class = Class::Never("reserved");

impl Class {
    /// The kind of an address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Loopback => "loopback",
            Self::Never(word) => word,
        }
    }
}

impl Reach {
    /// Whether an entry of this reach may lead to an address of this machine.
    pub fn includes_own(self) -> bool {
        match self {
            Self::Public | Self::House => false,
            Self::Loopback | Self::Exactly(_) => true,
        }
    }

    /// Whether an address may be connected to; if not, what kind it is.
    pub fn check(self, address: IpAddr) -> Result<(), Class> {
        let class = Class::of(address);
        let is_in = match (self, class) {
            (_, Class::Never(_)) => false,
            (Self::Exactly(written), _) => written == address,
            (Self::Public | Self::House, Class::Public)
            | (Self::House, Class::Private)
            | (Self::Loopback, Class::Loopback) => true,
            (Self::Public, Class::Private | Class::Loopback)
            | (Self::House, Class::Loopback)
            | (Self::Loopback, Class::Public | Class::Private) => false,
        };
        if is_in { Ok(()) } else { Err(class) }
    }
}

fn of_v4(address: Ipv4Addr) -> Class {
    let bits = u32::from(address);
    let found = RANGES_V4.iter().find(|(network, length, _)| {
        let rest = 32 - u32::from(*length);
        bits.checked_shr(rest) == u32::from_be_bytes(*network).checked_shr(rest)
    });
    found.map_or(Class::Public, |(_, _, class)| *class)
}

fn of_v6(address: Ipv6Addr) -> Class {
    let bits = u128::from(address);
    let found = RANGES_V6.iter().find(|(network, length, _)| {
        let rest = 128 - u32::from(*length);
        bits.checked_shr(rest) == u128::from(*network).checked_shr(rest)
    });
    found.map_or(RESERVED, |(_, _, class)| *class)
}
