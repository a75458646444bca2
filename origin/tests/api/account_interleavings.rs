//! Any order of logging in, refreshing, resetting, changing, disabling and enabling, one after the
//! other and two at once: every answer is one that some serial order of the same steps would give,
//! and no token survives that the loser of a race was given.

use std::time::Duration;

use origin::accounts::{self, Deed};
use origin::clock::Clock;
use origin::mailed_token;
use origin::store::mailed_tokens::Purpose;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::harness::{
    Answer, Origin, PASSWORD, Tokens, claims, with_postgres_and_redis, with_sqlite,
};

const CASES: u32 = 24;
const PASSWORDS: [&str; 3] = [
    PASSWORD,
    "another horse of a test",
    "a third horse of a test",
];
const DEED: Deed<'static> = Deed {
    actor: "command-line",
    reason: "a test",
    address: None,
};

/// A step before it is known which sessions and tokens there are.
#[derive(Debug, Clone, Copy)]
enum Step {
    LogIn {
        password: usize,
    },
    Refresh {
        session: usize,
    },
    Mint,
    Reset {
        password: usize,
    },
    Change {
        session: usize,
        current: usize,
        new: usize,
    },
    Disable,
    Enable,
}

/// A step on what there is.
#[derive(Debug, Clone)]
enum Act {
    LogIn {
        password: usize,
    },
    Refresh {
        session: Session,
    },
    Mint,
    Reset {
        token: String,
        password: usize,
    },
    Change {
        session: Session,
        current: usize,
        new: usize,
    },
    Disable,
    Enable,
}

#[derive(Debug, Clone)]
struct Session {
    sid: String,
    tokens: Tokens,
    open: bool,
}

/// What the one who acts sees.
#[derive(Debug, Clone)]
enum Seen {
    Pair(Tokens),
    Token(String),
    Done,
    Refused,
}

/// The account as the contract has it.
#[derive(Debug, Clone)]
struct Model {
    password: usize,
    disabled: bool,
    /// The newest mailed token and whether it is still good.
    mailed: Option<(String, bool)>,
    sessions: Vec<Session>,
    every_access_token: Vec<(String, String)>,
}

impl Model {
    fn resolve(&self, step: Step) -> Act {
        let session = |number: usize| self.sessions[number % self.sessions.len()].clone();
        match step {
            Step::LogIn { password } => Act::LogIn { password },
            Step::Refresh { session: number } => Act::Refresh {
                session: session(number),
            },
            Step::Mint => Act::Mint,
            Step::Reset { password } => Act::Reset {
                token: self
                    .mailed
                    .as_ref()
                    .map_or("none", |there| &there.0)
                    .to_owned(),
                password: self.another(password),
            },
            Step::Change {
                session: number,
                current,
                new,
            } => Act::Change {
                session: session(number),
                current,
                new: self.another(new),
            },
            Step::Disable => Act::Disable,
            Step::Enable => Act::Enable,
        }
    }

    /// Never the password that there is: whoever checked it before it was set anew is refused, though
    /// it is the same, and no serial order says so.
    fn another(&self, password: usize) -> usize {
        if password == self.password {
            (password + 1) % PASSWORDS.len()
        } else {
            password
        }
    }

    /// Takes the step; the error says what should have been seen.
    fn take(&mut self, act: &Act, seen: &Seen) -> Result<(), String> {
        let allowed = self.allows(act);
        match (allowed, seen) {
            (true, Seen::Refused) | (false, Seen::Pair(_) | Seen::Token(_) | Seen::Done) => {
                Err(format!("{act:?}: allowed is {allowed}, but {seen:?}"))
            }
            (false, Seen::Refused) => Ok(()),
            (true, _) => {
                self.change(act, seen);
                Ok(())
            }
        }
    }

