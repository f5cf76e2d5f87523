//! Notifications.

use std::sync::Arc;

use async_trait::async_trait;
use chat_core::StorageError;
use chat_core::storage::{NotificationStorage, StoredNotification, User};
use chat_protocol::{NotificationId, Timestamp, UserId};
use sqlx::{QueryBuilder, Sqlite};

use super::row::{self, NotificationRow};
use super::{SqliteStorage, failed};

/// Most ids in one statement; SQLite takes 32,766 parameters.
const IDS_PER_STATEMENT: usize = 1000;

#[async_trait]
impl NotificationStorage for SqliteStorage {
    async fn notify(
        &self,
        sender: &User,
        recipient: UserId,
        text: Arc<str>,
        sent_at: Timestamp,
    ) -> Result<StoredNotification, StorageError> {
        // Not `RETURNING`: whoever takes the row and no more does not hear whether it could be committed.
        let made = sqlx::query(
            "INSERT INTO notifications (sender_id, recipient_id, text, sent_at) VALUES (?, ?, ?, ?)",
        )
        .bind(sender.id.value())
        .bind(recipient.value())
        .bind(&*text)
        .bind(sent_at.as_micros())
        .execute(&self.writer)
        .await
        .map_err(failed)?;
        Ok(StoredNotification {
            id: row::id(made.last_insert_rowid())?,
            sender: sender.clone(),
            recipient,
            text,
            sent_at,
        })
    }

    async fn notifications(&self, recipient: UserId) -> Result<Vec<StoredNotification>, StorageError> {
        let rows: Vec<NotificationRow> = sqlx::query_as(
            "SELECT n.id, n.sender_id, u.name AS sender_name, n.text, n.sent_at \
             FROM notifications AS n JOIN users AS u ON u.id = n.sender_id \
             WHERE n.recipient_id = ? ORDER BY n.id",
        )
        .bind(recipient.value())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.into_iter().map(|row| row.read(recipient)).collect()
    }

    async fn clear_notifications(
        &self,
        recipient: UserId,
        ids: &[NotificationId],
    ) -> Result<(), StorageError> {
        for ids in ids.chunks(IDS_PER_STATEMENT) {
            let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM notifications WHERE recipient_id = ");
            query.push_bind(recipient.value()).push(" AND id IN (");
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(id.value());
            }
            query.push(")");
            query.build().execute(&self.writer).await.map_err(failed)?;
        }
        Ok(())
    }
}
