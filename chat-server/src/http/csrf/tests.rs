use axum::http::Request;

use super::*;

const SECRET: &str = "abcdefghijABCDEFGHIJ0123456789zZ";
const MASKED: &str = "Qwertyuiop0123456789ASDFGHJKLzxcQxguxDApwyqsuwyACEGIqJvyACFHJyW1";
const OTHER: &str = "xbcdefghijABCDEFGHIJ0123456789zZ";

fn request(headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::post("/").header("host", "chat.example:8000");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn check(headers: &[(&str, &str)], form_token: Option<&str>, scheme: Scheme) -> Result<(), CsrfError> {
    verify(&request(headers), form_token, scheme)
}

#[test]
fn the_token_must_match_the_cookie() {
    let masked_cookie = format!("csrftoken={MASKED}");
    let cookie = ("cookie", &*format!("x=y; csrftoken={SECRET}"));
    let masked_cookie = ("cookie", &*masked_cookie);
    let (right, wrong) = (("x-csrftoken", SECRET), ("x-csrftoken", OTHER));
    let masked = ("x-csrftoken", MASKED);

    for (headers, form_token, expected) in [
        (vec![], None, Err(CsrfError::NoCookie)),
        (vec![right], Some(SECRET), Err(CsrfError::NoCookie)),
        (vec![("cookie", "csrftoken=short"), ("x-csrftoken", "short")], None, Err(CsrfError::NoCookie)),
        (vec![cookie], None, Err(CsrfError::NoToken)),
        (vec![cookie], Some(""), Err(CsrfError::NoToken)),
        (vec![cookie], Some(OTHER), Err(CsrfError::WrongToken)),
        (vec![cookie], Some("x"), Err(CsrfError::WrongToken)),
        (vec![cookie, wrong], None, Err(CsrfError::WrongToken)),
        (vec![cookie, right], Some(OTHER), Err(CsrfError::WrongToken)),
        (vec![cookie], Some(SECRET), Ok(())),
        (vec![cookie], Some(MASKED), Ok(())),
        (vec![cookie, right], None, Ok(())),
        (vec![cookie, right], Some(""), Ok(())),
        (vec![cookie, masked], None, Ok(())),
        (vec![cookie, wrong], Some(SECRET), Ok(())),
        (vec![masked_cookie, right], None, Ok(())),
        (vec![masked_cookie, masked], None, Ok(())),
    ] {
        assert_eq!(check(&headers, form_token, Scheme::Http), expected, "{headers:?}, {form_token:?}");
    }
}

#[test]
fn the_origin_must_be_this_site() {
    for (header, value, over_http, over_https) in [
        ("origin", "http://chat.example:8000", true, false),
        ("origin", "https://chat.example:8000", true, true),
        ("origin", "https://CHAT.example:8000", true, true),
        ("origin", "https://chat.example", false, false),
        ("origin", "https://chat.example:8001", false, false),
        ("origin", "https://chat.example:8000.evil", false, false),
        ("origin", "https://evilchat.example:8000", false, false),
        ("origin", "https://chat.example:8000@evil", false, false),
        ("origin", "chat.example:8000", false, false),
        ("origin", "ftp://chat.example:8000", false, false),
        ("origin", "null", false, false),
        ("origin", "", false, false),
        ("referer", "https://chat.example:8000/page?x=y", true, true),
        ("referer", "http://chat.example:8000/page", true, false),
        ("referer", "https://evil/chat.example:8000", true, false),
        ("referer", "", true, false),
    ] {
        let cookie = format!("csrftoken={SECRET}");
        let headers = [("cookie", &*cookie), ("x-csrftoken", SECRET), (header, value)];
        let error = if header == "origin" { CsrfError::Origin } else { CsrfError::Referer };
        let expect = |ours: bool| if ours { Ok(()) } else { Err(error) };
        assert_eq!(check(&headers, None, Scheme::Http), expect(over_http), "{header}: {value}");
        assert_eq!(check(&headers, None, Scheme::Https), expect(over_https), "{header}: {value}");
    }
}

#[test]
fn a_good_origin_does_for_a_referer() {
    let cookie = format!("csrftoken={SECRET}");
    let both = [
        ("cookie", &*cookie),
        ("x-csrftoken", SECRET),
        ("origin", "https://chat.example:8000"),
        ("referer", "https://elsewhere/"),
    ];
    assert_eq!(check(&both, None, Scheme::Https), Ok(()));
    assert_eq!(check(&both[..2], None, Scheme::Https), Err(CsrfError::Referer));
}

#[test]
fn a_token_comes_with_its_cookie_where_there_is_none() {
    let (_, set_cookie) = token(&request(&[]), Scheme::Http).unwrap();
    assert!(set_cookie.is_some());
    let (_, set_cookie) = token(&request(&[("cookie", "csrftoken=%00")]), Scheme::Http).unwrap();
    assert!(set_cookie.is_some(), "an unreadable one is replaced");

    let cookie = format!("csrftoken={SECRET}");
    let (token, set_cookie) = token(&request(&[("cookie", &cookie)]), Scheme::Http).unwrap();
    assert!(set_cookie.is_none());
    assert_eq!(check(&[("cookie", &cookie)], Some(&token), Scheme::Http), Ok(()));
}
