//! A real Django with Channels, to compare with: the project in `channels_peer`.

use std::path::Path;
use std::process::Command;

use super::failure::Failure;
use crate::django::{folder, try_install};

/// What starts it, with so many messages in a database in this folder. Django itself is installed into `scratch`, once.
pub(super) fn command(messages: u64, data: &Path, scratch: &Path) -> Result<Command, Failure> {
    let python = try_install(scratch).map_err(Failure::Django)?;
    let mut command = Command::new(python);
    command
        .arg("serve.py")
        .current_dir(folder("channels_peer"))
        .env_clear()
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PEER_DATABASE", data.join("db.sqlite3"))
        .env("PEER_MESSAGES", messages.to_string());
    Ok(command)
}
