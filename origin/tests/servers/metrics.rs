//! `GET /metrics` of a real process: what is documented is there once it happened, each with its
//! help and kind, and nothing that a client wrote is a label.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Client;
use serde_json::{Value, json};
use stack::{Durability, Postgres, Redis};
use tempfile::TempDir;

use crate::portcullis::{Portcullis, Serving};
use crate::world::PATIENCE;

const PASSWORD: &str = "correct horse of a test";
const EDGE_SECRET: &str = "the secret of an edge in a test";
/// What a client says here must be found nowhere in the answer.
const MADE_UP: &str = "made-up-by-a-client";

/// Their events need a KV, an edge or a key that goes wrong half-way; their own tests make those.
const NOT_CAUSED_HERE: [&str; 3] = [
    "portcullis_kv_repairs_total",
    "portcullis_time_to_revoke_seconds",
    "portcullis_key_errors_total",
];

#[tokio::test]
async fn every_documented_metric_is_there_on_sqlite() {
    let portcullis = configured(Portcullis::new());
    let serving = portcullis.serve();
    act(&serving).await;
    check_all(&serving, &["portcullis_redis_connected"]).await;
}

#[tokio::test]
async fn what_is_worth_an_alarm_is_there_before_it_happens() {
    let portcullis = Portcullis::new();
    let scraped = scrape(&portcullis.serve()).await;
    for series in [
        "portcullis_panics_total 0",
        "portcullis_store_errors_total{kind=\"late\"} 0",
        "portcullis_store_errors_total{kind=\"connection\"} 0",
        "portcullis_canary_failures_total{code=\"bound_broken\"} 0",
        "portcullis_canary_failures_total{code=\"edge_unreachable\"} 0",
    ] {
        assert!(scraped.text.contains(series), "{series}");
    }
}

#[tokio::test]
async fn every_documented_metric_is_there_on_postgres_and_redis() {
    let logs = TempDir::new().unwrap();
    let postgres = Postgres::start(logs.path(), Durability::Throwaway)
        .await
        .unwrap();
    let redis = Redis::start(logs.path()).await.unwrap();
    let portcullis = configured(Portcullis::new())
        .with("DATABASE_URL", postgres.create_database("metrics").unwrap())
        .with("REDIS_URL", redis.url());
    let serving = portcullis.serve();
    act(&serving).await;
    check_all(&serving, &[]).await;
    end_a_connection_amid_a_statement(&postgres, &serving).await;
    let none = "portcullis_store_errors_total{kind=\"connection\"} 0\n";
    stack::until("a lost connection is counted", PATIENCE, async || {
        Ok((!scrape(&serving).await.text.contains(none)).then_some(()))
    })
    .await
    .unwrap();
}

/// One that only lies idle is replaced before it is used, and counts for nothing.
async fn end_a_connection_amid_a_statement(postgres: &Postgres, serving: &Serving) {
    let holder = postgres.hold_writes("metrics", "users").await.unwrap();
    let client = Client::new();
    let bob = json!({"email": "bob@example.org", "password": PASSWORD});
    // A statement that waits for long ends by itself, and counts as late: then there is another.
    let waiting = async {
        loop {
            let answer = client.post(serving.url("/register")).json(&bob).send();
            assert_eq!(answer.await.unwrap().status(), 503);
        }
    };
    let end_waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE datname = 'metrics' AND wait_event_type = 'Lock'";
    let ended = stack::until("a statement waits", PATIENCE, async || {
        Ok((!postgres.query("postgres", end_waiting)?.is_empty()).then_some(()))
    });
    tokio::select! {
        ended = ended => ended.unwrap(),
        () = waiting => unreachable!(),
    }
    drop(holder);
}

/// Every part beside it is gone, so that each has failures to count.
fn configured(portcullis: Portcullis) -> Portcullis {
    portcullis
        .with("PORTCULLIS_EDGE_SECRET", EDGE_SECRET)
        .with("PORTCULLIS_KV_API_URL", "http://127.0.0.1:1")
        .with("PORTCULLIS_KV_NAMESPACE_ID", "lists")
        .with("PORTCULLIS_CANARY_EDGES", "http://127.0.0.1:1")
        .with("PORTCULLIS_CANARY_INTERVAL_SECS", "5")
        .with("PORTCULLIS_SMTP_URL", "smtp://127.0.0.1:1")
        .with("PORTCULLIS_MAIL_FROM", "test@example.org")
}

