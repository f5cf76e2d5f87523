//! Whose address counts where a proxy stands before the server: guessing from one address must not slow others down.

#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::net::{Ipv4Addr, SocketAddr};

use chat_server::accounts::{AccountsConfig, ThrottleLimits};
use chat_server::{Auth, Config};
use chat_tests::balancer::{Balancer, Kind};
use chat_tests::http::Visitor;
use chat_tests::site::{PASSWORD, Site};
use http::StatusCode;
use serde_json::json;

const PROXY: Ipv4Addr = Ipv4Addr::LOCALHOST;

const WRONG: &str = "wrong horse battery";

/// A site where one wrong password makes its address wait, for longer than a test takes.
async fn site(set: impl FnOnce(&mut Config)) -> Site {
    Site::open(&["amy"], |config| {
        let limits = ThrottleLimits { per_address: 1, ..ThrottleLimits::default() };
        let throttle = ThrottleLimits { first_wait: limits.longest_wait, ..limits };
        config.auth = Auth::Session(AccountsConfig { throttle, ..AccountsConfig::default() });
        set(config);
    })
    .await
}

/// Logs in from an address of this machine, and says besides what a proxy would say.
async fn log_in(to: SocketAddr, from: Ipv4Addr, forwarded_for: &str, password: &str) -> StatusCode {
    let mut visitor = Visitor::new(to).coming_from(from);
    visitor.get("/accounts/login/").await;
    let token = visitor.cookie("csrftoken").expect("a cookie").to_owned();
    let body = json!({ "username": "amy", "password": password }).to_string();
    let mut headers = vec![("Content-Type", "application/json"), ("X-CSRFToken", &*token)];
    if !forwarded_for.is_empty() {
        headers.push(("X-Forwarded-For", forwarded_for));
    }
    visitor.request("POST", "/accounts/login/", &headers, &body).await.status
}

#[tokio::test]
async fn a_trusted_proxy_tells_whose_address_counts() {
    let site =
        site(|config| config.trusted_proxies = vec![PROXY.to_string().parse().expect("a network")]).await;
    let server = site.server.address();
    let log_in = async |from: &str, password| log_in(server, PROXY, from, password).await;
    assert_eq!(log_in("192.0.2.1", WRONG).await, StatusCode::BAD_REQUEST);
    assert_eq!(log_in("192.0.2.1", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(log_in("192.0.2.2, 192.0.2.1", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS, "invented");
    assert_eq!(log_in("192.0.2.1, 192.0.2.2", PASSWORD).await, StatusCode::OK);
}

#[tokio::test]
async fn who_is_not_trusted_tells_nothing() {
    let trusting_nobody = site(|_| {}).await;
    let trusting_another = site(|config| {
        config.trusted_proxies = vec!["127.0.0.9".parse().expect("a network")];
    })
    .await;
    for site in [trusting_nobody, trusting_another] {
        let server = site.server.address();
        let log_in = async |from: &str, password| log_in(server, PROXY, from, password).await;
        assert_eq!(log_in("192.0.2.1", WRONG).await, StatusCode::BAD_REQUEST);
        assert_eq!(log_in("192.0.2.2", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    }
}

/// As the documentation sets them up, they tell whose address it is.
async fn behind(kind: Kind) {
    let site =
        site(|config| config.trusted_proxies = vec![PROXY.to_string().parse().expect("a network")]).await;
    let balancer = Balancer::start(kind, [site.server.address(); 3]).await;
    let address = balancer.address();
    let [guesser, other] = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3)];
    assert_eq!(log_in(address, guesser, "", WRONG).await, StatusCode::BAD_REQUEST, "{kind:?}");
    assert_eq!(log_in(address, guesser, "192.0.2.1", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(log_in(address, other, "", PASSWORD).await, StatusCode::OK, "{kind:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_nginx_count_one_by_one() {
    behind(Kind::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_haproxy_count_one_by_one() {
    behind(Kind::HaProxy).await;
}
