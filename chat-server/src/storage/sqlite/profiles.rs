//! Profiles and listings.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{Profile, ProfileStorage, User};
use chat_protocol::UserId;

use super::SqliteStorage;
use super::query::{execute, first};
use super::row::{ProfileRow, UserRow};

#[async_trait]
impl ProfileStorage for SqliteStorage {
    async fn profile(&self, user: UserId) -> Result<Profile, StorageError> {
        self.read(move |connection| {
            let row: Option<ProfileRow> = first(
                connection,
                "SELECT email, picture, city, first_name, last_name, gender FROM profiles WHERE user_id = ?",
                [user.value()],
            )?;
            Ok(row.map(ProfileRow::read).unwrap_or_default())
        })
        .await
    }

    async fn set_profile(&self, user: UserId, profile: &Profile) -> Result<(), StorageError> {
        let Profile { email, picture, city, first_name, last_name, gender } = profile.clone();
        self.write(move |connection| {
            execute(
                connection,
                "REPLACE INTO profiles VALUES (?, ?, ?, ?, ?, ?, ?)",
                (user.value(), email, picture, city, first_name, last_name, gender),
            )?;
            Ok(())
        })
        .await
    }

    async fn listing_owner(&self, listing: i64) -> Result<Option<User>, StorageError> {
        self.read(move |connection| {
            let owner: Option<UserRow> = first(
                connection,
                "SELECT u.id, u.name FROM listings AS l JOIN users AS u ON u.id = l.owner_id WHERE l.id = ?",
                [listing],
            )?;
            Ok(owner.map(UserRow::read).transpose()?)
        })
        .await
    }

    async fn set_listing(&self, listing: i64, owner: UserId) -> Result<(), StorageError> {
        self.write(move |connection| {
            execute(
                connection,
                "REPLACE INTO listings (id, owner_id) VALUES (?, ?)",
                (listing, owner.value()),
            )?;
            Ok(())
        })
        .await
    }
}
