//! How a client proves who it is (RFC 6749, sections 2.3.1 and 3.2.1; RFC 7235, section 2.1): each case
//! has one answer, at the token, revocation and introspection endpoints alike.

use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use origin::clients;
use serde_json::json;

use crate::harness::{Answer, CLIENT_SECRET, Origin, assert_text, claims, on_both_stores};

const ENDPOINTS: [(&str, &str); 3] = [
    ("/token", "grant_type=client_credentials"),
    ("/revoke", "token=x"),
    ("/introspect", "token=x"),
];
const GRANT: [&str; 1] = ["client_credentials"];
/// It has what a form encodes in more ways than one.
const ODD_SECRET: &str = "a + secret: 100% ü";

/// The case, its `Authorization` headers (`;` parts two, `<>` holds what is in base64), what its form has
/// beside the request (`SECRET` is the right one), and the answer.
const CASES: &str = "
basic                                  | Basic <app:SECRET>                      |                             | accepted
the scheme in another case             | bASIC <app:SECRET>                      |                             | accepted
post                                   |                                         | client_id=app&client_secret=SECRET    | accepted
basic, and the same id in the form     | Basic <app:SECRET>                      | client_id=app               | accepted
basic, and an empty secret in the form | Basic <app:SECRET>                      | client_secret=              | accepted
basic, and another id in the form      | Basic <app:SECRET>                      | client_id=odd               | two ways
both                                   | Basic <app:SECRET>                      | client_id=app&client_secret=SECRET    | two ways
bearer and post                        | Bearer x                                | client_id=app&client_secret=SECRET    | two ways
none                                   |                                         |                             | invalid
an id alone                            |                                         | client_id=app               | invalid
a secret alone                         |                                         | client_secret=SECRET        | lacking
basic, wrong                           | Basic <app:another-secret-of-it>        |                             | invalid
post, wrong                            |                                         | client_id=app&client_secret=another-secret-of-it | invalid
basic, unknown                         | Basic <nobody:SECRET>                   |                             | invalid
post, unknown                          |                                         | client_id=nobody&client_secret=SECRET | invalid
basic, disabled                        | Basic <gone:SECRET>                     |                             | invalid
post, disabled                         |                                         | client_id=gone&client_secret=SECRET   | invalid
basic, an empty secret                 | Basic <app:>                            |                             | invalid
post, an empty secret                  |                                         | client_id=app&client_secret=          | invalid
basic, an empty id                     | Basic <:SECRET>                         |                             | invalid
basic, form-encoded                    | Basic <odd:a+%2B+secret%3A+100%25+%C3%BC> |                           | accepted
basic, encoded where it need not be    | Basic <%6fd%64:%61+%2b+secret:+100%25+%c3%bc> |                       | accepted
basic, not encoded where it must be    | Basic <odd:a + secret: 100% ü>          |                             | invalid
post, form-encoded                     |                                         | client_id=odd&client_secret=a+%2B+secret%3A+100%25+%C3%BC | accepted
basic, no UTF-8 behind percent signs   | Basic <app:%ff>                         |                             | invalid
basic, no colon                        | Basic <app>                             |                             | invalid
basic, no base64                       | Basic !                                 |                             | invalid
basic, nothing                         | Basic                                   |                             | invalid
no scheme that there is                | Digest x                                |                             | invalid
a bearer token                         | Bearer x                                |                             | invalid
two headers                            | Basic <app:SECRET> ; Basic <app:SECRET> |                             | two ways
two headers, one a bearer's            | Basic <app:SECRET> ; Bearer x           |                             | two ways
two headers that a proxy joined        | Basic <app:SECRET>, Bearer x            |                             | two ways
two headers, neither of use            | Basic ! ; Basic !                       |                             | two ways
";

const INVALID: &str = "401 invalid_client: Client authentication failed\n\
    www-authenticate: Basic realm=\"portcullis\"\n\
    error: invalid_client";
const TWO_WAYS: &str = "400 invalid_request: The client authenticates itself in more than one way\n\
    error: invalid_request";
const LACKING: &str = "400 invalid_request: The request lacks a parameter, or has one twice\n\
    error: invalid_request";

