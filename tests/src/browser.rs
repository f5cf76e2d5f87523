//! A headless Chromium to try web pages in, and a tiny server that hands pages to it.
//!
//! Needs `chromedriver` and `chromium` on the path; in Debian the packages `chromium-driver` and `chromium`. Every
//! step that fails panics, and so fails its test.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::{Capabilities, WindowHandle};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::PATIENCE;

/// Chromium works for tests only: nothing of it should touch the network, the user's profile or the graphics card.
const ARGUMENTS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
];

/// A running browser. It ends when this is dropped.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    _driver: Driver,
}

impl Browser {
    /// Starts a browser with a fresh profile.
    pub async fn start() -> Self {
        timeout(PATIENCE, Self::launch()).await.expect("the browser starts in time")
    }

    async fn launch() -> Self {
        let (driver, address) = Driver::start().await;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&driver.directory))
            .connect(&address)
            .await
            .expect("chromedriver starts chromium");
        Self { client, _driver: driver }
    }

    /// Opens a window with the page at `url`.
    pub async fn open(&self, url: &str) -> Window {
        let handle = self.client.new_window(false).await.expect("a window opens").handle;
        let window = Window { client: self.client.clone(), handle, _page: None };
        window.focused().await.goto(url).await.expect("the page loads");
        window
    }

    /// Opens a window with the page that `template` makes, with each `{{name}}` of `values` filled in.
    pub async fn open_page(&self, template: &str, values: &[(&str, &str)]) -> Window {
        let page = PageServer::start(template, values).await;
        let window = self.open(&page.url()).await;
        Window { _page: Some(page), ..window }
    }
}

fn capabilities(directory: &TempDir) -> Capabilities {
    let profile = format!("--user-data-dir={}", directory.path().join("profile").display());
    let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([profile.as_str()]).collect();
    // Waiting for a condition ends by itself before the driver ends its script.
    let script = (PATIENCE * 2).as_millis();
    [
        ("goog:chromeOptions".to_owned(), json!({ "args": arguments })),
        ("timeouts".to_owned(), json!({ "script": u64::try_from(script).expect("a minute fits") })),
    ]
    .into_iter()
    .collect()
}

/// The process that drives the browser, with the browser's processes in its process group.
#[derive(Debug)]
struct Driver {
    process: Child,
    /// The browser's profile and everything else that it leaves behind.
    directory: TempDir,
}

/// How often it is started, at most.
const STARTS: u32 = 3;

impl Driver {
    /// The port that the system gives it for IPv4 it takes for IPv6, too, and ends where somebody else has that.
    async fn start() -> (Self, String) {
        let mut said = String::new();
        for _ in 0..STARTS {
            let (driver, output) = Self::begin();
            match announced_port(output).await {
                Ok(port) => return (driver, format!("http://127.0.0.1:{port}")),
                Err(output) => said = output,
            }
        }
        panic!("chromedriver ended before it said its port: {said}");
    }

    fn begin() -> (Self, ChildStdout) {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", directory.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed");
        let output = process.stdout.take().expect("its output is piped");
        (Self { process, directory }, output)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The driver leaves the browser running when it is killed alone.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
    }
}

/// The port in `ChromeDriver was started successfully on port 12345.`, or what it said instead.
async fn announced_port(output: ChildStdout) -> Result<u16, String> {
    let output = tokio::process::ChildStdout::from_std(output).expect("the output is a pipe");
    let mut lines = BufReader::new(output).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.expect("chromedriver writes text") {
        let Some((_, port)) = line.split_once("started successfully on port ") else {
            said += &line;
            continue;
        };
        // Whoever writes to a pipe that nobody reads comes to a halt some day.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        return Ok(port.trim_end_matches('.').parse().expect("a port is a number"));
    }
    Err(said)
}

/// A window of the browser. Windows of one browser take turns: drive them from one task.
pub struct Window {
    client: Client,
    handle: WindowHandle,
    /// Kept, so that the page can be loaded anew.
    _page: Option<PageServer>,
}

impl Window {
    /// Loads the page anew.
    pub async fn reload(&self) {
        self.focused().await.refresh().await.expect("the page loads again");
    }

    /// Closes the window, and with it the connections of its page.
    pub async fn close(self) {
        self.focused().await.close_window().await.expect("the window closes");
    }

    /// What `expression`, in JavaScript, is worth in the page.
    pub async fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression};");
        self.focused().await.execute(&script, Vec::new()).await.expect("the expression has a value")
    }

    /// Waits until `condition`, in JavaScript, holds in the page.
    pub async fn wait_until(&self, condition: &str) {
        let script = WAIT.replace("CONDITION", condition);
        let millis = u64::try_from(PATIENCE.as_millis()).expect("half a minute fits");
        let seen = self
            .focused()
            .await
            .execute_async(&script, vec![json!(millis)])
            .await
            .expect("the condition is JavaScript");
        assert!(seen.is_null(), "waited in vain for {condition}\n{}", seen.as_str().unwrap_or_default());
    }

    /// Waits until the page at `url` is there. Conditions in JavaScript end with the page that they are asked of.
    pub async fn wait_for_url(&self, url: &str) {
        let url = url.parse().expect("a URL");
        let wait = self.focused().await.wait().at_most(PATIENCE).every(Duration::from_millis(10));
        wait.for_url(&url).await.unwrap_or_else(|error| panic!("waited in vain for {url}: {error}"));
    }

    /// Types `text` into the element that `selector` finds, key by key.
    pub async fn type_into(&self, selector: &str, text: &str) {
        self.element(selector).await.send_keys(text).await.expect("the element takes keys");
    }

    /// Types `text` and presses the enter key.
    pub async fn enter(&self, selector: &str, text: &str) {
        self.type_into(selector, &(text.to_owned() + &Key::Enter)).await;
    }

    /// Clicks on the element that `selector` finds.
    pub async fn click(&self, selector: &str) {
        self.element(selector).await.click().await.expect("the element can be clicked on");
    }

    async fn element(&self, selector: &str) -> Element {
        let found = self.focused().await.find(Locator::Css(selector)).await;
        found.unwrap_or_else(|error| panic!("no {selector}: {error}"))
    }

    async fn focused(&self) -> &Client {
        self.client.switch_to_window(self.handle.clone()).await.expect("the window is open");
        &self.client
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Window").field(&self.handle).finish()
    }
}

/// Calls back with null once the condition holds, or with what the page shows instead.
const WAIT: &str = r"
const [patience, done] = arguments;
const started = performance.now();
const look = () => {
  let held, failure = '';
  try { held = CONDITION; } catch (error) { failure = `${error}\n`; }
  if (held) done(null);
  else if (performance.now() - started > patience) done(failure + document.documentElement.outerHTML);
  else setTimeout(look, 10);
};
look();
";

/// Serves one page under every path. It ends when this is dropped.
#[derive(Debug)]
pub struct PageServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl PageServer {
    /// Starts to serve `template`, with each `{{name}}` of `values` filled in.
    pub async fn start(template: &str, values: &[(&str, &str)]) -> Self {
        let page = values
            .iter()
            .fold(template.to_owned(), |page, (name, value)| page.replace(&format!("{{{{{name}}}}}"), value));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let response = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{page}",
            page.len(),
        );
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, response.clone()));
            }
        });
        Self { address, task }
    }

    /// Where the page is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for PageServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads the head of a request to its end, so that closing does not reset the connection, and answers it. A browser
/// that hangs up early, or opens a connection just in case, is no error.
async fn answer(mut stream: TcpStream, response: String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_buf(&mut head).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    let _ = stream.write_all(response.as_bytes()).await;
}