    fn allows(&self, act: &Act) -> bool {
        match act {
            Act::LogIn { password } => !self.disabled && *password == self.password,
            Act::Refresh { session } => self.is_open(&session.sid),
            Act::Mint => !self.disabled,
            Act::Reset { token, .. } => self.mailed == Some((token.clone(), true)),
            Act::Change {
                session, current, ..
            } => self.is_open(&session.sid) && *current == self.password,
            Act::Disable | Act::Enable => true,
        }
    }

    fn change(&mut self, act: &Act, seen: &Seen) {
        match act {
            Act::LogIn { .. } | Act::Refresh { .. } | Act::Mint => {}
            Act::Reset { password, .. } => {
                self.password = *password;
                self.close_all_but("");
                self.void();
            }
            Act::Change { session, new, .. } => {
                self.password = *new;
                self.close_all_but(&session.sid);
                self.void();
            }
            Act::Disable => {
                self.disabled = true;
                self.close_all_but("");
                self.void();
            }
            Act::Enable => self.disabled = false,
        }
        match seen {
            Seen::Pair(tokens) => self.note(tokens),
            Seen::Token(token) => self.mailed = Some((token.clone(), true)),
            Seen::Done | Seen::Refused => {}
        }
    }

    fn note(&mut self, tokens: &Tokens) {
        let sid = claims(&tokens.access)["sid"].as_str().unwrap().to_owned();
        self.every_access_token
            .push((sid.clone(), tokens.access.clone()));
        match self.sessions.iter_mut().find(|there| there.sid == sid) {
            Some(session) => session.tokens = tokens.clone(),
            None => self.sessions.push(Session {
                sid,
                tokens: tokens.clone(),
                open: true,
            }),
        }
    }

    fn is_open(&self, sid: &str) -> bool {
        self.sessions
            .iter()
            .any(|there| there.sid == sid && there.open)
    }

    fn close_all_but(&mut self, sid: &str) {
        for session in &mut self.sessions {
            session.open &= session.sid == sid;
        }
    }

    fn void(&mut self) {
        if let Some((_, is_good)) = &mut self.mailed {
            *is_good = false;
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let password = || 0..PASSWORDS.len();
    prop_oneof![
        4 => password().prop_map(|password| Step::LogIn { password }),
        4 => (0..4_usize).prop_map(|session| Step::Refresh { session }),
        3 => Just(Step::Mint),
        4 => password().prop_map(|password| Step::Reset { password }),
        3 => (0..4_usize, password(), password())
            .prop_map(|(session, current, new)| Step::Change { session, current, new }),
        1 => Just(Step::Disable),
        1 => Just(Step::Enable),
    ]
}

fn moves() -> impl Strategy<Value = Vec<(Step, Option<Step>)>> {
    vec((step(), proptest::option::weighted(0.6, step())), 1..8)
}

#[test]
fn every_answer_is_one_of_a_serial_order_on_sqlite() {
    runtime().block_on(with_sqlite(async |origin| explore(&origin)));
}

#[test]
fn every_answer_is_one_of_a_serial_order_on_postgres_and_redis() {
    runtime().block_on(with_postgres_and_redis(async |origin| {
        explore(&origin);
    }));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn explore(origin: &Origin) {
    // Time goes on by itself: a log-in that waits for a cut-off comes to its end.
    let clock = std::sync::Arc::clone(&origin.clock);
    let ticking = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            clock.advance(Duration::from_millis(50));
        }
    });
    let handle = tokio::runtime::Handle::current();
    let explored = tokio::task::block_in_place(|| {
        let config = Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        };
        TestRunner::new(config).run(&moves(), |moves| {
            handle
                .block_on(play(origin, &moves))
                .map_err(TestCaseError::fail)
        })
    });
    ticking.abort();
    explored.unwrap();
}

