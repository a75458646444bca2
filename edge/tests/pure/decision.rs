//! The decision as a table: route policy × list × token × what was gathered.

use crate::support::{
    ISSUER, ListSpec, NOW, STRANGER, claims, claims_with, token_text, valid_token,
};
use edge::credentials::CredentialsError;
use edge::decision::{
    Decision, DecisionInput, DenyReason, Fact, ListFact, ListProblem, Missing, Refresh, Revoked,
    decide,
};
use edge::identity::Identity;
use edge::introspection::{Introspection, IntrospectionError};
use edge::route::Route;
use serde_json::{Value, json};
use shared::{
    Entry, RevocationList, SessionId, SubjectId, TokenError, TokenId, UnixSeconds, ValidToken,
};

fn route(value: Value) -> Route {
    serde_json::from_value(value).unwrap()
}

fn protected() -> Route {
    route(json!({ "path": "/*", "access": "protected" }))
}

fn strict(when_list_stale: impl Into<Value>) -> Route {
    route(json!({
        "path": "/*", "access": "protected", "max_list_age_secs": 30,
        "when_list_stale": when_list_stale.into(),
    }))
}

/// A request that is let through, to be spoiled in one respect by each test.
struct Case {
    route: Option<Route>,
    credentials: Result<String, CredentialsError>,
    list: Option<RevocationList>,
    refresh: Refresh,
    token: Fact<Result<ValidToken, TokenError>>,
    introspection: Fact<Result<Introspection, IntrospectionError>>,
    now: UnixSeconds,
}

impl Case {
    fn new() -> Self {
        Self {
            route: Some(protected()),
            credentials: Ok(token_text(&claims())),
            list: Some(ListSpec::default().list()),
            refresh: Refresh::IfNeeded,
            token: Fact::Known(Ok(valid_token(&claims()))),
            introspection: Fact::NotGathered,
            now: NOW.plus_secs(10),
        }
    }

    fn on(route: Route) -> Self {
        Self {
            route: Some(route),
            ..Self::new()
        }
    }

    fn with_entries(entries: Vec<Entry>) -> Self {
        let list = ListSpec {
            entries,
            ..ListSpec::default()
        }
        .list();
        Self {
            list: Some(list),
            ..Self::new()
        }
    }

    fn decide(&self) -> Decision {
        decide(&DecisionInput {
            route: self.route.as_ref(),
            credentials: self.credentials.as_deref().map_err(|error| *error),
            list: ListFact {
                list: self.list.as_ref(),
                refresh: self.refresh,
            },
            token: match &self.token {
                Fact::NotGathered => Fact::NotGathered,
                Fact::Known(verdict) => Fact::Known(verdict.as_ref().map_err(|error| *error)),
            },
            introspection: match &self.introspection {
                Fact::NotGathered => Fact::NotGathered,
                Fact::Known(answer) => Fact::Known(answer.as_ref().map_err(|error| *error)),
            },
            now: self.now,
        })
    }
}

fn deny(reason: DenyReason) -> Decision {
    Decision::Deny(reason)
}

fn identity(scope: &str) -> Identity {
    Identity {
        subject: "user-1".to_owned(),
        session: Some("session-1".to_owned()),
        scope: Some(scope.to_owned()),
        token_id: "token-1".to_owned(),
    }
}

fn active() -> Fact<Result<Introspection, IntrospectionError>> {
    Fact::Known(Ok(Introspection::Active(identity("profile"))))
}

#[test]
fn lets_a_valid_token_through_with_its_identity() {
    assert_eq!(
        Case::new().decide(),
        Decision::Forward(Some(identity("profile")))
    );
}

#[test]
fn denies_what_matches_no_route() {
    let case = Case {
        route: None,
        ..Case::new()
    };
    assert_eq!(case.decide(), deny(DenyReason::NoRoute));
}

#[test]
fn forwards_a_public_route_without_identity_list_or_token() {
    let case = Case {
        credentials: Err(CredentialsError::TokenInTwoPlaces),
        list: None,
        ..Case::on(route(json!({ "path": "/login", "access": "public" })))
    };
    assert_eq!(case.decide(), Decision::Forward(None));
}

#[test]
fn asks_for_credentials_before_it_looks_at_the_list() {
    for error in [
        CredentialsError::Missing,
        CredentialsError::Malformed,
        CredentialsError::TwoAuthorizationHeaders,
        CredentialsError::TokenInTwoPlaces,
    ] {
        let case = Case {
            credentials: Err(error),
            list: None,
            ..Case::new()
        };
        assert_eq!(case.decide(), deny(DenyReason::Credentials(error)));
    }
}

#[test]
fn gathers_the_token_only_once_the_list_will_do() {
    let case = Case {
        token: Fact::NotGathered,
        ..Case::new()
    };
    assert_eq!(case.decide(), Decision::Gather(Missing::VerifiedToken));
    let case = Case { list: None, ..case };
    assert_eq!(case.decide(), Decision::Gather(Missing::FresherList));
}

