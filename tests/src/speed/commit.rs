//! What a commit takes, as the server itself counts it.

use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpStream};

use super::failure::Failure;
use super::subject::{Setting, Store, Subject};

/// The mean of all transactions so far, in µs; nothing where nothing is stored.
pub(super) fn mean_us(subject: Subject, address: SocketAddrV4) -> Result<f64, Failure> {
    if !matches!(subject, Subject::Ours(Setting { store: Store::File, .. })) {
        return Ok(0.0);
    }
    let mut stream = TcpStream::connect(address).map_err(Failure::Figures)?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(Failure::Figures)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(Failure::Figures)?;
    mean_in(&answer).ok_or(Failure::NoCommit)
}

fn mean_in(answer: &str) -> Option<f64> {
    let figure = |name| {
        let value = answer.lines().find_map(|line| line.strip_prefix(name))?;
        value.trim().parse::<f64>().ok()
    };
    let (seconds, count) = (figure("chat_storage_seconds_sum ")?, figure("chat_storage_seconds_count ")?);
    (count > 0.0).then_some(seconds / count * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_a_sum_through_a_count() {
        let answer = "HTTP/1.1 200 OK\r\n\r\nchat_storage_seconds_sum 0.5\nchat_storage_seconds_count 1000\n";
        assert_eq!(mean_in(answer), Some(500.0));
        assert_eq!(mean_in("chat_storage_seconds_sum 0.0\nchat_storage_seconds_count 0\n"), None);
    }
}
