//! `claudectl mock`.

use std::{convert::Infallible, future::pending};

use mock_server::MockServer;

use crate::{
    args::MockArgs,
    console::{self, OutputError},
    interrupt::interrupted,
};

pub(crate) async fn run(args: MockArgs) -> anyhow::Result<()> {
    let mut server = MockServer::builder().port(args.port);
    if let Some(count) = args.requests_per_minute {
        server = server.requests_per_minute(count);
    }
    let server = server.start().await?;
    // In this order, so that an interrupt right after the invitation is heard.
    tokio::select! {
        biased;
        interrupted = interrupted() => drop(interrupted?),
        invited = invite(&server) => match invited? {},
    }
    server.shutdown().await;
    Ok(())
}

/// Prints how to use the server, then waits for ever.
async fn invite(server: &MockServer) -> Result<Infallible, OutputError> {
    console::print(guide(server))?;
    pending().await
}

fn guide(server: &MockServer) -> String {
    format!(
        "The mock server listens on {base} until you press Ctrl-C. In another terminal:\n\n  \
         export ANTHROPIC_BASE_URL={base}\n  export ANTHROPIC_API_KEY={key}\n  \
         claudectl messages stream \"hello\"\n\n\
         To log in instead of using the key:\n\n  \
         claudectl auth login --client-id {client} --issuer {issuer}\n",
        base = server.base_url(),
        key = server.api_key(),
        client = server.client_id(),
        issuer = server.issuer(),
    )
}