async fn act(serving: &Serving) {
    let client = Client::new();
    let post = async |path: &str, body: Value| {
        let answer = client.post(serving.url(path)).json(&body).send().await;
        let answer = answer.unwrap();
        (
            answer.status().as_u16(),
            answer.json::<Value>().await.unwrap(),
        )
    };
    let ada = json!({"email": "ada@example.org", "password": PASSWORD});
    assert_eq!(post("/register", ada.clone()).await.0, 201);
    let (_, tokens) = post("/login", ada).await;
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let (_, tokens) = post("/refresh", refresh).await;
    // Ten a minute are judged; on a slow machine the minute may be over before.
    let email = format!("{MADE_UP}@example.org");
    let wrong = json!({"email": email, "password": MADE_UP});
    stack::until("there were too many attempts", PATIENCE, async || {
        let (status, _) = post("/login", wrong.clone()).await;
        Ok((status == 429).then_some(()))
    })
    .await
    .unwrap();
    for email in ["ada@example.org", "nobody@example.org"] {
        post("/password/forgot", json!({"email": email})).await;
    }
    let method = reqwest::Method::from_bytes(MADE_UP.to_uppercase().as_bytes()).unwrap();
    for path in [format!("/{MADE_UP}"), format!("/sessions/{MADE_UP}")] {
        let request = client.request(method.clone(), serving.url(&path));
        request.send().await.unwrap();
        client.get(serving.url(&path)).send().await.unwrap();
    }
    let access = tokens["access_token"].as_str().unwrap();
    let pull = client.get(serving.url("/revocations/head?after=0&wait=0"));
    assert_eq!(
        pull.bearer_auth(EDGE_SECRET).send().await.unwrap().status(),
        200
    );
    let logged_out = client.post(serving.url("/logout")).bearer_auth(access);
    assert_eq!(logged_out.send().await.unwrap().status(), 200);
}

async fn check_all(serving: &Serving, besides: &[&str]) {
    let absent = |scraped: &Scraped| -> Vec<String> {
        let documented = documented().into_iter();
        let expected = documented.filter(|name| {
            !NOT_CAUSED_HERE.contains(&name.as_str()) && !besides.contains(&name.as_str())
        });
        expected
            .filter(|name| !scraped.samples.contains_key(name))
            .collect()
    };
    let mut last = Vec::new();
    let all_there = stack::until("every metric is there", PATIENCE, async || {
        let scraped = scrape(serving).await;
        last = absent(&scraped);
        Ok((last.is_empty() && scraped.value("portcullis_kv_lag_seconds") > 0.0).then_some(()))
    })
    .await;
    assert!(all_there.is_ok(), "not there: {last:?}");
    let scraped = scrape(serving).await;
    for name in scraped.samples.keys() {
        assert!(scraped.helped.contains(name), "{name} has no help");
        assert!(scraped.typed.contains(name), "{name} has no kind");
        assert!(documented().contains(name), "{name} is not documented");
    }
    let text = scraped.text.to_lowercase();
    for never in [MADE_UP, "example.org", "correct horse", EDGE_SECRET, "eyj"] {
        assert!(!text.contains(never), "{never}");
    }
    for outcome in ["succeeded", "invalid_credentials", "too_many_attempts"] {
        let label = format!("portcullis_log_ins_total{{outcome=\"{outcome}\"}}");
        assert!(scraped.text.contains(&label), "{label}");
    }
    assert!(scraped.value("portcullis_list_age_seconds") >= 0.0);
    assert!(scraped.value("portcullis_publishing_lag_seconds") >= 0.0);
}

/// The names in the first column of the table.
fn documented() -> BTreeSet<String> {
    let document = include_str!("../../METRICS.md");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .filter(|name| name.starts_with("portcullis_"))
        .collect()
}

struct Scraped {
    text: String,
    /// The last sample of each metric, by its name without what a histogram adds.
    samples: BTreeMap<String, f64>,
    helped: BTreeSet<String>,
    typed: BTreeSet<String>,
}

impl Scraped {
    fn value(&self, name: &str) -> f64 {
        self.samples[name]
    }
}

async fn scrape(serving: &Serving) -> Scraped {
    let answer = reqwest::get(serving.url("/metrics")).await.unwrap();
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    let named = |word: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(word));
        let names = lines.filter_map(|line| line.split(' ').next());
        names.map(str::to_owned).collect()
    };
    let (helped, typed) = (named("# HELP "), named("# TYPE "));
    let mut samples = BTreeMap::new();
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let name = line.split(['{', ' ']).next().unwrap();
        let value = line.rsplit(' ').next().unwrap().parse().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|suffix| name.strip_suffix(suffix))
            .find(|family| typed.contains(*family));
        samples.insert(family.unwrap_or(name).to_owned(), value);
    }
    Scraped {
        text,
        samples,
        helped,
        typed,
    }
}
