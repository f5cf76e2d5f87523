use http::Request;
use serde_json::json;

use crate::browser::Browser;
use crate::site::{PASSWORD, Site};

const PATHS: [&str; 3] = ["/accounts/login/", "/accounts/signup/", "/accounts/logout/"];

async fn check(browser: &Browser, headers: &[(&str, &str)], form_token: Option<&str>, expected: u16) {
    for path in PATHS {
        let mut browser = browser.clone();
        let name = if path.contains("signup") { "new" } else { "amy" };
        let fields = [("username", name), ("password", PASSWORD)];
        let token = form_token.map(|token| ("csrfmiddlewaretoken", token));
        let body =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).extend_pairs(token).finish();
        let mut request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = browser.send(request, body.into()).await;
        assert_eq!(answer.status, expected, "{path}, {headers:?}, {form_token:?}: {}", answer.body);
        if expected == 403 {
            assert_eq!(answer.set_cookie("sessionid"), None);
            assert!(answer.body.contains("CSRF Failed: "));
            let form = if path.contains("signup") { "../signup/" } else { "../login/" };
            assert!(answer.body.contains(&format!(r#"action="{form}""#)), "one may try again");
        }
    }
}

async fn site_and_browser() -> (Site, Browser) {
    let site = Site::new().await;
    let browser = site.signed_up("amy").await;
    (site, browser)
}

#[tokio::test]
async fn without_the_right_token_nothing_happens() {
    let (site, browser) = site_and_browser().await;
    let secret = browser.jar["csrftoken"].clone();
    let other = "x".repeat(32);
    check(&browser, &[], None, 403).await;
    check(&browser, &[], Some(""), 403).await;
    check(&browser, &[], Some(&other), 403).await;
    check(&browser, &[("x-csrftoken", &other)], None, 403).await;
    let mut without_cookie = browser.clone();
    without_cookie.jar.remove("csrftoken");
    check(&without_cookie, &[("x-csrftoken", &secret)], Some(&secret), 403).await;

    assert_eq!(site.visitor(&browser).await.as_deref(), Some("amy"), "still signed in");
    assert_eq!(site.accounts.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_token_may_come_plain_or_masked_in_field_or_header() {
    for masked in [false, true] {
        for in_header in [false, true] {
            let (_site, mut browser) = site_and_browser().await;
            let plain = browser.jar["csrftoken"].clone();
            let mask =
                browser.get("/accounts/login/").await.hidden("csrfmiddlewaretoken").unwrap().to_owned();
            let token = if masked { mask } else { plain };
            if in_header {
                check(&browser, &[("x-csrftoken", &token)], None, 302).await;
            } else {
                check(&browser, &[], Some(&token), 302).await;
            }
        }
    }
}

#[tokio::test]
async fn pages_of_other_sites_are_refused_though_they_have_the_token() {
    let (_site, browser) = site_and_browser().await;
    let token = browser.jar["csrftoken"].clone();
    for origin in ["http://evil.example", "http://chat.example.evil", "http://chat.example:81", "null"] {
        check(&browser, &[("origin", origin)], Some(&token), 403).await;
    }
    let twice = [("origin", "http://chat.example"), ("origin", "http://evil.example")];
    check(&browser, &twice, Some(&token), 403).await;
    check(&browser, &[("origin", "http://chat.example")], Some(&token), 302).await;
}

#[tokio::test]
async fn json_needs_the_header() {
    let (_site, mut browser) = site_and_browser().await;
    let token = browser.jar["csrftoken"].clone();
    let sent = json!({ "username": "amy", "password": PASSWORD, "csrfmiddlewaretoken": token }).to_string();
    for path in PATHS {
        let request = Request::post(path).header("content-type", "application/json");
        let answer = browser.send(request, sent.clone().into()).await;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.json(), json!({ "detail": "CSRF Failed: CSRF token missing." }));
    }
}
