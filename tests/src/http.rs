//! A visitor of a web site: sends requests, keeps cookies.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use form_urlencoded::Serializer;
use http::StatusCode;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::PATIENCE;

/// Somebody with a cookie jar.
#[derive(Debug, Clone)]
pub struct Visitor {
    address: SocketAddr,
    own_address: Ipv4Addr,
    cookies: BTreeMap<String, String>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its head.
    pub head: String,
    /// Its body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Visitor {
    /// A visitor without cookies.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, own_address: Ipv4Addr::UNSPECIFIED, cookies: BTreeMap::new() }
    }

    /// Lets them come from one of this machine's own addresses, 127.0.0.0/8.
    #[must_use]
    pub const fn coming_from(mut self, own_address: Ipv4Addr) -> Self {
        self.own_address = own_address;
        self
    }

    /// The cookies, as a header has them.
    #[must_use]
    pub fn cookies(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// A cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Sets a cookie.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Logs in at `/accounts/login/`, as a browser does.
    pub async fn log_in(&mut self, name: &str, password: &str) {
        self.get("/accounts/login/").await;
        let answer = self.post("/accounts/login/", &[("username", name), ("password", password)]).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{answer:?}");
    }

    /// Logs out.
    pub async fn log_out(&mut self) {
        let answer = self.post("/accounts/logout/", &[]).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{answer:?}");
    }

    /// Gets a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.request("GET", path, &[], "").await
    }

    /// Posts a form, with the token of the cookie as a page's form has it.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.cookie("csrftoken").unwrap_or_default().to_owned();
        let body = Serializer::new(String::new())
            .append_pair("csrfmiddlewaretoken", &token)
            .extend_pairs(fields)
            .finish();
        self.request("POST", path, &[("Content-Type", "application/x-www-form-urlencoded")], &body).await
    }

    /// Sends a request with JSON, with the token of the cookie as a script sends it.
    pub async fn send_json(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        let token = self.cookie("csrftoken").unwrap_or_default().to_owned();
        let headers = [("Content-Type", "application/json"), ("X-CSRFToken", &*token)];
        self.request(method, path, &headers, &body.to_string()).await
    }

    /// Sends any request.
    pub async fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let (address, length) = (self.address, body.len());
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n"
        );
        if !headers.iter().any(|(name, _)| *name == "Accept") {
            request += "Accept: text/html, application/json\r\n";
        }
        if !self.cookies.is_empty() {
            request.extend(["Cookie: ", &self.cookies(), "\r\n"]);
        }
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        let request = request + "\r\n" + body;
        let exchange = exchange(self.own_address, address, &request);
        let answer = timeout(PATIENCE, exchange).await.expect("in time");
        self.keep_cookies(&answer);
        answer
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for line in answer.head.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            if !name.eq_ignore_ascii_case("set-cookie") {
                continue;
            }
            let pair = value.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.trim().split_once('=') else { continue };
            if line.contains("Max-Age=0") || value.trim_matches('"').is_empty() {
                self.cookies.remove(name);
            } else {
                self.set_cookie(name, value);
            }
        }
    }
}

async fn exchange(own_address: Ipv4Addr, address: SocketAddr, request: &str) -> Answer {
    let mut stream = connect(own_address, address).await.expect("the server is there");
    stream.write_all(request.as_bytes()).await.expect("the request is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

async fn connect(own_address: Ipv4Addr, address: SocketAddr) -> io::Result<TcpStream> {
    if own_address.is_unspecified() {
        return TcpStream::connect(address).await;
    }
    let socket = TcpSocket::new_v4()?;
    socket.bind((own_address, 0).into())?;
    socket.connect(address).await
}
