//! A backend of your own in twenty lines: one method.
use secrets::{Error, ErrorKind, Secret, SecretName, SecretProvider};

/// Secrets in a folder of another program's making, one to a file.
#[derive(Debug)]
pub struct Drawer(pub std::path::PathBuf);

#[async_trait::async_trait]
impl SecretProvider for Drawer {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        match std::fs::read(self.0.join(name.as_str())) {
            Ok(value) => Ok(Some(Secret::parse(value, "the drawer")?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::new(ErrorKind::Unavailable, "the drawer").with_source(error)),
        }
    }
}

// The twenty lines end here. `secrets::test_util::contract` checks what every backend promises.
#[allow(clippy::print_stdout, dead_code, reason = "an example shows what it does")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let found = Drawer(std::env::temp_dir()).get(SecretName::new("claude-key")?).await?;
    println!("{}", if found.is_some() { "there is a key" } else { "there is no key" });
    Ok(())
}
