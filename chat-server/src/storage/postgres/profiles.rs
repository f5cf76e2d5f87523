//! Profiles and listings.

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{Profile, ProfileStorage, User};
use chat_protocol::UserId;

use super::PostgresStorage;
use super::row::{ProfileRow, UserRow};

#[async_trait]
impl ProfileStorage for PostgresStorage {
    async fn profile(&self, user: UserId) -> Result<Profile, StorageError> {
        let row: Option<ProfileRow> = self
            .pool
            .first(
                sqlx::query_as(
                    "SELECT email, picture, city, first_name, last_name, gender FROM profiles \
                     WHERE user_id = $1",
                )
                .bind(user.value()),
            )
            .await?;
        Ok(row.map(ProfileRow::read).unwrap_or_default())
    }

    async fn set_profile(&self, user: UserId, profile: &Profile) -> Result<(), StorageError> {
        self.pool
            .execute(sqlx::query(
                    "INSERT INTO profiles (user_id, email, picture, city, first_name, last_name, gender) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7) \
                     ON CONFLICT (user_id) DO UPDATE SET (email, picture, city, first_name, last_name, gender) = \
                     (excluded.email, excluded.picture, excluded.city, \
                      excluded.first_name, excluded.last_name, excluded.gender)",
                )
                .bind(user.value())
                .bind(&profile.email)
                .bind(&profile.picture)
                .bind(&profile.city)
                .bind(&profile.first_name)
                .bind(&profile.last_name)
                .bind(&profile.gender))
            .await?;
        Ok(())
    }

    async fn listing_owner(&self, listing: i64) -> Result<Option<User>, StorageError> {
        let owner: Option<UserRow> = self
            .pool
            .first(
                sqlx::query_as(
                    "SELECT u.id, u.name FROM listings AS l JOIN users AS u ON u.id = l.owner_id \
                     WHERE l.id = $1",
                )
                .bind(listing),
            )
            .await?;
        owner.map(UserRow::read).transpose()
    }

    async fn set_listing(&self, listing: i64, owner: UserId) -> Result<(), StorageError> {
        self.pool
            .execute(
                sqlx::query(
                    "INSERT INTO listings (id, owner_id) VALUES ($1, $2) \
                     ON CONFLICT (id) DO UPDATE SET owner_id = excluded.owner_id",
                )
                .bind(listing)
                .bind(owner.value()),
            )
            .await?;
        Ok(())
    }
}
