//! The list of hosts that a repository's runs may reach.
//!
//! An entry is a named set, a host, or all hosts below a name, each with a port
//! or for the usual ones. It is compared with a parsed [`Authority`] and never
//! with text. Hosts of the house are a list of their own, of exact names.

use std::net::IpAddr;

use super::{Authority, Class, Host, InvalidAuthority, Name, Reach};

/// The hosts that a repository's runs may reach. Empty to begin with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    rules: Vec<Rule>,
}

/// One host of the list, or all below a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The entry as its owner has written it, like `crates`.
    pub entry: String,
    pub reach: Reach,
    pattern: Pattern,
    /// None for the usual port of each way.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Exactly(Host),
    Below(Name),
}

/// How a host is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `CONNECT`: bytes that nobody but the two ends can read.
    Tunnel,
    /// Plain HTTP.
    Plain,
}

/// An entry cannot be in a list of hosts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{entry}` cannot be in the list: {why}")]
pub struct InvalidHost {
    pub entry: String,
    pub why: String,
}

/// The named sets: what fetching from each registry needs, and no host beside
/// it. Where a registry takes uploads at a host of its own, that one is left out.
pub const SETS: [(&str, &[&str]); 7] = [
    // The index and the archives. `crates.io` itself is for people and for publishing.
    ("crates", &["index.crates.io", "static.crates.io"]),
    ("npm", &["registry.npmjs.org"]),
    // Uploads go to `upload.pypi.org`, which is not here.
    ("pypi", &["pypi.org", "files.pythonhosted.org"]),
    ("debian", &["deb.debian.org", "security.debian.org"]),
    // The modules, and the sums that they are checked against.
    ("go", &["proxy.golang.org", "sum.golang.org"]),
    // Both names of Maven Central.
    ("maven", &["repo.maven.apache.org", "repo1.maven.org"]),
    // Clones, archives, single files, and the files of releases.
    (
        "github",
        &[
            "github.com",
            "codeload.github.com",
            "raw.githubusercontent.com",
            "objects.githubusercontent.com",
            "release-assets.githubusercontent.com",
        ],
    ),
];

/// How many labels must stand after the star: `*.org` would be half the world.
const LABELS_BELOW_MIN: usize = 2;

impl Way {
    /// The port that an entry without one means.
    pub fn port(self) -> u16 {
        match self {
            Self::Tunnel => 443,
            Self::Plain => 80,
        }
    }
}

impl Hosts {
    /// Adds an entry: a set, a host, or `*.` and a name.
    pub fn add(&mut self, entry: &str) -> Result<(), InvalidHost> {
        let wrong = |why: String| InvalidHost { entry: entry.to_owned(), why };
        if let Some((_, hosts)) = SETS.iter().find(|(name, _)| *name == entry) {
            for host in *hosts {
                let name = Name::parse(host).map_err(|why| wrong(why.to_string()))?;
                self.push(entry, Reach::Public, Pattern::Exactly(Host::Name(name)), None);
            }
            return Ok(());
        }
        if entry.contains("://") {
            return Err(wrong("write the host alone, without what stands before it".to_owned()));
        }
        let (rest, is_below) = match entry.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (entry, false),
        };
        if rest.contains('*') {
            return Err(wrong("`*` can only be the whole first label, as in `*.a.org`".into()));
        }
        let (host, port) = parse(rest).map_err(|why| wrong(why.to_string()))?;
        let Host::Name(name) = host else {
            let why = "an address is no host; name the host, or write it into `private`";
            return Err(wrong(why.to_owned()));
        };
        let n_labels = name.as_str().split('.').count();
        if is_below && n_labels < LABELS_BELOW_MIN {
            return Err(wrong("name at least two labels after `*.`".to_owned()));
        }
        if n_labels == 1 {
            let sets = SETS.map(|(name, _)| format!("`{name}`")).join(", ");
            return Err(wrong(format!("there is no such set; there are {sets}")));
        }
        let pattern =
            if is_below { Pattern::Below(name) } else { Pattern::Exactly(Host::Name(name)) };
        self.push(entry, Reach::Public, pattern, port);
        Ok(())
    }

    /// Adds a host of the house: an exact name or address.
    pub fn add_private(&mut self, entry: &str) -> Result<(), InvalidHost> {
        let wrong = |why: String| InvalidHost { entry: entry.to_owned(), why };
        if entry.contains('*') {
            return Err(wrong("a host of the house is named exactly".to_owned()));
        }
        let (host, port) = parse(entry).map_err(|why| wrong(why.to_string()))?;
        let reach = match &host {
            Host::Name(name) if name.as_str() == "localhost" => Reach::Loopback,
            Host::Name(_) => Reach::House,
            Host::Address(address) => exactly(*address).map_err(wrong)?,
        };
        self.push(entry, reach, Pattern::Exactly(host), port);
        Ok(())
    }

    /// The entries as their owner has written them, each once.
    pub fn entries(&self) -> Vec<String> {
        let mut entries: Vec<String> = self.rules.iter().map(|rule| rule.entry.clone()).collect();
        entries.dedup();
        entries
    }

    /// Whether nothing may be reached.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule by which a host may be reached. Those of the house count first.
    pub fn find(&self, way: Way, authority: &Authority) -> Option<&Rule> {
        let fits = |rule: &&Rule| rule.fits(way, authority);
        let of_house = self.rules.iter().filter(|rule| rule.reach != Reach::Public);
        let others = self.rules.iter().filter(|rule| rule.reach == Reach::Public);
        of_house.chain(others).find(fits)
    }

    fn push(&mut self, entry: &str, reach: Reach, pattern: Pattern, port: Option<u16>) {
        self.rules.push(Rule { entry: entry.to_owned(), reach, pattern, port });
    }
}

impl Rule {
    fn fits(&self, way: Way, authority: &Authority) -> bool {
        let is_host = match (&self.pattern, &authority.host) {
            (Pattern::Exactly(host), asked) => host == asked,
            (Pattern::Below(parent), Host::Name(name)) => name.is_below(parent),
            (Pattern::Below(_), Host::Address(_)) => false,
        };
        is_host && self.port.unwrap_or(way.port()) == authority.port
    }
}

/// A host, and its port where one is written.
fn parse(text: &str) -> Result<(Host, Option<u16>), InvalidAuthority> {
    match Authority::parse(text, None) {
        Ok(Authority { host, port }) => Ok((host, Some(port))),
        Err(InvalidAuthority::NoPort) => {
            Authority::parse(text, Some(Way::Tunnel.port())).map(|parsed| (parsed.host, None))
        }
        Err(err) => Err(err),
    }
}

fn exactly(address: IpAddr) -> Result<Reach, String> {
    match Class::of(address) {
        Class::Public | Class::Private | Class::Loopback => Ok(Reach::Exactly(address)),
        class @ Class::Never(_) => {
            Err(format!("no run ever reaches an address of the kind `{}`", class.word()))
        }
    }
}
