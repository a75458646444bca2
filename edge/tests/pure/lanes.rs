//! When which lane is asked. Time and chance are arguments, so nothing here waits.

use edge::config::Switch;
use edge::decision::Refresh;
use edge::lanes::{Lanes, PullState};
use shared::UnixSeconds;

const START: UnixSeconds = UnixSeconds::from_secs(1_800_000_000);

fn at(millis: u64) -> UnixSeconds {
    UnixSeconds::from_millis(START.as_millis() + millis)
}

#[test]
fn opens_one_pull_at_a_time() {
    let mut lanes = Lanes::default();
    let ticket = lanes.open_pull(START).unwrap();
    assert_eq!(lanes.open_pull(at(20_000)), None);
    lanes.close_pull(ticket);
    assert_eq!(lanes.pull_state(at(20_000)), PullState::Idle);
    assert!(lanes.open_pull(at(20_000)).is_some());
}

#[test]
fn replaces_a_pull_that_was_cut_off_without_a_word() {
    let mut lanes = Lanes::default();
    let lost = lanes.open_pull(START).unwrap();
    assert_eq!(lanes.open_pull(at(27_999)), None);
    let next = lanes.open_pull(at(28_001)).unwrap();
    // The lost one ends after all: its successor stays open.
    lanes.close_pull(lost);
    assert_eq!(lanes.pull_state(at(28_002)), PullState::Open);
    lanes.close_pull(next);
    assert_eq!(lanes.pull_state(at(28_002)), PullState::Idle);
}

#[test]
fn backs_off_longer_with_each_failure_up_to_a_bound() {
    let mut lanes = Lanes::default();
    let mut now = START;
    let mut waits = Vec::new();
    for _ in 0..9 {
        lanes.note_failure(now, 0.0);
        let mut waited = 0;
        while lanes.must_back_off(UnixSeconds::from_millis(now.as_millis() + waited)) {
            waited += 50;
        }
        waits.push(waited);
        now = UnixSeconds::from_millis(now.as_millis() + waited);
    }
    assert_eq!(
        waits,
        [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]
    );
    assert!(lanes.open_pull(now).is_some());
}

#[test]
fn spreads_retries_by_chance() {
    let (mut early, mut late) = (Lanes::default(), Lanes::default());
    early.note_failure(START, 0.0);
    late.note_failure(START, 0.999);
    assert!(!early.must_back_off(at(300)));
    assert!(late.must_back_off(at(490)));
    assert!(!late.must_back_off(at(500)));
}

#[test]
fn forgives_the_origin_at_its_first_answer() {
    let mut lanes = Lanes::default();
    for _ in 0..20 {
        lanes.note_failure(START, 0.5);
    }
    assert_eq!(lanes.pull_state(START), PullState::BackingOff);
    assert!(!lanes.pull_carries(Some(START), START));
    lanes.note_answer(START);
    assert_eq!(lanes.pull_state(START), PullState::Idle);
    assert!(lanes.pull_carries(Some(START), START));
    assert_eq!(lanes.pull_failures(), 0);
}

#[test]
fn relies_on_an_open_pull_only_while_lists_come_as_often_as_heartbeats() {
    let mut lanes = Lanes::default();
    let list_iat = Some(START);
    // Nothing was ever said, whatever KV brought.
    assert!(!lanes.pull_carries(list_iat, START));
    lanes.note_answer(START);
    assert!(lanes.open_pull(START).is_some());
    for (list_iat, now, carries) in [
        (list_iat, START, true),
        (list_iat, at(19_999), true),
        // The origin hangs: the pull is open still, and no list came.
        (list_iat, at(20_000), false),
        (list_iat, at(27_000), false),
        (Some(at(15_000)), at(27_000), true),
        // A clock that is behind, by a little or by an hour.
        (Some(at(1_000)), START, true),
        (list_iat, START.minus_secs(3600), true),
        (None, START, false),
    ] {
        assert_eq!(
            lanes.pull_carries(list_iat, now),
            carries,
            "{list_iat:?} {now:?}"
        );
    }
}

#[test]
fn asks_kv_at_most_once_a_second() {
    let mut lanes = Lanes::default();
    assert!(lanes.ask_kv(START));
    assert!(!lanes.ask_kv(at(999)));
    assert!(lanes.ask_kv(at(1000)));
}

#[test]
fn takes_a_lanes_word_for_a_second() {
    let mut lanes = Lanes::default();
    assert!(!lanes.is_kv_settled(START) && !lanes.is_pull_settled(START));
    lanes.note_kv_settled(START);
    lanes.note_answer(START);
    assert!(lanes.is_kv_settled(at(999)) && lanes.is_pull_settled(at(999)));
    assert!(!lanes.is_kv_settled(at(1000)) && !lanes.is_pull_settled(at(1000)));
    // An origin that failed since has said nothing that holds.
    lanes.note_answer(at(1000));
    lanes.note_failure(at(1100), 0.5);
    assert!(!lanes.is_pull_settled(at(1200)));
}

