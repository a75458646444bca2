//! Any order of refreshing, waiting and logging out, one after the other and two at once: every
//! answer is one that some serial order of the same steps would give.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::harness::{Origin, Tokens, with_postgres_and_redis, with_sqlite};

const CASES: u32 = 40;
const DUPLICATE_SECS: u64 = 10;

/// One step of a client; tokens are named by the order in which they were handed out.
#[derive(Debug, Clone, Copy)]
enum Step {
    Refresh(usize),
    LogOut,
}

#[derive(Debug, Clone, Copy)]
enum Move {
    One(Step),
    TwoAtOnce(Step, Step),
    Wait(u64),
}

/// What a client sees.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Pair(String),
    LoggedOut,
    Refused(String),
}

#[derive(Debug, Clone)]
struct Token {
    text: String,
    used_at: Option<u64>,
    successor: Option<String>,
}

/// The session as the contract has it.
#[derive(Debug, Clone)]
struct Model {
    tokens: Vec<Token>,
    closed: bool,
    /// A log-out that began while the session was open, and whose token was checked then, may find
    /// it closed afterwards; or the check came late, and refuses.
    checked_while_open: bool,
    now: u64,
}

impl Model {
    fn new(first: &str) -> Self {
        let token = Token {
            text: first.to_owned(),
            used_at: None,
            successor: None,
        };
        Self {
            tokens: vec![token],
            closed: false,
            checked_while_open: false,
            now: 0,
        }
    }

    /// Takes the step; the error says what should have been seen.
    fn take(&mut self, step: Step, seen: &Seen) -> Result<(), String> {
        let expected = match step {
            Step::LogOut if self.closed => match seen {
                Seen::LoggedOut if self.checked_while_open => Seen::LoggedOut,
                _ => Seen::Refused("token_revoked".to_owned()),
            },
            Step::LogOut => {
                self.closed = true;
                Seen::LoggedOut
            }
            Step::Refresh(number) => self.refresh(number % self.tokens.len(), seen),
        };
        if expected == *seen {
            Ok(())
        } else {
            Err(format!("{expected:?} but {seen:?}"))
        }
    }

    fn refresh(&mut self, index: usize, seen: &Seen) -> Seen {
        if self.closed {
            return Seen::Refused("session_closed".to_owned());
        }
        let Some(successor) = self.tokens[index].successor.clone() else {
            return self.rotate(index, seen);
        };
        let age = self.now - self.tokens[index].used_at.unwrap();
        let successor_used = self
            .tokens
            .iter()
            .any(|token| token.text == successor && token.used_at.is_some());
        if age <= DUPLICATE_SECS || !successor_used {
            return Seen::Pair(successor);
        }
        self.closed = true;
        Seen::Refused("refresh_token_reused".to_owned())
    }

    /// Any text is right that was not handed out before.
    fn rotate(&mut self, index: usize, seen: &Seen) -> Seen {
        match seen {
            Seen::Pair(new) if self.tokens.iter().all(|token| token.text != *new) => {
                self.tokens[index].used_at = Some(self.now);
                self.tokens[index].successor = Some(new.clone());
                self.tokens.push(Token {
                    text: new.clone(),
                    used_at: None,
                    successor: None,
                });
                seen.clone()
            }
            _ => Seen::Pair("a new token".to_owned()),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![12 => (0..6_usize).prop_map(Step::Refresh), 1 => Just(Step::LogOut)]
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => step().prop_map(Move::One),
        3 => (step(), step()).prop_map(|(one, two)| Move::TwoAtOnce(one, two)),
        2 => (1..15_u64).prop_map(Move::Wait),
    ];
    vec(one, 1..12)
}

#[test]
fn every_answer_is_one_of_a_serial_order_on_sqlite() {
    runtime().block_on(with_sqlite(async |origin| explore(origin).await));
}

#[test]
fn every_answer_is_one_of_a_serial_order_on_postgres_and_redis() {
    runtime().block_on(with_postgres_and_redis(async |origin| {
        explore(origin).await;
    }));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

async fn explore(origin: Origin) {
    origin.register("ada@example.org").await;
    let handle = tokio::runtime::Handle::current();
    let explored = tokio::task::block_in_place(|| {
        let config = Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        };
        TestRunner::new(config).run(&moves(), |moves| {
            handle
                .block_on(play(&origin, &moves))
                .map_err(TestCaseError::fail)
        })
    });
    explored.unwrap();
}

async fn play(origin: &Origin, moves: &[Move]) -> Result<(), String> {
    let first = origin.log_in("ada@example.org").await;
    let mut model = Model::new(&first.refresh);
    let mut access_tokens = vec![first.access.clone()];
    for one in moves {
        match *one {
            Move::Wait(secs) => {
                origin.advance(Duration::from_secs(secs));
                model.now += secs;
            }
            Move::One(step) => {
                let seen = perform(origin, &model, &first, step, &mut access_tokens).await;
                model.take(step, &seen)?;
            }
            Move::TwoAtOnce(one, two) => {
                let mut more = Vec::new();
                let (first_seen, second_seen) = tokio::join!(
                    perform(origin, &model, &first, one, &mut access_tokens),
                    perform(origin, &model, &first, two, &mut more),
                );
                access_tokens.append(&mut more);
                model = in_some_order(&model, (one, &first_seen), (two, &second_seen))?;
            }
        }
    }
    check_access_tokens(origin, &model, &access_tokens).await
}

fn in_some_order(model: &Model, one: (Step, &Seen), two: (Step, &Seen)) -> Result<Model, String> {
    let mut complaints = Vec::new();
    for (first, second) in [(one, two), (two, one)] {
        // A token is named by its number before either step: the first must not shift the second.
        let name = |step| match step {
            Step::Refresh(number) => Step::Refresh(number % model.tokens.len()),
            Step::LogOut => Step::LogOut,
        };
        let mut after = Model {
            checked_while_open: !model.closed,
            ..model.clone()
        };
        let taken = after
            .take(name(first.0), first.1)
            .and_then(|()| after.take(name(second.0), second.1));
        match taken {
            Ok(()) => {
                return Ok(Model {
                    checked_while_open: false,
                    ..after
                });
            }
            Err(complaint) => complaints.push(complaint),
        }
    }
    Err(complaints.join("; or "))
}

async fn perform(
    origin: &Origin,
    model: &Model,
    first: &Tokens,
    step: Step,
    access_tokens: &mut Vec<String>,
) -> Seen {
    let answer = match step {
        Step::LogOut => origin.post_as("/logout", &first.access).await,
        Step::Refresh(number) => {
            origin
                .refresh(&model.tokens[number % model.tokens.len()].text)
                .await
        }
    };
    match (answer.status, step) {
        (200, Step::LogOut) => Seen::LoggedOut,
        (200, Step::Refresh(_)) => {
            let pair = Tokens::from(&answer);
            access_tokens.push(pair.access);
            Seen::Pair(pair.refresh)
        }
        _ => Seen::Refused(answer.code().to_owned()),
    }
}

/// No token survives the session, whoever minted it and when.
async fn check_access_tokens(origin: &Origin, model: &Model, all: &[String]) -> Result<(), String> {
    let expected = if model.closed { 401 } else { 200 };
    for token in all {
        let status = origin.get_as("/me", token).await.status;
        if status != expected {
            return Err(format!(
                "/me answered {status}, session closed: {}",
                model.closed
            ));
        }
    }
    Ok(())
}
