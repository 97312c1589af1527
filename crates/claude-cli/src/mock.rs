//! `claudectl mock`.

use std::io::{self, Write};

use mock_server::MockServer;

use crate::args::MockArgs;

pub(crate) async fn run(args: MockArgs) -> anyhow::Result<()> {
    let server = MockServer::builder().port(args.port).start().await?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", guide(&server))?;
    out.flush()?;
    drop(out);
    tokio::signal::ctrl_c().await?;
    server.shutdown().await;
    Ok(())
}

fn guide(server: &MockServer) -> String {
    format!(
        "The mock server listens on {base} until you press Ctrl-C. In another terminal:\n\n  \
         export ANTHROPIC_BASE_URL={base}\n  export ANTHROPIC_API_KEY={key}\n  \
         claudectl messages stream \"hello\"\n\nOAuth client: {client}, authorize at {authorize}",
        base = server.base_url(),
        key = server.api_key(),
        client = server.client_id(),
        authorize = server.authorize_url(),
    )
}
