//! Every route there is, as `/openapi.json` has it: none is missing there, and none lets bad input do
//! anything. A new route is in these tests unasked.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::harness::{Answer, CLIENT_SECRET, EDGE_SECRET, Origin, PASSWORD, on_both_stores};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"];
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const OPERATOR: &str = "op@example.org";
/// As ours look.
const NOBODYS_TOKEN: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
/// What would mean something to a shell, a database, a header or a page.
const METACHARACTERS: [&str; 6] = [
    "' OR 1=1; DROP TABLE users; --",
    "x\r\nSet-Cookie: a=b",
    "\u{0}",
    "%00%0d%0a",
    "../../etc/passwd",
    "<script>\u{202e}",
];

on_both_stores! {
    async fn each_answers_and_is_described(origin) {
        let caller = Caller::new(origin).await;
        let routes = routes(origin).await;
        assert!(routes.len() > 20, "{routes:?}");
        for route in &routes {
            let answer = caller.send(route, route.body_type().map(|kind| (kind, body_without_meaning(kind)))).await;
            assert!(!["method_not_allowed", "took_too_long"].contains(&answer.code()), "{route:?} {answer:?}");
            // What has a parameter names nothing that is there.
            assert!(route.path.contains('{') || answer.code() != "not_found", "{route:?} {answer:?}");
            assert!(answer.status < 500 || route.path.starts_with("/health") || answer.code() == "no_list_yet", "{route:?} {answer:?}");
            let described = &route.description["responses"];
            let status = answer.status.to_string();
            assert!(answer.status >= 400 || described.get(&status).is_some(), "{route:?} answers {status}");
        }
    }

    async fn another_method_is_refused_with_those_there_are(origin) {
        let routes = routes(origin).await;
        for route in &routes {
            let here = routes.iter().filter(|other| other.path == route.path);
            let there_are: Vec<&str> = here.map(|other| other.method.as_str()).collect();
            for method in METHODS.iter().filter(|method| !there_are.contains(method)) {
                let request = Request::builder().method(*method).uri(route.uri("x"));
                let answer = origin.send(request.body(Body::empty()).unwrap()).await;
                assert_eq!((answer.status, answer.code()), (405, "method_not_allowed"), "{method} {route:?}");
                for method in &there_are {
                    assert!(answer.header("allow").contains(method), "{route:?} {answer:?}");
                }
            }
        }
    }

    async fn bodies_that_are_not_what_they_should_be_do_nothing(origin) {
        let caller = Caller::new(origin).await;
        let before = rows(origin).await;
        for route in routes(origin).await.iter().filter(|route| route.body_type().is_some()) {
            let kind = route.body_type().unwrap();
            for (content_type, body) in bad_bodies(kind) {
                let answer = caller.send(route, Some((content_type, body.clone()))).await;
                let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
                assert!((400..500).contains(&answer.status), "{route:?} {content_type} {shown} {answer:?}");
                let described = &route.description["responses"]["default"]["content"];
                assert!(described[answer.header("content-type")].is_object(), "{route:?} {answer:?}");
                if kind == FORM {
                    answer.oauth_denial();
                } else {
                    answer.denial();
                }
                assert!(!answer.code().is_empty(), "{route:?} {shown}");
            }
        }
        assert_eq!(rows(origin).await, before);
    }

    async fn one_member_with_metacharacters_does_nothing_and_comes_back_in_no_refusal(origin) {
        let caller = Caller::new(origin).await;
        let mut before = rows(origin).await;
        for route in routes(origin).await.iter().filter(|route| route.body_type().is_some()) {
            for (members, bad) in route.bodies_with_one_to_spoil() {
                for text in METACHARACTERS {
                    let mut spoilt = members.clone();
                    spoilt[bad].1 = text;
                    let what = format!("{} {} {text:?}", route.path, spoilt[bad].0);
                    origin.forget_limits().await;
                    let answer = caller.send(route, Some(route.body(&spoilt))).await;
                    assert!(!answer.headers.contains_key("set-cookie"), "{what}");
                    if answer.status == 201 && may_be_any_text(route, spoilt[bad].0) {
                        before = rows(origin).await;
                        continue;
                    }
                    // Asking about nothing, and asking for a mail to nobody, are answered as ever.
                    let is_harmless = ["/revoke", "/introspect", "/password/forgot"].contains(&route.path.as_str());
                    assert!((400..500).contains(&answer.status) || is_harmless, "{what} {answer:?}");
                    assert!(!answer.raw.contains(text) && !says(&answer.body, text), "{what} {answer:?}");
                    assert_eq!(rows(origin).await, before, "{what} {answer:?}");
                }
            }
        }
    }

    async fn a_member_twice_is_refused_as_such_wherever_it_stands(origin) {
        let caller = Caller::new(origin).await;
        let before = rows(origin).await;
        for route in routes(origin).await.iter().filter(|route| route.body_type().is_some()) {
            for (mut members, twice) in route.bodies_with_one_to_spoil() {
                members.push(members[twice]);
                let answer = caller.send(route, Some(route.body(&members))).await;
                let refusal = if route.body_type() == Some(JSON) { (422, "duplicate_member") } else { (400, "invalid_request") };
                assert_eq!((answer.status, answer.code()), refusal, "{} {}", route.path, members[twice].0);
            }
        }
        assert_eq!(rows(origin).await, before);
    }

    async fn parameters_in_paths_and_headers_with_metacharacters_are_no_failure(origin) {
        let caller = Caller::new(origin).await;
        let long = "x".repeat(4000);
        let names = ["%00", "%ff", "%27%20OR%201%3D1", "%0d%0aSet-Cookie:%20a=b", "..%2f..%2fetc", long.as_str()];
        for route in routes(origin).await.iter().filter(|route| route.path.contains('{')) {
            for name in names {
                let request = caller.request(route, name).header("user-agent", b"\xff\xfe'\"<>".as_slice())
                    .header("x-forwarded-for", "' OR 1=1").header("x-request-id", "forged");
                let answer = origin.send(request.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.status, 404, "{route:?} {name} {answer:?}");
                answer.denial();
            }
        }
    }
}

