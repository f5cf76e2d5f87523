use crate::site::{PASSWORD, Site};

#[tokio::test]
async fn who_signs_in_goes_on_to_where_they_were_sent_from() {
    let site = Site::new().await;
    let mut browser = site.signed_up("amy").await;
    let answer = browser.submit("/accounts/login/?next=/chat/room/%3Fa%3Db", "amy", PASSWORD).await;
    assert_eq!(answer.header("location"), Some("/chat/room/?a=b"));

    let page = browser.get("/accounts/login/?next=/chat/room/").await;
    assert_eq!(page.hidden("next"), Some("/chat/room/"));
    assert!(page.body.contains(r#"href="../signup/?next=%2Fchat%2Froom%2F""#), "{}", page.body);

    let token = browser.jar["csrftoken"].clone();
    let fields = [
        ("csrfmiddlewaretoken", &*token),
        ("username", "amy"),
        ("password", PASSWORD),
        ("next", "/chat/field/"),
    ];
    let answer = browser.post_form("/accounts/login/?next=/chat/query/", &fields).await;
    assert_eq!(answer.header("location"), Some("/chat/field/"), "the field counts first, as in Django");

    let token = browser.jar["csrftoken"].clone();
    let answer = browser.post_form("/accounts/logout/?next=/bye/", &[("csrfmiddlewaretoken", &token)]).await;
    assert_eq!(answer.header("location"), Some("/bye/"));
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let site = Site::new().await;
    let mut browser = site.signed_up("amy").await;
    for next in [
        "//evil.example",
        "%2F%2Fevil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "/%0D%0ALocation:%20http://evil.example",
        "https://evil.example/",
        "https:/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
    ] {
        let answer = browser.submit(&format!("/accounts/login/?next={next}"), "amy", PASSWORD).await;
        assert_eq!((answer.status, answer.header("location")), (302, Some("/")), "{next}");
        let token = browser.jar["csrftoken"].clone();
        let fields = [("csrfmiddlewaretoken", &*token)];
        let answer = browser.post_form(&format!("/accounts/logout/?next={next}"), &fields).await;
        assert_eq!((answer.status, answer.header("location")), (302, Some("/")), "{next}");
    }
}
