//! The PostgreSQL storage keeps what every storage promises.

use chat_server::storage::{PostgresOptions, PostgresStorage};
use chat_tests::postgres::Postgres;

async fn fresh() -> PostgresStorage {
    let postgres = Postgres::shared();
    let url = postgres.url_of(&postgres.fresh_database()).parse().unwrap();
    PostgresStorage::open(&PostgresOptions::new(url)).await.unwrap()
}

chat_core::storage_conformance!(fresh());
