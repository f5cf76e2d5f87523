//! The figures of a server, as whoever watches over it reads them.

use tokio::time::timeout;

use crate::PATIENCE;
use crate::http::Visitor;
use crate::server::TestServer;

/// What `/metrics` said.
#[derive(Debug, Clone)]
pub struct Figures(String);

impl Figures {
    /// Asks for them.
    pub async fn of(server: &TestServer) -> Self {
        let answer = Visitor::new(server.address()).get("/metrics").await;
        assert_eq!(answer.status, 200);
        assert!(
            answer.head.to_lowercase().contains("content-type: text/plain; version=0.0.4"),
            "{}",
            answer.head
        );
        Self(answer.body)
    }

    /// Asks for them until one of them has come to this: some things are counted a little after they were to be seen.
    pub async fn with(server: &TestServer, name: &str, value: usize) -> Self {
        Self::when(server, name, |figure| figure == value).await
    }

    /// As [`with`](Self::with), until this holds of it.
    pub async fn when(server: &TestServer, name: &str, holds: impl Fn(usize) -> bool) -> Self {
        let asking = async {
            loop {
                let figures = Self::of(server).await;
                if figures.figure_if_any(name).is_some_and(&holds) {
                    return figures;
                }
            }
        };
        timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("{name} does not come to what it must"))
    }

    /// A figure by its name and labels.
    #[must_use]
    pub fn figure(&self, name: &str) -> usize {
        self.figure_if_any(name).unwrap_or_else(|| panic!("no {name} in {}", self.0))
    }

    /// As [`figure`](Self::figure), of what is counted only once it has happened.
    #[must_use]
    pub fn figure_if_any(&self, name: &str) -> Option<usize> {
        let line = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        Some(line.parse().expect("a number"))
    }
}
