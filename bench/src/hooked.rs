//! A home whose repository is on a scripted GitHub that tells it of things by webhook.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use zazen::forge::github::hooks::{PATH, Secrets};

use crate::github::{GitHub, Happened};
use crate::model::Model;
use crate::place::Place;

/// See the module.
#[derive(Debug)]
pub(crate) struct Hooked {
    pub(crate) place: Place,
    pub(crate) github: GitHub,
    pub(crate) door: Door,
}

/// Where webhooks are delivered.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) secrets: Secrets,
    n_sent: AtomicU64,
}

/// What webhooks are signed with.
const SECRET: &str = "the secret of a measurement";

/// How long nothing may happen until it is quiet. Longer than zazen puts an edit off.
const QUIET: Duration = Duration::from_secs(2);

/// How long it may take to become quiet.
const QUIET_MAX: Duration = Duration::from_secs(60);

impl Hooked {
    /// Makes the home and starts its daemon.
    pub(crate) fn start(zazen: &Path, engine: &str, model: &Model) -> anyhow::Result<Self> {
        let mut place = Place::empty(zazen, engine, &model.url())?;
        let github = GitHub::start(place.repo())?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        place.on_github(github.address, address)?;
        let secret = place.root().join(".zazen/github/webhook-secret");
        std::fs::create_dir_all(secret.parent().context("it is in a folder")?)?;
        std::fs::write(&secret, SECRET)?;
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600))?;
        place.up()?;
        let door = Door { address, secrets: Secrets::parse(SECRET)?, n_sent: AtomicU64::default() };
        place.wait("webhooks are listened for", || Ok(TcpStream::connect(address).ok()))?;
        Ok(Self { place, github, door })
    }

    /// Tells of one thing.
    pub(crate) fn deliver(&self, told: &Happened) -> anyhow::Result<()> {
        self.door.deliver(told)
    }

    /// Tells of all that followed from zazen's own calls.
    pub(crate) fn deliver_all(&self) -> anyhow::Result<usize> {
        let happened = self.github.take_happened();
        for told in &happened {
            self.deliver(told)?;
        }
        Ok(happened.len())
    }

    /// Waits until nothing happens any more.
    pub(crate) fn until_quiet(&self) -> anyhow::Result<()> {
        let (began, mut last) = (Instant::now(), Instant::now());
        while last.elapsed() < QUIET {
            if self.deliver_all()? > 0 {
                last = Instant::now();
            }
            if began.elapsed() > QUIET_MAX {
                bail!("it does not become quiet: {}", self.place.log());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Ends the daemon. Nothing was asked that this GitHub does not know.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        self.place.down()?;
        self.github.check()
    }
}

impl Door {
    /// Delivers over a connection of its own, and waits until it is acknowledged.
    pub(crate) fn deliver(&self, told: &Happened) -> anyhow::Result<()> {
        let n = self.n_sent.fetch_add(1, Ordering::Relaxed);
        let request = request(&self.secrets, (told.event, &format!("told-{n}")), &told.body);
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.write_all(&request)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if !answer.starts_with("HTTP/1.1 2") {
            bail!("a webhook is answered with {answer}");
        }
        Ok(())
    }
}

/// The bytes of a delivery, signed.
pub(crate) fn request(
    secrets: &Secrets,
    (event, guid): (&str, &str),
    body: &serde_json::Value,
) -> Vec<u8> {
    let body = body.to_string();
    let signature = secrets.sign(body.as_bytes());
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n\
         X-GitHub-Event: {event}\r\nX-GitHub-Delivery: {guid}\r\nX-GitHub-Hook-ID: 1\r\n\
         X-Hub-Signature-256: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
