//! A real Django project for a test, and a visitor with a browser's manners.
//!
//! Needs `python3` with its module `venv` (in Debian the package `python3-venv`) and, the first
//! time, the Python package index.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::PATIENCE;
use crate::http;
use crate::postgres::{self, Postgres};

const PROJECT: &str = "django";
const REQUIREMENTS: &str = include_str!("../django/requirements.txt");

/// A running Django project. Dropped, it ends.
#[derive(Debug)]
pub struct Site {
    python: PathBuf,
    settings: BTreeMap<&'static str, String>,
    url: String,
    server: SiteServer,
    _folder: TempDir,
}

impl Site {
    /// Starts a project with this engine for its sessions (`db`, `cached_db`, `signed_cookies`) and this `SECRET_KEY`,
    /// in an SQLite database of its own or in PostgreSQL. Django itself is installed into `scratch`, once.
    pub async fn start(scratch: &Path, sessions: &str, key: &str, postgres: Option<&Postgres>) -> Self {
        let python = install(scratch);
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let mut settings =
            BTreeMap::from([("SITE_SESSIONS", sessions.into()), ("SITE_SECRET_KEY", key.into())]);
        let url = if let Some(postgres) = postgres {
            settings.insert("SITE_POSTGRES_PORT", postgres.port().to_string());
            settings.insert("SITE_POSTGRES_PASSWORD", postgres::PASSWORD.to_owned());
            postgres.url()
        } else {
            let file = folder.path().join("db.sqlite3").display().to_string();
            settings.insert("SITE_SQLITE", file.clone());
            format!("sqlite:{file}")
        };
        let server = SiteServer::start(&python, PROJECT, &settings).await;
        Self { python, settings, url, server, _folder: folder }
    }

    /// Starts it anew with another `SECRET_KEY`; the one before becomes the only one of its `SECRET_KEY_FALLBACKS`.
    pub async fn change_key(&mut self, key: &str) {
        let before = self.settings.insert("SITE_SECRET_KEY", key.into());
        self.settings.insert("SITE_SECRET_KEY_FALLBACKS", before.expect("there is a key"));
        self.server = SiteServer::start(&self.python, PROJECT, &self.settings).await;
    }

    /// Its database, as the chat server is told of it.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.url
    }

    /// Its `SECRET_KEY`.
    #[must_use]
    pub fn key(&self) -> &str {
        self.setting("SITE_SECRET_KEY")
    }

    /// The engine of its sessions.
    #[must_use]
    pub fn sessions(&self) -> &str {
        self.setting("SITE_SESSIONS")
    }

    fn setting(&self, name: &str) -> &str {
        self.settings.get(name).expect("every project has this setting")
    }

    /// Runs Python inside the project, and gives what it leaves in `result`.
    pub async fn run(&mut self, python: &str) -> Value {
        self.server.run(python).await
    }

    /// Somebody who has never been there.
    #[must_use]
    pub const fn visitor(&self) -> Visitor {
        Visitor(http::Visitor::new(self.server.address))
    }
}

/// A project that runs.
#[derive(Debug)]
pub(crate) struct SiteServer {
    pub(crate) address: SocketAddr,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// Ended by its input, too, should the test be ended without a chance to tidy up.
    _process: Child,
}

impl SiteServer {
    /// Starts the project in a folder of this package.
    pub(crate) async fn start(
        python: &Path,
        project: &str,
        settings: &BTreeMap<&'static str, String>,
    ) -> Self {
        let mut process = Command::new(python)
            .arg("serve.py")
            .current_dir(folder(project))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the project starts");
        let input = process.stdin.take().expect("its input is piped");
        let output = BufReader::new(process.stdout.take().expect("its output is piped")).lines();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut this = Self { address, input, output, _process: process };
        let port = this.line().await;
        this.address.set_port(port.parse().expect("it says its port first"));
        this
    }

    /// Runs Python inside the project, and gives what it leaves in `result`.
    pub(crate) async fn run(&mut self, python: &str) -> Value {
        let line = format!("{}\n", json!(python));
        self.input.write_all(line.as_bytes()).await.expect("the project runs");
        let answer = self.line().await;
        serde_json::from_str(&answer).expect("the project answers with JSON")
    }

    async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.output.next_line()).await.expect("the project answers in time");
        line.expect("the project writes text").expect("the project goes on")
    }
}

/// The folder of a project in this package.
pub(crate) fn folder(project: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(project)
}

/// Makes a virtual environment with what the projects need, where there is none yet; gives its Python.
pub(crate) fn install(scratch: &Path) -> PathBuf {
    try_install(scratch).expect("Django can be installed")
}

/// As [`install`].
pub(crate) fn try_install(scratch: &Path) -> io::Result<PathBuf> {
    let venv = scratch.join("django-venv");
    let (python, ready) = (venv.join("bin/python"), venv.join("ready"));
    fs::create_dir_all(scratch)?;
    // Several tests may come at once, in one process or in several.
    let lock = File::create(scratch.join("django-venv.lock"))?;
    lock.lock()?;
    if fs::read_to_string(&ready).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(python);
    }
    run(Program::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    run(Program::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(folder(PROJECT).join("requirements.txt")))?;
    fs::write(ready, REQUIREMENTS)?;
    Ok(python)
}

fn run(command: &mut Program) -> io::Result<()> {
    let status = command.stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?}: {status}"))) }
}

/// Somebody who looks at a project's pages and keeps its cookies.
#[derive(Debug, Clone)]
pub struct Visitor(http::Visitor);

impl Visitor {
    /// The value of a cookie that the project has set.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.0.cookie(name)
    }

    /// Sets a cookie as if the project had.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.0.set_cookie(name, value);
    }

    /// Whom the project takes this for; nothing for nobody in particular.
    pub async fn name(&mut self) -> String {
        self.0.get("/").await.body
    }

    /// Fills in the login form.
    pub async fn log_in(&mut self, name: &str, password: &str) {
        self.submit("/accounts/login/", &[("username", name), ("password", password)]).await;
    }

    /// Logs out.
    pub async fn log_out(&mut self) {
        self.submit("/accounts/logout/", &[]).await;
    }

    /// Fills in the form for a new password.
    pub async fn change_password(&mut self, old: &str, new: &str) {
        let fields = [("old_password", old), ("new_password1", new), ("new_password2", new)];
        self.submit("/accounts/password_change/", &fields).await;
    }

    /// Sends a form as a browser does, once the page with the form has set the token against forgery.
    async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) {
        self.0.get(path).await;
        self.0.post(path, fields).await;
    }
}
