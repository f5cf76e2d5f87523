//! Finds a cookie as Django does.

use http::HeaderMap;
use http::header::COOKIE;

/// The value of the cookie of this name, in the first `Cookie` header. Of several, the last one counts; browsers send
/// the one of the longest path first, but Django does not care.
pub(super) fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let pairs = headers.get(COOKIE)?.as_bytes().split(|&byte| byte == b';');
    // Other cookies need not be text.
    let texts = pairs.filter_map(|pair| std::str::from_utf8(pair).ok());
    let (_, value) = texts.filter_map(|pair| pair.split_once('=')).rfind(|(key, _)| key.trim() == name)?;
    let value = value.trim();
    Some(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn found(header: &[u8]) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_bytes(header).unwrap());
        value(&headers, "sessionid").map(str::to_owned)
    }

    #[test]
    fn cookies_as_django_reads_them() {
        let cases: [(&[u8], Option<&str>); 9] = [
            (b"sessionid=abc", Some("abc")),
            (b"a=b; sessionid = abc ;c", Some("abc")),
            (b"sessionid=abc; sessionid=def", Some("def")),
            (b"sessionid=\"abc\"", Some("abc")),
            (b"sessionid=a=b", Some("a=b")),
            (b"a=\xff\xfe; sessionid=abc", Some("abc")),
            (b"sessionid=", Some("")),
            (b"sessionid", None),
            (b"Sessionid=abc; xsessionid=abc", None),
        ];
        for (header, expected) in cases {
            assert_eq!(found(header).as_deref(), expected, "{}", String::from_utf8_lossy(header));
        }
    }

    #[test]
    fn only_the_first_header_counts() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=b"));
        headers.append(COOKIE, HeaderValue::from_static("sessionid=abc"));
        assert_eq!(value(&headers, "sessionid"), None);
    }
}
