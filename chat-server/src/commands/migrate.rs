//! `chat-server migrate`

use super::lines;
use crate::config::Database;
use crate::storage::{Migrated, ServerStorage};

/// Says what opening the database has done to its tables.
pub(super) fn run(storage: &dyn ServerStorage, database: &Database) -> String {
    let said = match storage.migrated() {
        Migrated { from: None, to } => format!("made with tables of version {to}"),
        Migrated { from: Some(from), to } if from == to => {
            format!("nothing to do, its tables are of version {to}")
        }
        Migrated { from: Some(from), to } => {
            format!("its tables were of version {from}, and are of version {to}")
        }
    };
    lines([format!("{database}: {said}")])
}
