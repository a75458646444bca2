//! What RFC 6749, RFC 7009 and RFC 7662 say of requests and answers, a row a sentence of theirs. What
//! the deeds behind them do is tested at each route.

use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::harness::{Answer, CLIENT_SECRET, Origin, Tokens, claims, on_both_stores};

const FORM: &str = "application/x-www-form-urlencoded";
const GRANTS: [&str; 3] = ["password", "refresh_token", "client_credentials"];

/// Where it is said, what is said, the form, and what is shown of the answer. `{…}` is a token or a form
/// that stands for itself.
const TOKEN: &str = "
6749 3.2   | a parameter without a value is an omitted one    | {own}&scope=                                   | {issued}
6749 3.2   | a parameter without a value is an omitted one    | {own}&scope                                    | {issued}
6749 3.2   | so is a required one                             | grant_type=                                    | 400 invalid_request
6749 3.2   | so is a required one                             | grant_type=password&username=&password=x       | 400 invalid_request
6749 3.2   | so is a required one                             | grant_type=refresh_token&refresh_token=        | 400 invalid_request
6749 3.2   | unrecognized parameters are ignored              | {own}&resource=x&a=b                           | {issued}
6749 3.2   | parameters are not included more than once       | {own}&{own}                                    | 400 invalid_request
6749 3.2   | parameters are not included more than once       | {own}&scope=profile&scope=profile              | 400 invalid_request
6749 3.2   | not even without a value                         | {own}&scope=&scope=                            | 400 invalid_request
6749 3.2   | not even unrecognized ones                       | {own}&a=1&a=2                                  | 400 invalid_request
6749 3.2   | not in another spelling either                   | {own}&%67rant_type=password                    | 400 invalid_request
6749 3.3   | scope tokens are case-sensitive                  | {own}&scope=Profile                            | 400 invalid_scope
6749 3.3   | their order does not matter                      | {own}&scope=operator+profile                   | {issued}
6749 3.3   | one space parts them                             | {own}&scope=profile++operator                  | 400 invalid_scope
6749 3.3   | no quotes                                        | {own}&scope=%22                                | 400 invalid_scope
6749 4.3.2 | user name and password                           | {password}                                     | {issued with refresh}
6749 4.3.2 | both are required                                | grant_type=password&username=ada@example.org   | 400 invalid_request
6749 4.4.3 | no refresh token for a client itself             | {own}                                          | {issued}
6749 5.2   | a required parameter is missing                  | scope=profile                                  | 400 invalid_request
6749 5.2   | no grant type of ours                            | grant_type=authorization_code&code=x           | 400 unsupported_grant_type
6749 5.2   | grant types are case-sensitive                   | grant_type=Client_Credentials                  | 400 unsupported_grant_type
6749 5.2   | the password is wrong                            | {password}x                                    | 400 invalid_grant
6749 5.2   | a refresh token is unknown                       | {refresh}x                                     | 400 invalid_grant
6749 5.2   | an access token is no refresh token              | {refresh}{access}                              | 400 invalid_grant
6749 5.2   | it was issued to another client                  | {refresh}{refresh of another}                  | 400 invalid_grant
6749 5.2   | it was revoked                                   | {refresh}{refresh of the closed}               | 400 invalid_grant
6749 5.2   | the scope is unknown                             | {own}&scope=moon                               | 400 invalid_scope
6749 5.2   | the scope exceeds the user's                     | {password}&scope=profile+operator              | 400 invalid_scope
6749 6     | the scope exceeds what the user granted          | {refresh}{refresh of ours}&scope=operator      | 400 invalid_scope
6749 6     | a new pair                                       | {refresh}{refresh of ours}                     | {issued with refresh}
";

const REVOCATION: &str = "
7009 2.1 | the token is required                            |                                                  | 400 invalid_request
7009 2.1 | the token is required                            | token=                                           | 400 invalid_request
7009 2.1 | the token is required                            | token_type_hint=access_token                     | 400 invalid_request
7009 2.1 | the token is there once                          | token=a&token=b                                  | 400 invalid_request
7009 2.1 | the hint is there once                           | token=a&token_type_hint=b&token_type_hint=b      | 400 invalid_request
7009 2.1 | an access token of another client                | token={access of another}                        | 400 unauthorized_client
7009 2.1 | a refresh token of another client                | token={refresh of another}                       | 400 unauthorized_client
7009 2.2 | a token that was never one                       | token=x                                          | 200 revocation=null
7009 2.2 | a token that was never one                       | token=a.b.c                                      | 200 revocation=null
7009 2.2 | a token that is revoked                          | token={access of the closed}                     | 200 revocation=null
7009 2.2 | a refresh token of a closed session              | token={refresh of the closed}                    | 200 revocation=null
7009 2.3 | no callback is called                            | token=x&callback=f                               | 200 revocation=null
7009 2.1 | a hint that is wrong means a longer search       | token={access}&token_type_hint=refresh_token     | 200 revocation
7009 2.1 | an unknown hint is ignored                       | token={refresh of ours}&token_type_hint=magic    | 200 revocation
";