#[test]
fn denies_a_bad_token_with_its_reason() {
    for error in [
        TokenError::SignatureInvalid,
        TokenError::Expired,
        TokenError::EngineFailed,
    ] {
        let case = Case {
            token: Fact::Known(Err(error)),
            ..Case::new()
        };
        assert_eq!(case.decide(), deny(DenyReason::Token(error)));
    }
}

#[test]
fn denies_a_revoked_token_session_user_and_issuer() {
    let token = Entry::token(ISSUER, &TokenId::parse("token-1").unwrap());
    let session = Entry::session(ISSUER, &SessionId::parse("session-1").unwrap());
    let user = Entry::user(
        ISSUER,
        &SubjectId::parse("user-1").unwrap(),
        NOW.plus_secs(1),
    );
    for (entry, revoked) in [
        (token, Revoked::Token),
        (session, Revoked::Token),
        (user, Revoked::User),
    ] {
        let case = Case::with_entries(vec![entry]);
        assert_eq!(case.decide(), deny(DenyReason::Revoked(revoked)));
    }
    let spec = ListSpec {
        not_before: Some(NOW.as_secs() + 1),
        ..ListSpec::default()
    };
    let case = Case {
        list: Some(spec.list()),
        ..Case::new()
    };
    assert_eq!(case.decide(), deny(DenyReason::Revoked(Revoked::Token)));
}

#[test]
fn lets_a_token_through_that_was_issued_after_its_users_cut_off() {
    let user = SubjectId::parse("user-1").unwrap();
    let case = Case::with_entries(vec![Entry::user(ISSUER, &user, NOW)]);
    assert_eq!(case.decide(), Decision::Forward(Some(identity("profile"))));
}

#[test]
fn denies_a_token_that_expired_since_its_signature_was_verified() {
    let late = NOW.plus_secs(3600 + 30);
    let list = ListSpec {
        made_at: late,
        ..ListSpec::default()
    }
    .list();
    let case = Case {
        list: Some(list),
        now: late,
        ..Case::new()
    };
    assert_eq!(case.decide(), deny(DenyReason::Token(TokenError::Expired)));
}

#[test]
fn denies_a_verified_token_whose_key_has_left_the_list() {
    let list = ListSpec {
        token_key: STRANGER,
        ..ListSpec::default()
    }
    .list();
    let case = Case {
        list: Some(list),
        ..Case::new()
    };
    assert_eq!(
        case.decide(),
        deny(DenyReason::Token(TokenError::UnknownKey))
    );
}

#[test]
fn denies_where_one_of_the_scopes_is_missing() {
    let case = Case::on(route(json!({
        "path": "/*", "access": "protected", "scope": "profile operator",
    })));
    assert_eq!(
        case.decide(),
        deny(DenyReason::InsufficientScope("profile operator".to_owned()))
    );
    let granted = claims_with("scope", "operator profile");
    let case = Case {
        token: Fact::Known(Ok(valid_token(&granted))),
        ..case
    };
    assert_eq!(
        case.decide(),
        Decision::Forward(Some(identity("operator profile")))
    );
}

#[test]
fn looks_at_the_scope_last() {
    let token = Entry::token(ISSUER, &TokenId::parse("token-1").unwrap());
    let case = Case {
        route: Case::on(route(json!({
            "path": "/*", "access": "protected", "scope": "operator",
        })))
        .route,
        ..Case::with_entries(vec![token])
    };
    assert_eq!(case.decide(), deny(DenyReason::Revoked(Revoked::Token)));
}

/// The states that a list can be in for a route with `max_list_age_secs` 30.
enum ListState {
    Absent,
    TooOld,
    Expired,
    InGrace,
    PastGrace,
}

impl ListState {
    fn list_and_now(&self) -> (Option<RevocationList>, UnixSeconds) {
        let list = |grace| {
            Some(
                ListSpec {
                    grace,
                    ..ListSpec::default()
                }
                .list(),
            )
        };
        match self {
            Self::Absent => (None, NOW.plus_secs(10)),
            Self::TooOld => (list(0), NOW.plus_secs(31)),
            Self::Expired => (list(0), NOW.plus_secs(180)),
            Self::InGrace => (list(60), NOW.plus_secs(200)),
            Self::PastGrace => (list(60), NOW.plus_secs(240)),
        }
    }
}