/// A description comes with every route that is made with `routes!`, and in no other way.
#[test]
fn no_route_is_made_without_its_description() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/routes")).unwrap() {
        let path = entry.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        assert!(!source.contains(".route("), "{}", path.display());
    }
}

#[derive(Debug)]
struct Route {
    path: String,
    method: String,
    description: Value,
    /// Of its body, as they are described.
    members: Vec<String>,
}

type Members = Vec<(&'static str, &'static str)>;

async fn routes(origin: &Origin) -> Vec<Route> {
    let api = origin.get("/openapi.json").await;
    let paths = api.body["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(|(method, description)| Route {
                path: path.clone(),
                method: method.to_uppercase(),
                description: description.clone(),
                members: members(&api.body, description),
            })
    });
    all.filter(|route| METHODS.contains(&route.method.as_str()))
        .collect()
}

fn members(api: &Value, route: &Value) -> Vec<String> {
    let Some(content) = route["requestBody"]["content"].as_object() else {
        return Vec::new();
    };
    let reference = content.values().next().unwrap()["schema"]["$ref"].as_str();
    let schema = &api["components"]["schemas"][reference.unwrap().rsplit('/').next().unwrap()];
    let properties = schema["properties"].as_object().unwrap();
    properties.keys().cloned().collect()
}

/// What an operator may write as he likes: it is kept, and comes back as it was.
fn may_be_any_text(route: &Route, member: &str) -> bool {
    route.path == "/admin/revocations" && ["name", "reason"].contains(&member)
}

/// Whether any string in there, as it is once it was decoded, has this text.
fn says(value: &Value, text: &str) -> bool {
    match value {
        Value::String(said) => said.contains(text),
        Value::Array(values) => values.iter().any(|value| says(value, text)),
        Value::Object(members) => members.values().any(|value| says(value, text)),
        _ => false,
    }
}

impl Route {
    fn uri(&self, name: &str) -> String {
        let before = self.path.split('{').next().unwrap();
        let is_whole = before == self.path;
        format!("{before}{}", if is_whole { "" } else { name })
    }

    fn body_type(&self) -> Option<&'static str> {
        let content = self.description["requestBody"]["content"].as_object()?;
        [JSON, FORM]
            .into_iter()
            .find(|kind| content.contains_key(*kind))
    }

    /// Bodies with nothing wrong, which together have every member that is described.
    fn sound_bodies(&self) -> Vec<Members> {
        let bodies: Vec<Members> = match self.path.as_str() {
            "/token" => vec![
                vec![
                    ("grant_type", "password"),
                    ("username", OPERATOR),
                    ("password", PASSWORD),
                    ("scope", "profile"),
                ],
                vec![
                    ("grant_type", "refresh_token"),
                    ("refresh_token", NOBODYS_TOKEN),
                    ("scope", "profile"),
                ],
                vec![("grant_type", "client_credentials"), ("scope", "profile")],
            ],
            "/admin/revocations" => vec![vec![
                ("scope", "session"),
                ("issuer", "https://origin.example"),
                ("name", "nobodys-session"),
                ("before", "2026-01-01T00:00:00Z"),
                ("reason", "a test"),
            ]],
            // Whoever it is about is somebody else or nobody, so that no sound member does anything.
            _ => vec![self.members.iter().filter_map(|name| sound(name)).collect()],
        };
        for name in &self.members {
            let is_there = bodies.iter().flatten().any(|(there, _)| there == name);
            // The caller is authenticated in its header, and twice is once too often.
            let is_client = ["client_id", "client_secret"].contains(&name.as_str());
            assert!(
                is_there || is_client,
                "{}: what is a sound {name}?",
                self.path
            );
        }
        bodies
    }

    /// Each of them for each of its members, with the place of that.
    fn bodies_with_one_to_spoil(&self) -> Vec<(Members, usize)> {
        let bodies = self.sound_bodies().into_iter();
        bodies
            .flat_map(|members| (0..members.len()).map(move |place| (members.clone(), place)))
            .collect()
    }

    /// In this order, whatever stands there twice.
    fn body(&self, members: &Members) -> (&'static str, Vec<u8>) {
        let kind = self.body_type().unwrap();
        let text = if kind == JSON {
            let quoted = |text: &str| Value::from(text).to_string();
            let pairs = members
                .iter()
                .map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        } else {
            url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(members)
                .finish()
        };
        (kind, text.into_bytes())
    }
}

