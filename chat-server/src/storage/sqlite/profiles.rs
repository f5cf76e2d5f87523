//! Profiles and listings.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{Profile, ProfileStorage, User};
use chat_protocol::UserId;

use super::row::{ProfileRow, UserRow};
use super::{SqliteStorage, failed};

#[async_trait]
impl ProfileStorage for SqliteStorage {
    async fn profile(&self, user: UserId) -> Result<Profile, StorageError> {
        let row: Option<ProfileRow> = sqlx::query_as(
            "SELECT email, picture, city, first_name, last_name, gender FROM profiles WHERE user_id = ?",
        )
        .bind(user.value())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        Ok(row.map(ProfileRow::read).unwrap_or_default())
    }

    async fn set_profile(&self, user: UserId, profile: &Profile) -> Result<(), StorageError> {
        sqlx::query("REPLACE INTO profiles VALUES (?, ?, ?, ?, ?, ?, ?)")
            .bind(user.value())
            .bind(&profile.email)
            .bind(&profile.picture)
            .bind(&profile.city)
            .bind(&profile.first_name)
            .bind(&profile.last_name)
            .bind(&profile.gender)
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn listing_owner(&self, listing: i64) -> Result<Option<User>, StorageError> {
        let owner: Option<UserRow> = sqlx::query_as(
            "SELECT u.id, u.name FROM listings AS l JOIN users AS u ON u.id = l.owner_id WHERE l.id = ?",
        )
        .bind(listing)
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        owner.map(UserRow::read).transpose()
    }

    async fn set_listing(&self, listing: i64, owner: UserId) -> Result<(), StorageError> {
        sqlx::query("REPLACE INTO listings (id, owner_id) VALUES (?, ?)")
            .bind(listing)
            .bind(owner.value())
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        Ok(())
    }
}
