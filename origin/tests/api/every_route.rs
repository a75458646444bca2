//! Every route there is, as `/openapi.json` has it: none is missing there, and none lets bad input do
//! anything. A new route is in these tests unasked.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::harness::{Answer, CLIENT_SECRET, EDGE_SECRET, Origin, on_both_stores};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"];
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
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

    async fn members_with_metacharacters_do_nothing_and_come_back_in_no_answer(origin) {
        let caller = Caller::new(origin).await;
        let before = rows(origin).await;
        for route in routes(origin).await.iter().filter(|route| route.body_type().is_some()) {
            for text in METACHARACTERS {
                let answer = caller.send(route, Some((route.body_type().unwrap(), route.body_of(text)))).await;
                // Asking about nothing, and asking for a mail to nobody, are answered as ever.
                let is_harmless = ["/revoke", "/introspect", "/password/forgot"].contains(&route.path.as_str());
                assert!((400..500).contains(&answer.status) || is_harmless, "{route:?} {text:?} {answer:?}");
                assert!(!answer.raw.contains(text), "{route:?} {answer:?}");
                assert!(!answer.headers.contains_key("set-cookie"));
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
}

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
            })
    });
    all.filter(|route| METHODS.contains(&route.method.as_str()))
        .collect()
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

    /// Every member that the description has, with this text.
    fn body_of(&self, text: &str) -> Vec<u8> {
        let members = [
            "email",
            "password",
            "name",
            "refresh_token",
            "token",
            "new_password",
            "current_password",
        ];
        let of_route: &[&str] = match self.path.as_str() {
            "/register" => &members[0..3],
            "/login" => &members[0..2],
            "/refresh" => &members[3..4],
            "/password/forgot" => &members[0..1],
            "/email/verify" => &members[4..5],
            "/password/reset" => &members[4..6],
            "/password/change" => &members[5..7],
            "/admin/revocations" => &["scope", "issuer", "name", "before", "reason"],
            _ => &["grant_type", "username", "password", "token", "scope"],
        };
        if self.body_type() == Some(JSON) {
            let object: serde_json::Map<String, Value> = of_route
                .iter()
                .map(|name| ((*name).to_owned(), text.into()))
                .collect();
            return Value::Object(object).to_string().into_bytes();
        }
        let pairs = of_route.iter().map(|name| (*name, text));
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        form.into_bytes()
    }
}

/// Somebody who may do everything, so that only the input is at fault.
struct Caller<'o> {
    origin: &'o Origin,
    token: String,
}

impl<'o> Caller<'o> {
    async fn new(origin: &'o Origin) -> Self {
        let token = origin.operator("op@example.org").await.access;
        origin
            .insert_client("app", &["password", "refresh_token"], true)
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

/// How much there is of what a request could have made.
async fn rows(origin: &Origin) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "users",
        "sessions",
        "refresh_tokens",
        "revocations",
        "clients",
    ] {
        let statement = format!("SELECT COUNT(*) FROM {table}");
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(statement));
        counts.push(count.fetch_one(&origin.app.pool).await.unwrap());
    }
    counts
}
