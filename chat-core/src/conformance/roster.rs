//! What a [`Roster`] must do. Every case gets two nodes of one roster.

use std::time::Duration;

use chat_protocol::UserId;

use crate::{Novelty, Pulse, Roster};

/// Tests an implementation of [`Roster`]: give it a future that makes two nodes of a fresh roster.
///
/// ```
/// use chat_core::memory::LocalChannelLayer;
///
/// chat_core::roster_conformance!(async {
///     let first = LocalChannelLayer::new();
///     let second = first.join();
///     (first, second)
/// });
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! roster_conformance {
    ($make:expr) => {
        $crate::roster_conformance! { @cases $make,
            whoever_is_on_some_node_is_online,
            the_first_node_makes_the_difference,
            later_standings_are_of_later_moments,
            a_node_is_known_after_its_first_sign_of_life,
            the_users_of_a_silent_node_are_gone_and_told_once,
            who_is_on_another_node_as_well_is_not_gone,
            a_node_that_was_taken_for_dead_can_come_back,
        }
    };
    (@cases $make:expr, $($case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let (first, second) = $make.await;
                $crate::conformance::roster::$case(&first, &second).await;
            }
        )*
    };
}

/// Longer than any test takes.
const LONG: Duration = Duration::from_mins(10);

/// So short that it is over when one looks.
const OVER: Duration = Duration::from_micros(1);

fn user(id: i64) -> UserId {
    UserId::new(id).unwrap()
}

async fn begin(first: &impl Roster, second: &impl Roster) {
    first.beat(LONG).await.unwrap();
    second.beat(LONG).await.unwrap();
}

async fn enter(node: &impl Roster, id: i64) -> Novelty {
    node.enter(&[user(id)]).await.unwrap()[0].1
}

async fn are_online(node: &impl Roster, ids: &[i64]) -> Vec<bool> {
    let users: Vec<_> = ids.iter().copied().map(user).collect();
    node.standings(&users).await.unwrap().into_iter().map(|standing| standing.is_online).collect()
}

/// Asks until a node that is silent is noticed to be: time goes on by itself.
async fn beat_until_somebody_is_gone(node: &impl Roster) -> Pulse {
    loop {
        let pulse = node.beat(LONG).await.unwrap();
        if !pulse.gone.is_empty() {
            return pulse;
        }
        tokio::task::yield_now().await;
    }
}

/// Who is entered is online for all nodes, until they have left all of them.
pub async fn whoever_is_on_some_node_is_online(first: &impl Roster, second: &impl Roster) {
    begin(first, second).await;
    first.enter(&[user(1), user(2)]).await.unwrap();
    second.enter(&[user(2)]).await.unwrap();
    assert_eq!(are_online(second, &[3, 1, 2]).await, [false, true, true]);
    assert!(!first.leave(user(1)).await.unwrap().is_online);
    assert!(first.leave(user(2)).await.unwrap().is_online, "on the other node");
    assert_eq!(are_online(first, &[1, 2]).await, [false, true]);
    assert!(!second.leave(user(2)).await.unwrap().is_online);
    assert!(are_online(first, &[]).await.is_empty());
}

/// Coming to a second node, or to the same one again, is no news.
pub async fn the_first_node_makes_the_difference(first: &impl Roster, second: &impl Roster) {
    begin(first, second).await;
    assert_eq!(enter(first, 1).await, Novelty::Changed);
    assert_eq!(enter(first, 1).await, Novelty::Unchanged);
    assert_eq!(enter(second, 1).await, Novelty::Unchanged);
    first.leave(user(1)).await.unwrap();
    second.leave(user(1)).await.unwrap();
    assert_eq!(enter(second, 1).await, Novelty::Changed);
}

/// Whoever says it, of two standings one can tell which is the later one.
pub async fn later_standings_are_of_later_moments(first: &impl Roster, second: &impl Roster) {
    begin(first, second).await;
    let entered = first.enter(&[user(1)]).await.unwrap()[0].0;
    let left = first.leave(user(1)).await.unwrap();
    let again = second.enter(&[user(1)]).await.unwrap()[0].0;
    assert!(entered.is_online && !left.is_online && again.is_online);
    assert!(entered.as_of <= left.as_of && left.as_of <= again.as_of);
}

/// What is told to the roster before, it does not vouch for.
pub async fn a_node_is_known_after_its_first_sign_of_life(first: &impl Roster, second: &impl Roster) {
    let pulse = first.beat(LONG).await.unwrap();
    assert!(!pulse.is_known && pulse.is_alone && pulse.gone.is_empty(), "{pulse:?}");
    second.beat(LONG).await.unwrap();
    let pulse = first.beat(LONG).await.unwrap();
    assert!(pulse.is_known && !pulse.is_alone, "{pulse:?}");
}

/// A node that gives no sign of life loses its users; one of the others is told which they were.
pub async fn the_users_of_a_silent_node_are_gone_and_told_once(first: &impl Roster, second: &impl Roster) {
    begin(first, second).await;
    first.enter(&[user(1), user(2)]).await.unwrap();
    first.beat(OVER).await.unwrap();
    let mut pulse = beat_until_somebody_is_gone(second).await;
    pulse.gone.sort_unstable();
    assert_eq!(pulse.gone, [user(1), user(2)]);
    assert_eq!(are_online(second, &[1, 2]).await, [false, false]);
    assert!(second.beat(LONG).await.unwrap().gone.is_empty());
}

/// Users of a dead node who are connected to a living one stay online.
pub async fn who_is_on_another_node_as_well_is_not_gone(first: &impl Roster, second: &impl Roster) {
    begin(first, second).await;
    first.enter(&[user(1), user(2)]).await.unwrap();
    second.enter(&[user(2)]).await.unwrap();
    first.beat(OVER).await.unwrap();
    assert_eq!(beat_until_somebody_is_gone(second).await.gone, [user(1)]);
    assert_eq!(are_online(second, &[1, 2]).await, [false, true]);
}

/// A node that was silent for too long is told that it is not known any more, and tells who is there.
pub async fn a_node_that_was_taken_for_dead_can_come_back(first: &impl Roster, second: &impl Roster) {
    begin(first, second).await;
    first.enter(&[user(1)]).await.unwrap();
    first.beat(OVER).await.unwrap();
    beat_until_somebody_is_gone(second).await;
    assert!(!first.beat(LONG).await.unwrap().is_known);
    assert_eq!(enter(first, 1).await, Novelty::Changed);
    assert_eq!(are_online(second, &[1]).await, [true]);
    assert!(second.beat(LONG).await.unwrap().gone.is_empty());
}

#[cfg(test)]
mod tests {
    use crate::memory::LocalChannelLayer;

    crate::roster_conformance!(async {
        let first = LocalChannelLayer::new();
        let second = first.join();
        (first, second)
    });
}