on_both_stores! {
    async fn each_case_has_one_answer_at_all_three_endpoints(origin) {
        insert_clients(origin).await;
        for line in CASES.trim().lines() {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [name, headers, form, expected] = cells[..] else { panic!("{line}") };
            let headers: Vec<String> = headers.split(" ; ").filter(|header| !header.is_empty()).map(encode_basic).collect();
            let form = form.replace("SECRET", &CLIENT_SECRET.replace(' ', "+"));
            for (path, request) in ENDPOINTS {
                let answer = ask(origin, path, &headers, &format!("{request}&{form}")).await;
                match expected {
                    "accepted" => assert_eq!(answer.status, 200, "{name} at {path}: {answer:?}"),
                    "invalid" => assert_eq!(answer.oauth_denial(), INVALID, "{name} at {path}"),
                    "two ways" => assert_eq!(answer.oauth_denial(), TWO_WAYS, "{name} at {path}"),
                    "lacking" => assert_eq!(answer.oauth_denial(), LACKING, "{name} at {path}"),
                    other => panic!("{other}"),
                }
            }
            origin.forget_limits().await;
        }
    }

    async fn failures_count_together_at_all_three_endpoints_and_hold_up_nobody_who_succeeds(origin) {
        insert_clients(origin).await;
        let wrong = [basic("app", "another secret of it")];
        for number in 0..60 {
            let (path, form) = ENDPOINTS[number % 3];
            assert_eq!(ask(origin, path, &wrong, form).await.status, 401, "{number}");
        }
        for (path, form) in ENDPOINTS {
            let answer = ask(origin, path, &wrong, form).await;
            assert_eq!(answer.header("ratelimit-policy"), "\"client-address\";q=60;w=60");
            assert_text!(answer.oauth_denial(), @r"
            429 too_many_attempts: Too many failed attempts
            retry-after: given
            error: temporarily_unavailable
            ");
            let good = [basic("app", CLIENT_SECRET)];
            assert_eq!(ask(origin, path, &good, form).await.status, 200, "{path}");
        }
        // Nor is the log filled by who is refused.
        assert_eq!(failures(origin).await.len(), 60);
    }

    async fn the_audit_log_tells_which_client_somebody_was_not_and_why(origin) {
        insert_clients(origin).await;
        for (id, secret) in [("app", "another secret of it"), ("gone", CLIENT_SECRET), (CLIENT_SECRET, "x"), ("in-place-of-an-id", "x")] {
            ask(origin, "/introspect", &[basic(id, secret)], "token=x").await;
        }
        ask(origin, "/introspect", &[], "token=x").await;
        let mut failures = failures(origin).await;
        failures.sort();
        assert_eq!(
            failures,
            [
                (None, "unknown_client".to_owned()),
                (Some("client:app".to_owned()), "wrong_secret".to_owned()),
                (Some("client:gone".to_owned()), "client_disabled".to_owned()),
            ]
        );
        let operator = origin.operator("ops@example.org").await;
        let query = "/admin/audit?event=client_authentication_failed&subject=client:app";
        let page = origin.get_as(query, &operator.access).await;
        assert_eq!(page.body["events"][0]["reason"], "wrong_secret", "{page:?}");
        assert_eq!(page.body["events"].as_array().unwrap().len(), 1);
    }

    async fn every_token_says_which_roles_its_subject_has_if_only_that_there_are_none(origin) {
        insert_clients(origin).await;
        let user = origin.user("ada@example.org").await;
        let operator = origin.operator("ops@example.org").await;
        let (path, form) = ENDPOINTS[0];
        let answer = ask(origin, path, &[basic("app", CLIENT_SECRET)], form).await;
        for (token, roles) in [
            (user.access, json!([])),
            (operator.access, json!(["operator"])),
            (answer.text("access_token"), json!([])),
        ] {
            assert_eq!(claims(&token)["roles"], roles);
        }
    }
}

async fn insert_clients(origin: &Origin) {
    origin.client("app", &GRANT).await;
    origin.client_with_secret("odd", ODD_SECRET, &GRANT).await;
    origin.client("gone", &GRANT).await;
    clients::disable(&origin.app, "gone", "a test")
        .await
        .unwrap();
}

async fn ask(origin: &Origin, path: &str, authorization: &[String], form: &str) -> Answer {
    let mut request =
        Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    for value in authorization {
        request = request.header("authorization", value);
    }
    origin
        .send(request.body(Body::from(form.to_owned())).unwrap())
        .await
}

async fn failures(origin: &Origin) -> Vec<(Option<String>, String)> {
    let event = "client_authentication_failed";
    sqlx::query_as("SELECT subject, detail FROM audit_log WHERE event = $1")
        .bind(event)
        .fetch_all(&origin.app.pool)
        .await
        .unwrap()
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// What stands in `<>` in base64; none is left as it is.
fn encode_basic(header: &str) -> String {
    let Some((scheme, rest)) = header.split_once('<') else {
        return header.to_owned();
    };
    let (pair, rest) = rest.split_once('>').unwrap();
    let pair = pair.replace("SECRET", &CLIENT_SECRET.replace(' ', "+"));
    format!("{scheme}{}{rest}", STANDARD.encode(pair))
}
