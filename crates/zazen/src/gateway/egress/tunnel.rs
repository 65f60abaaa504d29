//! Carries the bytes of a tunnel, both ways.
//!
//! It reads nothing into them. The end of one direction is passed on and the
//! other goes on, as some protocols need it; silence in both ends the tunnel.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::flow::{Direction, End, Flow};

/// How much is carried at a time. Two of these are the memory of a tunnel.
const BUFFER_BYTES: usize = 16 << 10;

/// Carries bytes until both sides have said all, or something ends it.
pub(super) async fn carry(
    mut client: UnixStream,
    mut host: TcpStream,
    early: Bytes,
    (flow, idle): (&Flow<'_>, Duration),
) -> End {
    let (from_client, to_client) = client.split();
    let (from_host, to_host) = host.split();
    let up = async {
        let mut to_host = to_host;
        hand_on(&early, &mut to_host, (Direction::Up, flow, idle)).await?;
        pump(from_client, to_host, (Direction::Up, flow, idle)).await
    };
    let down = pump(from_host, to_client, (Direction::Down, flow, idle));
    match try_join(up, down).await {
        Ok(_) => End::Closed,
        Err(end) => end,
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    (direction, flow, idle): (Direction, &Flow<'_>, Duration),
) -> Result<(), End> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let before = flow.moved();
        let n_bytes = match timeout(idle, from.read(&mut buffer)).await {
            // The other direction is at work.
            Err(_) if flow.moved() != before => continue,
            Err(_) => return Err(End::Idle),
            Ok(Err(_)) => return Err(End::Broken),
            Ok(Ok(n_bytes)) => n_bytes,
        };
        if n_bytes == 0 {
            return to.shutdown().await.map_err(|_| End::Broken);
        }
        hand_on(&buffer[..n_bytes], &mut to, (direction, flow, idle)).await?;
    }
}

async fn hand_on(
    bytes: &[u8],
    to: &mut (impl AsyncWrite + Unpin),
    (direction, flow, idle): (Direction, &Flow<'_>, Duration),
) -> Result<(), End> {
    flow.take(direction, bytes.len())?;
    match timeout(idle, to.write_all(bytes)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Broken),
        Err(_) => Err(End::Idle),
    }
}
