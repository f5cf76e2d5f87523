//! What a commit takes, as the server itself counts it.

use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpStream};

use super::failure::Failure;
use super::subject::{Setting, Store, Subject};

/// The time in which this share of all transactions so far was done, in µs; nothing where nothing is stored.
pub(super) fn within_us(subject: Subject, address: SocketAddrV4, share: f64) -> Result<f64, Failure> {
    if !matches!(subject, Subject::Ours(Setting { store: Store::File, .. })) {
        return Ok(0.0);
    }
    let mut stream = TcpStream::connect(address).map_err(Failure::Figures)?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(Failure::Figures)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(Failure::Figures)?;
    quantile(&steps(&answer), share).map(|seconds| seconds * 1e6).ok_or(Failure::NoCommit)
}

/// Times in seconds, and how many transactions took no longer.
fn steps(answer: &str) -> Vec<(f64, f64)> {
    let step = |line: &str| {
        let (time, count) = line.strip_prefix("chat_storage_seconds_bucket{le=\"")?.split_once("\"} ")?;
        Some((time.parse().ok()?, count.trim().parse().ok()?))
    };
    answer.lines().filter_map(step).collect()
}

/// As `histogram_quantile` of Prometheus has it: between two steps, everything is taken to be spread evenly.
fn quantile(steps: &[(f64, f64)], share: f64) -> Option<f64> {
    let wanted = steps.last().map(|&(_, all)| all * share).filter(|wanted| *wanted > 0.0)?;
    let mut below = (0.0, 0.0);
    for &(time, count) in steps {
        if count >= wanted {
            let part = (wanted - below.1) / (count - below.1);
            // Beyond the last step, nothing is known but that.
            return Some(if time.is_finite() { below.0 + part * (time - below.0) } else { below.0 });
        }
        below = (time, count);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_all_transactions_lies_between_two_steps() {
        let answer = "HTTP/1.1 200 OK\r\n\r\n\
            chat_storage_seconds_bucket{le=\"0.5\"} 2\n\
            chat_storage_seconds_bucket{le=\"1\"} 6\n\
            chat_storage_seconds_bucket{le=\"+Inf\"} 8\n\
            chat_storage_seconds_sum 5.0\nchat_storage_seconds_count 8\n\
            chat_fan_out_seconds_bucket{le=\"0.5\"} 9\n";
        let steps = steps(answer);
        assert_eq!(steps, [(0.5, 2.0), (1.0, 6.0), (f64::INFINITY, 8.0)]);
        assert_eq!(quantile(&steps, 0.125), Some(0.25));
        assert_eq!(quantile(&steps, 0.5), Some(0.75));
        assert_eq!(quantile(&steps, 0.99), Some(1.0));
    }

    #[test]
    fn where_nothing_was_stored_there_is_no_time() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[(0.5, 0.0), (f64::INFINITY, 0.0)], 0.5), None);
    }
}