const INTROSPECTION: &str = "
7662 2.1 | the token is required                            |                                                  | 400 invalid_request
7662 2.1 | the token is required                            | token=                                           | 400 invalid_request
7662 2.1 | the token is there once                          | token=a&token=b                                  | 400 invalid_request
7662 2.1 | other parameters are ignored                     | token=x&a=b                                      | 200 active=false
7662 2.1 | no hint is needed                                | token={access}                                   | {active}
7662 2.1 | a hint that is right                             | token={access}&token_type_hint=access_token      | {active}
7662 2.1 | a hint that is wrong means a longer search       | token={access}&token_type_hint=refresh_token     | {active}
7662 2.1 | an unknown hint is ignored                       | token={access}&token_type_hint=magic             | {active}
7662 2.2 | unknown                                          | token=x                                          | 200 active=false
7662 2.2 | revoked                                          | token={access of the closed}                     | 200 active=false
7662 2.2 | a refresh token of a closed session              | token={refresh of the closed}                    | 200 active=false
7662 2.2 | not the caller's                                 | token={access of another}                        | 200 active=false
7662 4   | no refresh token passes for an access token      | token={refresh of ours}                          | 200 active=false
";

/// A content type, and whether a form may have it (RFC 6749, appendix B).
const MEDIA_TYPES: [(&str, bool); 9] = [
    ("application/x-www-form-urlencoded;charset=UTF-8", true),
    (
        "Application/X-WWW-Form-Urlencoded ; charset=\"utf-8\"",
        true,
    ),
    ("application/x-www-form-urlencoded;", true),
    (
        "application/x-www-form-urlencoded;charset=iso-8859-1",
        false,
    ),
    ("application/x-www-form-urlencoded;charset=utf-8;x=y", false),
    ("application/json", false),
    ("multipart/form-data; boundary=x", false),
    ("text/plain", false),
    ("", false),
];

const STAND_FOR: [(&str, &str); 6] = [
    ("{own}", "grant_type=client_credentials"),
    (
        "{password}",
        "grant_type=password&username=ada@example.org&password=correct+horse+of+a+test",
    ),
    ("{refresh}", "grant_type=refresh_token&refresh_token="),
    ("{issued}", "200 access_token expires_in scope token_type"),
    (
        "{issued with refresh}",
        "200 access_token expires_in refresh_token scope token_type",
    ),
    (
        "{active}",
        "200 active=true aud auth_time client_id email email_verified exp iat iss jti roles scope sid sub token_type username",
    ),
];

on_both_stores! {
    async fn the_token_endpoint_keeps_rfc_6749(origin) {
        let given = Given::make(origin).await;
        check(origin, "/token", TOKEN, &given).await;
    }

    async fn the_revocation_endpoint_keeps_rfc_7009(origin) {
        let given = Given::make(origin).await;
        check(origin, "/revoke", REVOCATION, &given).await;
        // The rows that said so have revoked them.
        let dead = "7662 2.2 | revoked | token={access} | 200 active=false";
        check(origin, "/introspect", dead, &given).await;
        let closed = origin.post_form("/token", Some(("app", CLIENT_SECRET)), &[("grant_type", "refresh_token"), ("refresh_token", &given.ours.refresh)]).await;
        assert_eq!(closed.code(), "session_closed");
        assert_eq!(origin.get_as("/me", &given.others.access).await.status, 200);
    }

    async fn the_introspection_endpoint_keeps_rfc_7662(origin) {
        let given = Given::make(origin).await;
        check(origin, "/introspect", INTROSPECTION, &given).await;
        origin.advance(std::time::Duration::from_secs(3600 + 31));
        let expired = "7662 2.2 | expired | token={access} | 200 active=false";
        check(origin, "/introspect", expired, &given).await;
    }

    async fn all_three_take_a_form_by_post_and_nothing_else(origin) {
        Given::make(origin).await;
        for (path, form) in [("/token", "grant_type=client_credentials"), ("/revoke", "token=x"), ("/introspect", "token=x")] {
            for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH"] {
                let answer = ask(origin, method, path, FORM, form).await;
                assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method} {path}");
                if method != "HEAD" {
                    answer.oauth_denial();
                }
            }
            for (media_type, is_form) in MEDIA_TYPES {
                let answer = ask(origin, "POST", path, media_type, form).await;
                if is_form {
                    assert_eq!(answer.status, 200, "{media_type} {answer:?}");
                } else {
                    answer.oauth_denial();
                    assert_eq!((answer.status, answer.text("error")), (415, "invalid_request".to_owned()), "{media_type}");
                }
            }
            let answer = ask(origin, "POST", path, FORM, &format!("{form}&a=%ff")).await;
            assert_eq!((answer.status, answer.code()), (400, "malformed_form"), "{answer:?}");
        }
    }

    async fn no_parameter_in_the_uri_counts(origin) {
        Given::make(origin).await;
        let secret = CLIENT_SECRET.replace(' ', "+");
        for (uri, body) in [
            (format!("/token?client_id=app&client_secret={secret}"), "grant_type=client_credentials"),
            (format!("/revoke?client_id=app&client_secret={secret}"), "token=x"),
            (format!("/introspect?client_id=app&client_secret={secret}"), "token=x"),
        ] {
            let request = Request::post(&uri).header("content-type", FORM);
            let answer = origin.send(request.body(Body::from(body)).unwrap()).await;
            assert_eq!((answer.status, answer.code()), (401, "invalid_client"), "{uri}");
        }
        let answer = ask(origin, "POST", "/token?grant_type=client_credentials", FORM, "").await;
        assert_eq!(answer.code(), "invalid_request");
    }

    async fn what_a_token_answer_says_is_what_the_token_is(origin) {
        Given::make(origin).await;
        let answer = ask(origin, "POST", "/token", FORM, "grant_type=client_credentials&scope=profile").await;
        assert_eq!(answer.body["token_type"], "Bearer");
        let claims = claims(&answer.text("access_token"));
        let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(answer.body["expires_in"], life);
        assert_eq!(answer.body["scope"], claims["scope"]);
    }
}