async fn play(origin: &Origin, moves: &[(Step, Option<Step>)]) -> Result<(), String> {
    origin.forget_limits().await;
    let email = format!("{}@example.org", origin::random::new_id().unwrap()).to_lowercase();
    let user_id = origin.register(&email).await;
    let mut model = Model {
        password: 0,
        disabled: false,
        mailed: None,
        sessions: Vec::new(),
        every_access_token: Vec::new(),
    };
    model.note(&origin.log_in(&email).await);
    let user = (email.as_str(), user_id.as_str());
    // Two steps at once that both went well may have gone in either order: later answers tell.
    let mut models = vec![model];
    for (one, two) in moves {
        let one = models[0].resolve(*one);
        let Some(two) = two.map(|step| models[0].resolve(step)) else {
            let seen = perform(origin, user, &one).await;
            models = explain(&models, &[&[(&one, &seen)]])?;
            continue;
        };
        let (first, second) =
            tokio::join!(perform(origin, user, &one), perform(origin, user, &two));
        let (one, two) = ((&one, &first), (&two, &second));
        models = explain(&models, &[&[one, two], &[two, one]])?;
    }
    check_access_tokens(origin, &models).await
}

/// What the account may be after steps that went in one of these orders, as each answer says.
fn explain(models: &[Model], orders: &[&[(&Act, &Seen)]]) -> Result<Vec<Model>, String> {
    let mut explanations = Vec::new();
    let mut complaints = Vec::new();
    for model in models {
        for order in orders {
            let mut after = model.clone();
            match order
                .iter()
                .try_for_each(|(act, seen)| after.take(act, seen))
            {
                Ok(()) => explanations.push(after),
                Err(complaint) => complaints.push(complaint),
            }
        }
    }
    if explanations.is_empty() {
        return Err(complaints.join("; or "));
    }
    Ok(explanations)
}

async fn perform(origin: &Origin, (email, user_id): (&str, &str), act: &Act) -> Seen {
    match act {
        Act::LogIn { password } => seen(&origin.log_in_with(email, PASSWORDS[*password]).await),
        Act::Refresh { session } => seen(&origin.refresh(&session.tokens.refresh).await),
        Act::Mint => mint(origin, email).await,
        Act::Reset { token, password } => {
            let body = json!({"token": token, "new_password": PASSWORDS[*password]});
            seen(&origin.post("/password/reset", &body).await)
        }
        Act::Change {
            session,
            current,
            new,
        } => {
            let body =
                json!({"current_password": PASSWORDS[*current], "new_password": PASSWORDS[*new]});
            let access = &session.tokens.access;
            seen(&origin.post_json_as("/password/change", access, &body).await)
        }
        Act::Disable => {
            accounts::disable(&origin.app, user_id, &DEED)
                .await
                .unwrap();
            Seen::Done
        }
        Act::Enable => {
            accounts::enable(&origin.app, user_id, &DEED).await.unwrap();
            Seen::Done
        }
    }
}

async fn mint(origin: &Origin, email: &str) -> Seen {
    let now = origin.clock.now();
    let minted = mailed_token::mint(&origin.app, Purpose::ResetPassword, email, now).await;
    match minted.unwrap() {
        Some(token) => Seen::Token(token.expose_secret().to_owned()),
        None => Seen::Refused,
    }
}

fn seen(answer: &Answer) -> Seen {
    match answer.status {
        200 if answer.body["refresh_token"].is_string() => Seen::Pair(Tokens::from(answer)),
        200 => Seen::Done,
        // A refusal for what was asked, not one for how often.
        401 | 403 | 422 => Seen::Refused,
        _ => panic!("{answer:?}"),
    }
}

/// A token holds exactly as long as its session, whoever minted it and when.
async fn check_access_tokens(origin: &Origin, models: &[Model]) -> Result<(), String> {
    let mut holds = Vec::new();
    for (sid, token) in &models[0].every_access_token {
        let answer = origin.get_as("/me", token).await;
        assert!([200, 401].contains(&answer.status), "{answer:?}");
        holds.push((sid, answer.status == 200));
    }
    let agrees = |model: &&Model| holds.iter().all(|(sid, held)| model.is_open(sid) == *held);
    match models.iter().find(agrees) {
        Some(_) => Ok(()),
        None => Err(format!(
            "tokens hold that should not, or the reverse: {holds:?}, {models:?}"
        )),
    }
}