/// Every route policy × list state × whether the request fetched a list already.
#[test]
fn follows_the_routes_policy_when_the_list_will_not_do() {
    use ListState::{Absent, Expired, InGrace, PastGrace, TooOld};
    const FETCH: Decision = Decision::Gather(Missing::FresherList);
    const ASK: Decision = Decision::Gather(Missing::Introspection);
    let forward = || Decision::Forward(Some(identity("profile")));
    let refuse = |problem| deny(DenyReason::List(problem));
    let allow = |secs: u64| json!({ "allow_up_to_secs": secs });

    let table = [
        (json!("deny"), Absent, FETCH, refuse(ListProblem::Absent)),
        (json!("deny"), TooOld, FETCH, refuse(ListProblem::TooOld)),
        (json!("deny"), Expired, FETCH, refuse(ListProblem::Expired)),
        (json!("deny"), InGrace, FETCH, refuse(ListProblem::Expired)),
        (json!("ask_origin"), Absent, FETCH, ASK),
        (json!("ask_origin"), TooOld, ASK, ASK),
        (json!("ask_origin"), Expired, FETCH, ASK),
        (json!("ask_origin"), InGrace, FETCH, ASK),
        (allow(100), Absent, FETCH, refuse(ListProblem::Absent)),
        (allow(100), TooOld, FETCH, forward()),
        (allow(30), TooOld, FETCH, refuse(ListProblem::TooOld)),
        (allow(900), Expired, FETCH, refuse(ListProblem::Expired)),
        (allow(900), InGrace, FETCH, forward()),
        (allow(190), InGrace, FETCH, refuse(ListProblem::Expired)),
        (allow(900), PastGrace, FETCH, refuse(ListProblem::Expired)),
    ];
    for (row, (policy, state, before_fetch, after_fetch)) in table.into_iter().enumerate() {
        let (list, now) = state.list_and_now();
        let case = Case {
            list,
            now,
            ..Case::on(strict(policy))
        };
        assert_eq!(case.decide(), before_fetch, "row {row}, before a fetch");
        let case = Case {
            refresh: Refresh::Done,
            ..case
        };
        assert_eq!(case.decide(), after_fetch, "row {row}, after a fetch");
    }
}

#[test]
fn answers_an_ended_list_before_it_looks_for_a_revocation() {
    let token = Entry::token(ISSUER, &TokenId::parse("token-1").unwrap());
    let case = Case {
        now: NOW.plus_secs(180),
        refresh: Refresh::Done,
        ..Case::with_entries(vec![token])
    };
    assert_eq!(case.decide(), deny(DenyReason::List(ListProblem::Expired)));
}

#[test]
fn takes_a_list_to_the_last_instant_of_its_life_and_age() {
    let case = Case {
        now: NOW.plus_secs(30),
        ..Case::on(strict("deny"))
    };
    assert_eq!(case.decide(), Decision::Forward(Some(identity("profile"))));
    let last = UnixSeconds::from_millis(NOW.plus_secs(180).as_millis() - 1);
    let case = Case {
        now: last,
        ..Case::new()
    };
    assert_eq!(case.decide(), Decision::Forward(Some(identity("profile"))));
}

#[test]
fn follows_the_origins_word_where_the_route_asks_it() {
    let asked = |introspection| Case {
        list: None,
        refresh: Refresh::Done,
        introspection,
        ..Case::on(strict("ask_origin"))
    };
    assert_eq!(
        asked(active()).decide(),
        Decision::Forward(Some(identity("profile")))
    );
    let no = Fact::Known(Ok(Introspection::NotActive));
    assert_eq!(asked(no).decide(), deny(DenyReason::NotActive));
    for error in [
        IntrospectionError::Unreachable,
        IntrospectionError::Refused,
        IntrospectionError::Unreadable,
    ] {
        let case = asked(Fact::Known(Err(error)));
        assert_eq!(case.decide(), deny(DenyReason::Introspection(error)));
    }
}

#[test]
fn does_not_bother_the_origin_with_text_that_is_no_token() {
    let case = Case {
        list: None,
        refresh: Refresh::Done,
        credentials: Ok("not.a token".to_owned()),
        ..Case::on(strict("ask_origin"))
    };
    assert_eq!(
        case.decide(),
        deny(DenyReason::Token(TokenError::IllegalCharacter))
    );
}

#[test]
fn does_not_ask_the_origin_about_a_token_that_an_old_list_already_refuses() {
    let token = Entry::token(ISSUER, &TokenId::parse("token-1").unwrap());
    let case = Case {
        route: Some(strict("ask_origin")),
        now: NOW.plus_secs(31),
        introspection: active(),
        ..Case::with_entries(vec![token])
    };
    assert_eq!(case.decide(), deny(DenyReason::Revoked(Revoked::Token)));
    let forged = Case {
        token: Fact::Known(Err(TokenError::SignatureInvalid)),
        now: NOW.plus_secs(31),
        ..Case::on(strict("ask_origin"))
    };
    assert_eq!(
        forged.decide(),
        deny(DenyReason::Token(TokenError::SignatureInvalid))
    );
}

#[test]
fn needs_the_scope_from_the_origin_too() {
    let case = Case {
        list: None,
        refresh: Refresh::Done,
        introspection: active(),
        ..Case::on(route(json!({
            "path": "/*", "access": "protected", "scope": "operator",
            "when_list_stale": "ask_origin",
        })))
    };
    assert_eq!(
        case.decide(),
        deny(DenyReason::InsufficientScope("operator".to_owned()))
    );
}
