//! The PostgreSQL storage keeps what every storage promises.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chat_server::storage::{PostgresOptions, PostgresStorage};
use chat_tests::postgres::Postgres;

async fn fresh() -> PostgresStorage {
    let postgres = Postgres::shared();
    let url = postgres.url_of(&postgres.fresh_database()).parse().unwrap();
    PostgresStorage::open(&PostgresOptions::new(url)).await.unwrap()
}

chat_core::storage_conformance!(fresh());