fn sound(member: &str) -> Option<(&'static str, &'static str)> {
    [
        ("email", OPERATOR),
        ("password", PASSWORD),
        ("name", "Ada"),
        ("refresh_token", NOBODYS_TOKEN),
        ("token", NOBODYS_TOKEN),
        ("token_type_hint", "access_token"),
        ("current_password", "not the password of anybody"),
        ("new_password", "another horse of a test"),
    ]
    .into_iter()
    .find(|(name, _)| *name == member)
}

/// Somebody who may do everything, so that only the input is at fault.
struct Caller<'o> {
    origin: &'o Origin,
    token: String,
}

impl<'o> Caller<'o> {
    async fn new(origin: &'o Origin) -> Self {
        let token = origin.operator(OPERATOR).await.access;
        origin
            .insert_client(
                "app",
                &["password", "refresh_token", "client_credentials"],
                true,
            )
            .await;
        Self { origin, token }
    }

    fn request(&self, route: &Route, name: &str) -> axum::http::request::Builder {
        use base64::Engine;
        let security = route.description["security"].to_string();
        let request = Request::builder()
            .method(route.method.as_str())
            .uri(route.uri(name));
        if security.contains("client") {
            let pair = format!("app:{CLIENT_SECRET}");
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            return request.header("authorization", format!("Basic {encoded}"));
        }
        let token = if security.contains("edge") {
            EDGE_SECRET
        } else {
            &self.token
        };
        request.header("authorization", format!("Bearer {token}"))
    }

    async fn send(&self, route: &Route, body: Option<(&str, Vec<u8>)>) -> Answer {
        let request = self.request(route, "x");
        let (request, body) = match body {
            Some((kind, body)) => (request.header("content-type", kind), Body::from(body)),
            None => (request, Body::empty()),
        };
        self.origin.send(request.body(body).unwrap()).await
    }
}

fn body_without_meaning(kind: &str) -> Vec<u8> {
    if kind == JSON {
        b"{}".to_vec()
    } else {
        b"a=b".to_vec()
    }
}

fn bad_bodies(kind: &str) -> Vec<(&'static str, Vec<u8>)> {
    let huge = vec![b'x'; 64 * 1024 + 1];
    let mut bodies = vec![
        ("text/plain", b"{}".to_vec()),
        ("application/xml", b"<a/>".to_vec()),
        ("multipart/form-data; boundary=x", b"--x--".to_vec()),
        ("", b"{}".to_vec()),
    ];
    if kind == JSON {
        let deep =
            |open: &str, close: &str| format!("{}1{}", open.repeat(5000), close.repeat(5000));
        bodies.extend([
            (FORM, b"a=b".to_vec()),
            (JSON, b"".to_vec()),
            (JSON, b"{".to_vec()),
            (JSON, b"[]".to_vec()),
            (JSON, b"null".to_vec()),
            (JSON, b"{} {}".to_vec()),
            (JSON, b"{\"\xff\":1}".to_vec()),
            (JSON, b"{\"surprise\":1}".to_vec()),
            (JSON, b"{\"__proto__\":{}}".to_vec()),
            (JSON, b"{\"email\":\"a\",\"email\":\"b\",\"scope\":\"a\",\"scope\":\"b\",\"token\":1,\"token\":2}".to_vec()),
            (JSON, deep("[", "]").into_bytes()),
            (JSON, deep("{\"email\":", "}").into_bytes()),
            (JSON, huge),
        ]);
    } else {
        bodies.extend([
            (JSON, b"{}".to_vec()),
            (FORM, b"".to_vec()),
            (FORM, b"token=%ff&grant_type=%ff".to_vec()),
            (FORM, b"token=\xff".to_vec()),
            (
                FORM,
                b"token=a&token=b&grant_type=password&grant_type=password".to_vec(),
            ),
            (FORM, b"client_secret=x&token=x".to_vec()),
            (FORM, huge),
        ]);
    }
    bodies
}

/// How much there is in each table, but for counters of attempts and the log of those that failed.
async fn rows(origin: &Origin) -> Vec<(String, i64)> {
    let tables = if origin.stores.redis().is_some() {
        "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1"
    };
    let tables: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(&origin.app.pool)
        .await
        .unwrap();
    assert!(tables.len() > 12, "{tables:?}");
    let mut counts = Vec::new();
    for table in tables.into_iter().filter(|table| table != "limits") {
        let but = match table.as_str() {
            "audit_log" => "WHERE event NOT LIKE '%failed'",
            _ => "",
        };
        let statement = format!("SELECT COUNT(*) FROM {table} {but}");
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(statement));
        counts.push((table, count.fetch_one(&origin.app.pool).await.unwrap()));
    }
    counts
}
