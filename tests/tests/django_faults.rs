//! What becomes of sign-ins while the PostgreSQL of a Django project says nothing, and afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail so")]

use std::sync::Arc;

use chat_core::memory::MemoryStorage;
use chat_core::{Authenticator, Handshake, Refused};
use chat_server::auth::{DjangoAuthenticator, DjangoConfig, SecretKey};
use chat_tests::PATIENCE;
use chat_tests::postgres::{PASSWORD, Postgres};
use chat_tests::proxy::Proxy;
use futures::future::join_all;
use tokio::time::timeout;

/// The tables of a project, as far as they are read.
const TABLES: &str = "CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text NOT NULL, \
                          expire_date timestamptz NOT NULL); \
                      CREATE TABLE auth_user (id integer PRIMARY KEY, username varchar(150) NOT NULL, \
                          password varchar(128) NOT NULL, is_active boolean NOT NULL)";

/// More sign-ins than there are connections.
const SIGN_INS: usize = 9;

async fn sign_in(django: &DjangoAuthenticator) -> Refused {
    let request = http::Request::get("/ws/chat/lobby/").header("Cookie", "sessionid=0123456789abcdef");
    let (request, ()) = request.body(()).unwrap().into_parts();
    django.authenticate(&Handshake { request: &request, peer: None }).await.unwrap_err()
}

/// Lets in the users of a project whose PostgreSQL is reached by this port.
async fn door(database: &str, port: u16) -> DjangoAuthenticator {
    let url = format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/{database}");
    let config = DjangoConfig::new(url.parse().unwrap(), SecretKey::new("a key of this test").unwrap());
    let django = DjangoAuthenticator::open(config, Arc::new(MemoryStorage::new())).await.unwrap();
    assert!(matches!(sign_in(&django).await, Refused::NotSignedIn));
    django
}

#[tokio::test]
async fn a_migration_of_the_project_does_not_keep_anybody_out() {
    let postgres = Postgres::shared();
    let database = postgres.fresh_database();
    postgres.execute(&database, TABLES);
    let django = door(&database, postgres.port()).await;
    postgres.execute(&database, "ALTER TABLE django_session ALTER COLUMN session_data TYPE varchar");
    // What was made for the table as it was may fail once.
    let _ = sign_in(&django).await;
    assert!(matches!(sign_in(&django).await, Refused::NotSignedIn));
}

#[tokio::test]
async fn a_database_that_falls_silent_holds_nobody_up_for_ever() {
    let postgres = Postgres::shared();
    let database = postgres.fresh_database();
    postgres.execute(&database, TABLES);
    let proxy = Proxy::to(postgres.port()).await;
    let django = door(&database, proxy.port()).await;

    // They ask, and are in the middle of it when the answer does not come.
    let held = postgres.hold(&database, "LOCK TABLE django_session");
    let asking = format!(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'"
    );
    let silence = async {
        while postgres.execute(&database, &asking) != "t" {
            tokio::task::yield_now().await;
        }
        proxy.pause();
        drop(held);
    };
    let sign_ins = join_all((0..SIGN_INS).map(|_| sign_in(&django)));
    let (refused, ()) = timeout(PATIENCE, async { tokio::join!(sign_ins, silence) }).await.expect("they end");
    assert!(refused.iter().all(|refused| !matches!(refused, Refused::NotSignedIn)), "nobody has looked");

    // What was under way is lost, and the next ones find their way.
    proxy.cut();
    proxy.resume();
    assert!(matches!(sign_in(&django).await, Refused::NotSignedIn));
}
