use super::*;

fn at(seconds: u64) -> Timestamp {
    later(Timestamp::from_micros(1_700_000_000_000_000).unwrap(), Duration::from_secs(seconds))
}

fn on(account: &str, address: &str) -> Attempt {
    Attempt::new(Some(Username::new(account).unwrap()), Some(address.parse().unwrap()))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// So many failures on an account, each from another address.
fn fail(throttle: &mut Throttle, account: &str, times: u8, now: Timestamp) {
    for host in 0..times {
        assert_eq!(throttle.begin(&on(account, &format!("10.9.0.{host}")), now), Ok(()), "{host}");
    }
}

#[test]
fn each_failure_after_the_fifth_doubles_the_wait() {
    let mut throttle = Throttle::new(ThrottleLimits::default());
    let attempt = on("amy", "10.0.0.1");
    let mut now = 0;
    fail(&mut throttle, "amy", 5, at(now));
    // In as long as the last of these waits, about one failure is forgotten.
    for wait in [5, 10, 20, 40, 80, 160, 160, 160] {
        assert_eq!(throttle.begin(&attempt, at(now)), Err(seconds(wait)));
        assert_eq!(throttle.begin(&attempt, at(now + wait - 1)), Err(seconds(1)));
        now += wait;
        assert_eq!(throttle.begin(&attempt, at(now)), Ok(()));
    }
}

#[test]
fn no_wait_is_longer_than_the_longest() {
    let limits = ThrottleLimits { longest_wait: seconds(30), ..ThrottleLimits::default() };
    let mut throttle = Throttle::new(limits);
    let attempt = on("amy", "10.0.0.1");
    let mut now = 0;
    fail(&mut throttle, "amy", 5, at(now));
    for wait in [5, 10, 20, 30, 30] {
        assert_eq!(throttle.begin(&attempt, at(now)), Err(seconds(wait)));
        now += wait;
        assert_eq!(throttle.begin(&attempt, at(now)), Ok(()));
    }
}

#[test]
fn asking_while_waiting_does_not_lengthen_the_wait() {
    let mut throttle = Throttle::new(ThrottleLimits::default());
    fail(&mut throttle, "amy", 5, at(0));
    for now in 0..5 {
        assert_eq!(throttle.begin(&on("amy", "10.0.0.1"), at(now)), Err(seconds(5 - now)));
    }
    assert_eq!(throttle.begin(&on("amy", "10.0.0.1"), at(5)), Ok(()));
}

#[test]
fn failures_are_forgotten_one_after_the_other() {
    let mut throttle = Throttle::new(ThrottleLimits::default());
    fail(&mut throttle, "amy", 4, at(0));
    fail(&mut throttle, "amy", 2, at(180));
    assert_eq!(throttle.begin(&on("amy", "10.0.0.1"), at(180)), Err(seconds(5)));
    fail(&mut throttle, "amy", 5, at(180 + 900));
    assert_eq!(throttle.begin(&on("amy", "10.0.0.1"), at(180 + 900)), Err(seconds(5)));
}

#[test]
fn a_shared_address_does_not_pay_for_a_slip_now_and_then() {
    let mut throttle = Throttle::new(ThrottleLimits::default());
    for slip in 0..40 {
        let attempt = on(&format!("user{slip}"), "10.0.0.1");
        assert_eq!(throttle.begin(&attempt, at(slip * 600)), Ok(()), "{slip}");
    }
    let now = at(39 * 600 + 60);
    assert_eq!(throttle.begin(&on("amy", "10.0.0.1"), now), Ok(()));
    for guess in 1..25 {
        assert_eq!(throttle.begin(&on(&format!("guess{guess}"), "10.0.0.1"), now), Ok(()), "{guess}");
    }
    assert_eq!(throttle.begin(&on("ben", "10.0.0.1"), now), Err(seconds(5)), "a burst is refused");
}

/// How many guesses are let through in a day, where one is tried every second.
fn guesses_in_a_day(attempt: &Attempt) -> usize {
    let mut throttle = Throttle::new(ThrottleLimits::default());
    (0..24 * 60 * 60).filter(|second| throttle.begin(attempt, at(*second)).is_ok()).count()
}

#[test]
fn a_day_has_only_so_many_guesses() {
    let at_account = guesses_in_a_day(&Attempt::new(Some(Username::new("amy").unwrap()), None));
    assert!((480..=490).contains(&at_account), "{at_account}");
    let from_address = guesses_in_a_day(&Attempt::new(None, Some("10.0.0.1".parse().unwrap())));
    assert!((2_400..=2_427).contains(&from_address), "{from_address}");
}

#[test]
fn other_accounts_and_addresses_are_not_slowed() {
    let mut throttle = Throttle::new(ThrottleLimits::default());
    fail(&mut throttle, "amy", 5, at(0));
    assert_eq!(throttle.begin(&on("ben", "10.9.0.0"), at(0)), Ok(()));
}

#[test]
fn an_address_is_slowed_whatever_the_accounts() {
    let mut throttle = Throttle::new(ThrottleLimits { per_address: 3, ..ThrottleLimits::default() });
    for account in ["a", "b", "c"] {
        assert_eq!(throttle.begin(&on(account, "10.0.0.1"), at(0)), Ok(()));
    }
    for address in ["10.0.0.1", "::ffff:10.0.0.1"] {
        assert_eq!(throttle.begin(&on("d", address), at(0)), Err(seconds(5)));
        let no_name = Attempt::new(None, Some(address.parse().unwrap()));
        assert_eq!(throttle.begin(&no_name, at(0)), Err(seconds(5)));
    }
    assert_eq!(throttle.begin(&on("d", "10.0.0.2"), at(0)), Ok(()));
}

#[test]
fn a_network_of_ipv6_addresses_counts_as_one() {
    let mut throttle = Throttle::new(ThrottleLimits { per_address: 2, ..ThrottleLimits::default() });
    assert_eq!(throttle.begin(&on("a", "2001:db8::1"), at(0)), Ok(()));
    assert_eq!(throttle.begin(&on("b", "2001:db8::ffff:2"), at(0)), Ok(()));
    assert_eq!(throttle.begin(&on("c", "2001:db8::3"), at(0)), Err(seconds(5)));
    assert_eq!(throttle.begin(&on("c", "2001:db8:0:1::3"), at(0)), Ok(()));
}

#[test]
fn success_is_forgiven_to_the_account_but_not_to_the_address() {
    let mut throttle = Throttle::new(ThrottleLimits { per_address: 5, ..ThrottleLimits::default() });
    let attempt = on("amy", "10.0.0.1");
    for _ in 0..4 {
        assert_eq!(throttle.begin(&attempt, at(0)), Ok(()));
    }
    for _ in 0..3 {
        assert_eq!(throttle.begin(&attempt, at(1)), Ok(()));
        throttle.succeeded(&attempt);
    }
    fail(&mut throttle, "amy", 5, at(2));
    assert_eq!(throttle.begin(&on("ben", "10.0.0.1"), at(2)), Ok(()), "the fifth failure of the address");
    assert_eq!(throttle.begin(&on("cas", "10.0.0.1"), at(2)), Err(seconds(5)));
    // A success does not make others wait anew.
    assert_eq!(throttle.begin(&on("dan", "10.0.0.1"), at(7)), Ok(()));
    throttle.succeeded(&on("dan", "10.0.0.1"));
    assert_eq!(throttle.begin(&on("eve", "10.0.0.1"), at(7)), Ok(()));
}

#[test]
fn attempts_at_once_are_counted_before_they_end() {
    let mut throttle = Throttle::new(ThrottleLimits::default());
    fail(&mut throttle, "amy", 5, at(0));
    assert!(throttle.begin(&on("amy", "10.0.0.1"), at(0)).is_err());
}

#[test]
fn a_withdrawn_attempt_does_not_count() {
    let mut throttle = Throttle::new(ThrottleLimits::default());
    for _ in 0..50 {
        assert_eq!(throttle.begin(&on("amy", "10.0.0.1"), at(0)), Ok(()));
        throttle.withdrawn(&on("amy", "10.0.0.1"));
    }
    assert!(throttle.failures.is_empty());
}

#[test]
fn memory_is_bounded_and_offenders_stay() {
    let mut throttle = Throttle::new(ThrottleLimits { capacity: 100, ..ThrottleLimits::default() });
    for _ in 0..5 {
        assert_eq!(throttle.begin(&on("amy", "10.0.0.1"), at(0)), Ok(()));
    }
    for number in 0..1000 {
        let flood = Attempt::new(Some(Username::new(&format!("x{number}")).unwrap()), None);
        assert_eq!(throttle.begin(&flood, at(1)), Ok(()));
        assert!(throttle.failures.len() <= 100);
    }
    assert_eq!(throttle.begin(&on("amy", "10.0.0.2"), at(1)), Err(seconds(4)));
}
