//! `claudectl auth`: logins, and what comes of them.

use crate::args::AuthCommand;

mod clock;
mod leaving;
mod login;
mod logout;
mod paste;
mod plan;
mod session;
mod status;
mod token;
mod who;

pub(crate) use session::{Chosen, backend};
pub(crate) use who::{Who, about, is_over, when};

pub(crate) async fn run(command: AuthCommand) -> anyhow::Result<()> {
    match command {
        AuthCommand::Login(args) => login::run(*args).await,
        AuthCommand::Logout(args) => logout::run(args).await,
        AuthCommand::Status(args) => status::run(args).await,
        AuthCommand::Token(args) => token::print(args).await,
        AuthCommand::Refresh(args) => token::refresh(args).await,
    }
}