/// What the rows speak of.
struct Given {
    /// Of the client that asks, alive.
    ours: Tokens,
    /// Of the client that asks; their session is closed.
    closed: Tokens,
    /// Of another client.
    others: Tokens,
}

impl Given {
    async fn make(origin: &Origin) -> Self {
        origin.register("ada@example.org").await;
        origin.client("app", &GRANTS).await;
        origin.client("other", &GRANTS).await;
        let get =
            async |client| Tokens::from(&origin.token_by_password(client, "ada@example.org").await);
        let given = Self {
            ours: get("app").await,
            closed: get("app").await,
            others: get("other").await,
        };
        let closed = origin.post_as("/logout", &given.closed.access).await;
        assert_eq!(closed.status, 200);
        given
    }

    fn fill_in(&self, cell: &str) -> String {
        let tokens = [
            ("{access}", &self.ours.access),
            ("{refresh of ours}", &self.ours.refresh),
            ("{access of the closed}", &self.closed.access),
            ("{refresh of the closed}", &self.closed.refresh),
            ("{access of another}", &self.others.access),
            ("{refresh of another}", &self.others.refresh),
        ];
        let fixed = STAND_FOR.map(|(name, text)| (name, text.to_owned()));
        let tokens = tokens.map(|(name, token)| (name, token.clone()));
        let all = fixed.into_iter().chain(tokens);
        all.fold(cell.trim().to_owned(), |cell, (name, text)| {
            cell.replace(name, &text)
        })
    }
}

async fn check(origin: &Origin, path: &str, table: &str, given: &Given) {
    for line in table.trim().lines() {
        let cells: Vec<&str> = line.split('|').collect();
        let [section, says, form, expected] = cells[..] else {
            panic!("{line}")
        };
        let answer = ask(origin, "POST", path, FORM, &given.fill_in(form)).await;
        assert_eq!(
            show(&answer),
            given.fill_in(expected),
            "RFC {section}, {says}, {form}"
        );
        if answer.status == 200 {
            assert_eq!(answer.header("content-type"), "application/json");
            let kept = (answer.header("cache-control"), answer.header("pragma"));
            assert_eq!(kept, ("no-store", "no-cache"));
        } else {
            answer.oauth_denial();
        }
    }
}

/// By the client `app`.
async fn ask(origin: &Origin, method: &str, path: &str, media_type: &str, form: &str) -> Answer {
    let credentials = STANDARD.encode(format!("app:{CLIENT_SECRET}"));
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", media_type)
        .header("authorization", format!("Basic {credentials}"));
    origin
        .send(request.body(Body::from(form.to_owned())).unwrap())
        .await
}

/// The status, and the error or which members there are.
fn show(answer: &Answer) -> String {
    let status = answer.status;
    if let Some(error) = answer.body["error"].as_str() {
        return format!("{status} {error}");
    }
    let members = answer.body.as_object().unwrap();
    let shown = members.iter().map(|(name, value)| match value {
        Value::Bool(_) if name == "active" => format!("{name}={value}"),
        Value::Null => format!("{name}=null"),
        _ => name.clone(),
    });
    format!("{status} {}", shown.collect::<Vec<_>>().join(" "))
}
