//! How connections come in.

use std::sync::Arc;

use hyper::server::conn::http1;
#[cfg(feature = "http2")]
use hyper::server::conn::http2;
use hyper::service::service_fn;
#[cfg(feature = "http2")]
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::fault::{Effect, Ending};
use crate::router;
use crate::state::State;
use crate::stream::Stream;
#[cfg(feature = "tls")]
use crate::tls::Tls;
use crate::wire::{Plan, Wire};

/// What a connection comes in through.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) state: Arc<State>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Arc<Tls>>,
}

impl Door {
    /// Begins a connection, as far as a fault lets it.
    async fn open(&self, stream: TcpStream) -> Option<Stream> {
        // A stream's events are small and shall not wait for one another; without this they only come later.
        let _ = stream.set_nodelay(true);
        self.state.traffic.accepted();
        // The guard ends here.
        let fault = self.state.lock().faults.at_accept();
        match fault {
            Some(Effect::End(_, Ending::Close)) => return None,
            Some(Effect::End(_, Ending::Reset)) => {
                // It fails only for a connection that is already gone.
                let _ = stream.set_zero_linger();
                return None;
            }
            Some(Effect::End(_, Ending::Stall)) => std::future::pending().await,
            _ => {}
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let fault = if let Some(Effect::Handshake(fault)) = fault { Some(fault) } else { None };
            // A client that does not trust the certificate is the test's affair.
            let stream = tls.accept(stream, fault).await.ok()??;
            return Some(Stream::Tls(Box::new(stream)));
        }
        Some(Stream::Plain(stream))
    }
}

/// Accepts until told to stop, then closes the port and every connection.
pub(super) async fn accept(listener: TcpListener, door: Door, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, door.clone()));
                }
                // The peer went away before it was accepted, or the process is out of file descriptors: let
                // others run, then try again.
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, door: Door) {
    let Some(stream) = door.open(stream).await else { return };
    let state = door.state;
    let plan = Plan::default();
    let wire = Wire::new(stream, plan.clone(), Arc::clone(&state.traffic));
    #[cfg(feature = "http2")]
    if wire.speaks_http2().await {
        let answer = service_fn(move |request| router::answer(Arc::clone(&state), plan.clone(), request));
        let mut http = http2::Builder::new(TokioExecutor::new());
        let _ = http.auto_date_header(false).serve_connection(TokioIo::new(wire), answer).await;
        return;
    }
    let answer = service_fn(|request| router::answer(Arc::clone(&state), plan.clone(), request));
    // A connection that ends badly is the client's affair, or what the script asked for.
    let _ = http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(wire), answer).await;
}
