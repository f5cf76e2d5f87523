use std::time::Duration;

use serde_json::json;

use crate::site::{PASSWORD, Site};

const LATER: &str = "Too many attempts. Please try again later.";

#[tokio::test]
async fn guessing_is_slowed_whether_or_not_the_account_exists() {
    let site = Site::new().await;
    site.signed_up("amy").await;
    let mut answers = Vec::new();
    for name in ["amy", "ben"] {
        let mut guesser = site.browser();
        for _ in 0..5 {
            assert_eq!(guesser.log_in_json(name, "wrong horse").await.status, 400);
        }
        let answer = guesser.log_in_json(name, PASSWORD).await;
        assert_eq!((answer.status, answer.json()), (429, json!({ "detail": LATER })));
        assert_eq!(answer.header("retry-after"), Some("5"));
        answers.push(answer.body);
        let page = guesser.log_in(name, PASSWORD).await;
        assert_eq!((page.status, page.header("retry-after")), (429, Some("5")));
        assert!(page.body.contains(LATER));
    }
    assert_eq!(answers[0], answers[1]);

    let mut amy = site.browser();
    amy.address = "10.0.0.2:1".parse().unwrap();
    assert_eq!(amy.log_in_json("amy", PASSWORD).await.status, 429, "from elsewhere as well");
    site.wait(Duration::from_millis(4_500));
    assert_eq!(amy.log_in_json("amy", PASSWORD).await.header("retry-after"), Some("1"));
    site.wait(Duration::from_millis(500));
    assert_eq!(amy.log_in_json("amy", PASSWORD).await.status, 200);
    for _ in 0..5 {
        assert_eq!(amy.log_in_json("amy", "wrong horse").await.status, 400, "forgiven");
    }
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_slowed() {
    let site = Site::new().await;
    site.signed_up("amy").await;
    let mut guesser = site.browser();
    for number in 0..25 {
        assert_eq!(guesser.log_in_json(&format!("user{number}"), PASSWORD).await.status, 400);
    }
    assert_eq!(guesser.log_in_json("amy", PASSWORD).await.status, 429);

    // What a proxy, or anybody, says of the address is not believed.
    let sent = json!({ "username": "amy", "password": PASSWORD }).to_string();
    let request = http::Request::post("/accounts/login/")
        .header("content-type", "application/json")
        .header("x-csrftoken", guesser.jar["csrftoken"].clone())
        .header("x-forwarded-for", "192.0.2.1");
    assert_eq!(guesser.send(request, sent.into()).await.status, 429);

    guesser.address = "10.0.0.2:1".parse().unwrap();
    assert_eq!(guesser.log_in_json("amy", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn clients_of_a_trusted_proxy_are_slowed_one_by_one() {
    let site = Site::new().await;
    site.signed_up("amy").await;
    let mut browser = site.browser_behind("10.0.0.9:50000".parse().unwrap());
    browser.get("/accounts/login/").await;
    let mut log_in = async |client: &str, name: &str| {
        let sent = json!({ "username": name, "password": PASSWORD }).to_string();
        let request = http::Request::post("/accounts/login/")
            .header("content-type", "application/json")
            .header("x-csrftoken", browser.jar["csrftoken"].clone())
            .header("x-forwarded-for", client);
        browser.send(request, sent.into()).await.status
    };
    for number in 0..25 {
        assert_eq!(log_in("192.0.2.1", &format!("user{number}")).await, 400);
    }
    assert_eq!(log_in("192.0.2.1", "amy").await, 429);
    assert_eq!(log_in("192.0.2.2", "amy").await, 200);
}

#[tokio::test]
async fn many_guesses_at_once_are_no_more() {
    let site = Site::new().await;
    site.signed_up("amy").await;
    let mut guesser = site.browser();
    guesser.get("/accounts/login/").await;
    let attempts = (0..50).map(|_| {
        let mut guesser = guesser.clone();
        tokio::spawn(async move { guesser.log_in_json("amy", "wrong horse").await.status })
    });
    let mut answered = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        answered += u32::from(attempt.await.unwrap() == 400);
    }
    assert_eq!(answered, 5);
}

#[tokio::test]
async fn signing_up_is_slowed_by_address() {
    let site = Site::new().await;
    let sign_up = async |name: &str, address: &str| {
        let mut browser = site.browser();
        browser.address = address.parse().unwrap();
        browser.post_json("/accounts/signup/", &json!({ "username": name, "password": PASSWORD })).await
    };
    let [here, elsewhere] = ["10.0.0.1:1", "10.0.0.2:1"];
    for number in 0..20 {
        assert_eq!(sign_up(&format!("user{number}"), here).await.status, 200, "{number}");
    }
    let answer = sign_up("amy", here).await;
    assert_eq!((answer.status, answer.json()), (429, json!({ "detail": LATER })));
    assert_eq!(answer.header("retry-after"), Some("60"));
    assert_eq!(sign_up("amy", elsewhere).await.status, 200);
    assert_eq!(site.browser().log_in_json("amy", PASSWORD).await.status, 200, "who has an account is let in");

    site.wait(Duration::from_mins(1));
    assert_eq!(sign_up("ben", here).await.status, 200);
    assert_eq!(sign_up("cas", here).await.status, 429, "one a minute");
}

#[tokio::test]
async fn asking_which_names_are_taken_is_slowed() {
    let site = Site::new().await;
    let mut asker = site.signed_up("amy").await;
    let amy = json!({ "username": "amy", "password": PASSWORD });
    for _ in 1..20 {
        assert_eq!(asker.post_json("/accounts/signup/", &amy).await.status, 400);
    }
    assert_eq!(asker.post_json("/accounts/signup/", &amy).await.status, 429);
}