#[test]
fn lets_every_request_ask_until_the_first_question_is_answered() {
    let mut lanes = Lanes::default();
    assert!(lanes.ask_kv(START));
    assert!(!lanes.is_kv_settled(at(10)));
}

#[test]
fn is_not_held_up_by_a_clock_that_was_turned_back() {
    let mut lanes = Lanes::default();
    assert!(lanes.open_pull(START).is_some());
    assert!(lanes.ask_kv(START));
    let hour_earlier = START.minus_secs(3600);
    assert!(lanes.ask_kv(hour_earlier));
    assert!(lanes.open_pull(hour_earlier).is_some());
    lanes.note_failure(START, 0.5);
    assert!(!lanes.must_back_off(hour_earlier));
}

#[test]
fn catches_up_only_where_no_pull_is_open_and_the_last_word_is_old() {
    let mut lanes = Lanes::default();
    let refresh = |lanes: &Lanes, now| lanes.refresh(Switch::On, now);
    assert_eq!(refresh(&lanes, START), Refresh::Due);
    let ticket = lanes.open_pull(START).unwrap();
    assert_eq!(refresh(&lanes, at(27_999)), Refresh::IfNeeded);
    // Cut off without a word: it is believed until it lapses.
    assert_eq!(refresh(&lanes, at(28_001)), Refresh::Due);
    // Ended by itself with an answer: what was said then holds for a second.
    lanes.note_answer(at(25_000));
    lanes.close_pull(ticket);
    assert_eq!(refresh(&lanes, at(25_999)), Refresh::IfNeeded);
    assert_eq!(refresh(&lanes, at(26_000)), Refresh::Due);
}

#[test]
fn does_not_wait_for_an_origin_that_failed_a_moment_ago() {
    let mut lanes = Lanes::default();
    lanes.note_failure(START, 0.0);
    assert_eq!(lanes.refresh(Switch::On, at(249)), Refresh::IfNeeded);
    assert_eq!(lanes.refresh(Switch::On, at(250)), Refresh::Due);
}

#[test]
fn waits_for_lanes_that_do_not_answer_less_and_less_often() {
    let mut lanes = Lanes::default();
    let mut now = START;
    for wait in [250, 500, 1000, 2000] {
        assert_eq!(lanes.refresh(Switch::On, now), Refresh::Due);
        lanes.note_not_caught_up(now, 0.0);
        let before = UnixSeconds::from_millis(now.as_millis() + wait - 1);
        assert_eq!(lanes.refresh(Switch::On, before), Refresh::IfNeeded);
        now = UnixSeconds::from_millis(now.as_millis() + wait);
    }
    lanes.note_caught_up();
    lanes.note_not_caught_up(now, 0.0);
    let soon = UnixSeconds::from_millis(now.as_millis() + 250);
    assert_eq!(lanes.refresh(Switch::On, soon), Refresh::Due);
}

#[test]
fn takes_kvs_word_for_half_a_minute_where_it_is_the_only_lane() {
    let mut lanes = Lanes::default();
    assert_eq!(lanes.refresh(Switch::Off, START), Refresh::Due);
    lanes.note_kv_settled(START);
    assert_eq!(lanes.refresh(Switch::Off, at(29_999)), Refresh::IfNeeded);
    assert_eq!(lanes.refresh(Switch::Off, at(30_000)), Refresh::Due);
}

/// What is answered at once must leave nothing undone that other requests begin in the background.
#[test]
fn are_attended_exactly_where_a_request_would_begin_nothing() {
    let answered = |lanes: &mut Lanes| lanes.note_answer(START);
    let failed = |lanes: &mut Lanes| lanes.note_failure(START, 0.5);
    let opened = |lanes: &mut Lanes| assert!(lanes.open_pull(START).is_some());
    let asked = |lanes: &mut Lanes| assert!(lanes.ask_kv(START));
    let steps: [fn(&mut Lanes); 4] = [answered, failed, opened, asked];
    let mut attended = 0;
    for taken in 0..1_u32 << steps.len() {
        for millis in [0, 300, 900, 1_100, 15_000, 21_000, 29_000, 60_000] {
            for pull_lane in [Switch::On, Switch::Off] {
                for list_iat in [None, Some(START), Some(at(14_000))] {
                    let mut lanes = Lanes::default();
                    // A pull opens only before anything failed.
                    for step in [2, 3, 0, 1] {
                        if taken & (1 << step) != 0 {
                            steps[step](&mut lanes);
                        }
                    }
                    let now = at(millis);
                    let is_attended = lanes.are_attended(pull_lane, list_iat, now);
                    let begins_pull = pull_lane == Switch::On && lanes.open_pull(now).is_some();
                    let begins_kv = !lanes.pull_carries(list_iat, now) && lanes.ask_kv(now);
                    assert_eq!(
                        is_attended,
                        !begins_pull && !begins_kv,
                        "{lanes:?} at {now:?}"
                    );
                    attended += u32::from(is_attended);
                }
            }
        }
    }
    assert!(attended > 50, "{attended}");
}
