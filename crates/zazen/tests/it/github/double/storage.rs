//! The other host that GitHub sends one to for logs. It wants no token, and says so.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::shared::Shared;

/// Serves until the runtime ends.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let shared = shared.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let response = answer(&shared, &request);
                async move { Ok::<_, Infallible>(response) }
            });
            let server = hyper::server::conn::http1::Builder::new();
            drop(server.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

fn answer(shared: &Shared, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let mut state = shared.state();
    if request.headers().contains_key(AUTHORIZATION) {
        state.violations.push("the token was sent to the host that keeps logs".to_owned());
    }
    let id = request.uri().path().strip_prefix("/logs/").and_then(|id| id.parse::<u64>().ok());
    let log = id.and_then(|id| state.logs.get(&id)).cloned();
    let mut response = Response::new(Full::new(Bytes::from(log.clone().unwrap_or_default())));
    *response.status_mut() =
        if log.is_some() { hyper::StatusCode::OK } else { hyper::StatusCode::NOT_FOUND };
    response
}
