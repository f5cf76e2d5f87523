use super::*;
use chat_protocol::EncodeContext;

const PACE: Pace = Pace { ping_every: 64, mute_for: 144 };

fn client() -> Arc<Client> {
    Client::new(None, EncodeContext::default(), None, 1024)
}

/// What is due up to a beat, and when.
fn due_until(round: &mut Round, last: u64) -> Vec<(u64, Due)> {
    assert!(round.take_due(0).is_empty(), "nothing is due at the beginning");
    (1..=last).flat_map(|now| round.take_due(now).into_iter().map(move |(_, due)| (now, due))).collect()
}

#[test]
fn who_is_silent_is_pinged_and_then_mute() {
    let mut round = Round::new(PACE);
    round.add(client(), None);
    let due = due_until(&mut round, 150);
    assert_eq!(due, [(64, Due::Ping), (128, Due::Ping), (145, Due::End(End::Mute))]);
}

#[test]
fn who_answers_is_not_mute() {
    let mut round = Round::new(PACE);
    let client = client();
    round.add(Arc::clone(&client), None);
    let mut pings = 0;
    for now in 1..=6400 {
        for (_, due) in round.take_due(now) {
            assert_eq!(due, Due::Ping);
            client.hear(now);
            pings += 1;
        }
    }
    assert_eq!(pings, 100);
}

#[test]
fn an_identity_expires_between_pings() {
    let mut round = Round::new(PACE);
    round.add(client(), Some(96));
    let due = due_until(&mut round, 127);
    assert_eq!(due, [(64, Due::Ping), (96, Due::End(End::SignedOut))]);
}

#[test]
fn after_a_standstill_there_is_one_ping_and_nobody_is_mute() {
    let mut round = Round::new(PACE);
    round.add(client(), None);
    let due: Vec<_> =
        (640..=785).flat_map(|now| round.take_due(now).into_iter().map(move |(_, due)| (now, due))).collect();
    assert_eq!(due, [(640, Due::Ping), (704, Due::Ping), (768, Due::Ping), (785, Due::End(End::Mute))]);
}

#[test]
fn a_place_that_is_taken_again_has_the_beats_of_its_new_connection() {
    let mut round = Round::new(PACE);
    let place = round.add(client(), None);
    assert_eq!(round.take_due(32).len(), 0);
    round.remove(place);
    assert_eq!(round.add(client(), None), place);
    let due: Vec<_> = (33..=127).filter(|&now| !round.take_due(now).is_empty()).collect();
    assert_eq!(due, [96]);
}

#[tokio::test(start_paused = true)]
async fn beats_go_with_time_and_a_connection_is_watched_over_until_it_ends() {
    let watch = Watch::new(Duration::from_secs(20), Duration::from_secs(45));
    let (client, gone) = (client(), client());
    let _watched = watch.add(&client, None);
    drop(watch.add(&gone, None));
    for (seconds, frames) in [(19, 0), (20, 1), (39, 1), (40, 2)] {
        tokio::time::sleep_until(watch.first_beat + Duration::from_secs(seconds)).await;
        watch.beat();
        assert_eq!((client.tally().frames, gone.tally().frames), (frames, 0), "after {seconds} s");
    }
}

#[test]
fn beats_are_neither_too_short_nor_too_long() {
    for (ping_every, beat) in [
        (Duration::ZERO, SHORTEST_BEAT),
        (Duration::from_secs(20), Duration::from_micros(312_500)),
        (Duration::MAX, LONGEST_BEAT),
    ] {
        assert_eq!(Watch::new(ping_every, Duration::MAX).beat, beat);
    }
}
