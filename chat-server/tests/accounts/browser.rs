//! What a browser does for those who visit: it keeps cookies, and fills in forms.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use http::{HeaderMap, Request, request};
use serde_json::{Value, json};
use tower::ServiceExt;

#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    pub(crate) jar: BTreeMap<String, String>,
    pub(crate) address: SocketAddr,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The whole `Set-Cookie` header of a cookie.
    pub(crate) fn set_cookie(&self, name: &str) -> Option<&str> {
        let headers = self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        let mut found = headers.filter(|value| value.split('=').next() == Some(name));
        let only = found.next();
        assert!(found.next().is_none(), "set twice: {name}");
        only
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_str(&self.body).unwrap()
    }

    /// The value of a hidden field of the page.
    pub(crate) fn hidden(&self, name: &str) -> Option<&str> {
        let start = format!(r#"<input type="hidden" name="{name}" value=""#);
        Some(self.body.split_once(&start)?.1.split_once('"').unwrap().0)
    }
}

impl Browser {
    pub(crate) fn new(router: Router) -> Self {
        Self { router, jar: BTreeMap::new(), address: "10.0.0.1:50000".parse().unwrap() }
    }

    pub(crate) fn cookies(&self) -> String {
        self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), Body::empty()).await
    }

    /// Loads a form, fills it in and sends it.
    pub(crate) async fn submit(&mut self, path: &str, name: &str, password: &str) -> Answer {
        let token = self.get(path).await.hidden("csrfmiddlewaretoken").unwrap().to_owned();
        let fields = [("csrfmiddlewaretoken", &*token), ("username", name), ("password", password)];
        self.post_form(path, &fields).await
    }

    pub(crate) async fn log_in(&mut self, name: &str, password: &str) -> Answer {
        self.submit("/accounts/login/", name, password).await
    }

    pub(crate) async fn log_out(&mut self) -> Answer {
        let token = self.get("/accounts/login/").await.hidden("csrfmiddlewaretoken").unwrap().to_owned();
        self.post_form("/accounts/logout/", &[("csrfmiddlewaretoken", &token)]).await
    }

    pub(crate) async fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request, body.into()).await
    }

    /// Sends JSON as a script does: with the value of the cookie in the header.
    pub(crate) async fn post_json(&mut self, path: &str, body: &Value) -> Answer {
        if !self.jar.contains_key("csrftoken") {
            self.get("/accounts/login/").await;
        }
        let request = Request::post(path)
            .header("content-type", "application/json; charset=utf-8")
            .header("x-csrftoken", self.jar["csrftoken"].clone());
        self.send(request, body.to_string().into()).await
    }

    pub(crate) async fn log_in_json(&mut self, name: &str, password: &str) -> Answer {
        self.post_json("/accounts/login/", &json!({ "username": name, "password": password })).await
    }

    pub(crate) async fn send(&mut self, request: request::Builder, body: Body) -> Answer {
        let mut request = request.header("host", "chat.example");
        if !self.jar.is_empty() {
            request = request.header("cookie", self.cookies());
        }
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(ConnectInfo(self.address));
        let response = self.router.clone().oneshot(request).await.unwrap();

        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().into()).unwrap();
        for header in parts.headers.get_all("set-cookie") {
            let (name, rest) = header.to_str().unwrap().split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap();
            if attributes.contains("Max-Age=0;") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}
