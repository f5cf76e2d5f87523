//! What only who runs the server may do with accounts.

use chat_core::StorageError;
use chat_core::storage::User;

use super::error::SignUpError;
use super::name::account_name;
use super::password;
use super::service::{Accounts, checked};
use super::storage::{Account, AccountChange, Claim};

impl Accounts {
    /// Makes an account on behalf of who runs the server: for a new user, or one who has none.
    ///
    /// # Errors
    ///
    /// [`SignUpError`] says what is wrong with name or password, or with the server.
    pub async fn create(&self, name: &str, password: &str) -> Result<User, SignUpError> {
        let name = checked(name, password)?;
        Ok(self.create_account(&name, password, Claim::Ownerless).await?.user)
    }

    /// The account of this name.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    pub async fn find(&self, name: &str) -> Result<Option<Account>, StorageError> {
        match account_name(name) {
            Ok(name) => self.0.storage.account_named(&name).await,
            Err(_) => Ok(None),
        }
    }

    /// All accounts, by name.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    pub async fn list(&self) -> Result<Vec<Account>, StorageError> {
        self.0.storage.accounts().await
    }

    /// Gives an account another password. All its sessions end.
    ///
    /// # Errors
    ///
    /// [`SignUpError`] says what is wrong with the password, or with the server.
    pub async fn change_password(&self, user: &User, password: &str) -> Result<(), SignUpError> {
        password::check(password, &user.name)?;
        let hash = self.0.hasher.hash(password).await?;
        Ok(self.0.storage.change_account(user.id, &AccountChange::Password(hash)).await?)
    }

    /// Lets nobody sign in to an account any more, and ends all its sessions.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    pub async fn deactivate(&self, user: &User) -> Result<(), StorageError> {
        self.0.storage.change_account(user.id, &AccountChange::Active(false)).await
    }

    /// Takes back a [`deactivate`](Self::deactivate). The sessions stay ended.
    ///
    /// # Errors
    ///
    /// [`StorageError`] where the database fails.
    pub async fn activate(&self, user: &User) -> Result<(), StorageError> {
        self.0.storage.change_account(user.id, &AccountChange::Active(true)).await
    }
}
