//! What stands in for a service of the world: a server on loopback.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// Serves `app` by a thread of this name, until the runtime is shut down.
pub(crate) fn serve(name: &'static str, app: Router) -> anyhow::Result<(SocketAddr, Runtime)> {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).thread_name(name).enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let mut serving = JoinSet::new();
    serving.spawn_on(
        async move { axum::serve(listener, app).await.with_context(|| format!("serve {name}")) },
        runtime.handle(),
    );
    serving.detach_all();
    Ok((address, runtime))
}
