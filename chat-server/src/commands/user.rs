//! `chat-server user …`

use std::io::{self, Read};
use std::sync::Arc;

use chat_core::Clock;
use chat_core::storage::Profile;
use chat_protocol::Username;
use clap::{Args, Subcommand};

use super::{CommandFailed, lines};
use crate::accounts::{Account, Accounts, AccountsConfig};
use crate::storage::ServerStorage;

/// Most bytes that are read for a password; longer ones are refused anyway.
const MAX_PASSWORD_BYTES: u64 = 64 * 1024;

/// What can be done about accounts.
#[derive(Debug, Clone, Subcommand)]
pub enum UserCommand {
    /// Makes an account
    Create {
        /// Its name
        name: String,
        /// Reads the password from the standard input; there is no other way
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Lists all accounts
    List,
    /// Sets another password; all sessions of the account end
    Passwd {
        /// The account
        name: String,
        /// Reads the password from the standard input; there is no other way
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Says something about a user, as the join API tells it; what is not given stays as it is
    Profile {
        /// The user
        name: Username,
        /// What to say.
        #[command(flatten)]
        fields: ProfileFields,
    },
    /// Lets nobody sign in to an account any more; all its sessions end
    Deactivate {
        /// The account
        name: String,
    },
    /// Lets its user sign in to an account again
    Activate {
        /// The account
        name: String,
    },
}

/// What can be said about a user.
#[derive(Debug, Clone, Args)]
pub struct ProfileFields {
    /// The address for mail
    #[arg(long)]
    email: Option<String>,
    /// The URL of a picture
    #[arg(long)]
    picture: Option<String>,
    /// The city
    #[arg(long)]
    city: Option<String>,
    /// The first name
    #[arg(long)]
    first_name: Option<String>,
    /// The last name
    #[arg(long)]
    last_name: Option<String>,
    /// The gender
    #[arg(long)]
    gender: Option<String>,
}

impl ProfileFields {
    fn over(self, profile: Profile) -> Profile {
        Profile {
            email: self.email.unwrap_or(profile.email),
            picture: self.picture.unwrap_or(profile.picture),
            city: self.city.unwrap_or(profile.city),
            first_name: self.first_name.unwrap_or(profile.first_name),
            last_name: self.last_name.unwrap_or(profile.last_name),
            gender: self.gender.unwrap_or(profile.gender),
        }
    }
}

impl UserCommand {
    pub(super) async fn run(
        self,
        storage: &Arc<dyn ServerStorage>,
        clock: impl Clock,
    ) -> Result<String, CommandFailed> {
        let accounts = Accounts::with_shared_storage(storage.clone(), clock, AccountsConfig::default());
        match self {
            Self::Create { name, .. } => {
                let user = accounts.create(&name, &password()?).await?;
                Ok(lines([format!("user {} has the id {}", user.name, user.id)]))
            }
            Self::List => {
                let listed = accounts.list().await?.into_iter().map(|account| {
                    let state = if account.is_active { "active" } else { "inactive" };
                    format!("{}\t{}\t{state}", account.user.id, account.user.name)
                });
                Ok(lines(listed))
            }
            Self::Passwd { name, .. } => {
                let account = find(&accounts, name).await?;
                accounts.change_password(&account.user, &password()?).await?;
                Ok(lines([format!("user {} has another password", account.user.name)]))
            }
            Self::Profile { name, fields } => {
                let user = storage.user_named(&name).await?.ok_or(CommandFailed::NoSuchUser(name))?;
                let profile = fields.over(storage.profile(user.id).await?);
                storage.set_profile(user.id, &profile).await?;
                Ok(lines([format!("user {} has another profile", user.name)]))
            }
            Self::Deactivate { name } => {
                let account = find(&accounts, name).await?;
                accounts.deactivate(&account.user).await?;
                Ok(lines([format!("user {} cannot sign in any more", account.user.name)]))
            }
            Self::Activate { name } => {
                let account = find(&accounts, name).await?;
                accounts.activate(&account.user).await?;
                Ok(lines([format!("user {} can sign in", account.user.name)]))
            }
        }
    }
}

async fn find(accounts: &Accounts, name: String) -> Result<Account, CommandFailed> {
    accounts.find(&name).await?.ok_or(CommandFailed::NoSuchAccount(name))
}

/// The standard input without the end of its line.
fn password() -> Result<String, CommandFailed> {
    let mut text = String::new();
    io::stdin().take(MAX_PASSWORD_BYTES).read_to_string(&mut text).map_err(CommandFailed::ReadPassword)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}
