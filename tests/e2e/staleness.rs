//! An edge whose list is missing, bad, old or dead. The origin is gone in all of these, so that
//! nobody repairs what the test breaks.

use e2e::{ListForger, World, start_private};
use reqwest::StatusCode;
use shared::KV_HEAD_KEY;
use stack::{Answer, System};

/// A key that no edge was told of (Ed25519, made for this test).
const STRANGERS_KEY: &[u8] = b"-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIBtxegdrctd3/OqV0WV36KdHb3mHOjIKqCdVWNLTdgEo\n\
    -----END PRIVATE KEY-----\n";

/// Longer than any of these tests takes, on any machine.
const A_DAY_SECS: u32 = 86_400;

/// A stack whose origin was killed after it published a list that lets `token` through.
struct Orphan {
    world: World<System>,
    token: String,
    published: Vec<u8>,
    list_key: Vec<u8>,
}

impl Orphan {
    async fn start(name: &str) -> anyhow::Result<Self> {
        let mut world = start_private(name, |plan| {
            plan.origin_environment.push(list_lives(A_DAY_SECS));
            plan.edge_vars.insert(
                "UPSTREAM_URL".to_owned(),
                stack::start_echo().unwrap().into(),
            );
        })
        .await?;
        let token = world.new_session().await?.access;
        world.wait_for_edge(&token, 200).await?;
        let kv = world.system.edge.kv();
        let list = stack::until("a list in KV", e2e::PATIENCE, async || {
            kv.find(KV_HEAD_KEY).await
        });
        let published = list.await?;
        let list_key = std::fs::read(world.system.origin.settings().data.join("list-key.pem"))?;
        world.system.origin.process().kill();
        Ok(Self {
            world,
            token,
            published,
            list_key,
        })
    }

    fn published_list(&self) -> ListForger {
        ListForger::from_published(&self.published).unwrap()
    }

    /// What a new isolate answers where KV holds `list`.
    async fn ask_new_isolate(&mut self, list: Option<Vec<u8>>) -> Answer {
        let kv = self.world.system.edge.kv();
        match list {
            Some(list) => kv.put(KV_HEAD_KEY, list).await.unwrap(),
            None => kv.delete(KV_HEAD_KEY).await.unwrap(),
        }
        self.world.system.edge.restart().await.unwrap();
        self.world.edge.me(&self.token).await.unwrap()
    }
}

/// A setting of the origin.
fn list_lives(secs: u32) -> (String, String) {
    let name = "PORTCULLIS_LIST_LIFETIME_SECS".to_owned();
    (name, secs.to_string())
}

fn assert_closed(answer: &Answer, code: &str) {
    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        answer.text
    );
    assert_eq!(answer.code(), code);
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_new_isolate_is_closed_without_a_good_list_and_open_with_one() {
    let mut orphan = Orphan::start("bad-lists").await.unwrap();
    let published = orphan.published.clone();
    let list = orphan.published_list();
    let (iat, exp) = (list.number("iat"), list.number("exp"));

    let missing = orphan.ask_new_isolate(None).await;
    assert_closed(&missing, "list_absent");

    let truncated = orphan
        .ask_new_isolate(Some(published[..published.len() / 2].to_vec()))
        .await;
    assert_closed(&truncated, "list_absent");

    let forged = list
        .clone()
        .with("exp", exp + 3600.0)
        .sign(STRANGERS_KEY)
        .unwrap();
    assert_closed(&orphan.ask_new_isolate(Some(forged)).await, "list_absent");

    let other_issuer = list.clone().with("iss", "https://elsewhere.example");
    let other_issuer = other_issuer.sign(&orphan.list_key).unwrap();
    assert_closed(
        &orphan.ask_new_isolate(Some(other_issuer)).await,
        "list_absent",
    );

    // To an isolate that held no list, a dead one is none.
    let expired = list
        .clone()
        .with("iat", iat - 2.0 * f64::from(A_DAY_SECS))
        .with("exp", exp - 2.0 * f64::from(A_DAY_SECS));
    let expired = expired.sign(&orphan.list_key).unwrap();
    assert_closed(&orphan.ask_new_isolate(Some(expired)).await, "list_absent");

    let good = orphan.ask_new_isolate(Some(published)).await;
    assert_eq!(good.status, StatusCode::OK, "{}", good.text);
}

#[tokio::test]
async fn an_older_list_in_kv_does_not_bring_a_revoked_token_back() {
    let mut world = start_private("rolled-back", |plan| {
        plan.origin_environment.push(list_lives(A_DAY_SECS));
        plan.edge_vars.insert(
            "UPSTREAM_URL".to_owned(),
            stack::start_echo().unwrap().into(),
        );
        plan.edge_vars.insert("PULL_LANE".to_owned(), "off".into());
    })
    .await
    .unwrap();
    let revoked = world.new_session().await.unwrap().access;
    let bystander = world.new_session().await.unwrap().access;
    let credentials = &world.system.credentials;
    let (email, password) = (&credentials.operator_email, &credentials.operator_password);
    let operator = world.origin.log_in(email, password).await.unwrap().access;
    world.wait_for_edge(&revoked, 200).await.unwrap();
    let kv = world.system.edge.kv();
    let before = kv.find(KV_HEAD_KEY).await.unwrap().unwrap();
    world
        .origin
        .log_out(&revoked)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world.wait_for_edge(&revoked, 401).await.unwrap();
    world.system.origin.process().kill();

    kv.put(KV_HEAD_KEY, before).await.unwrap();
    // Each of these requests may make the edge look at KV.
    stack::until(
        "the edge meets with the older list",
        e2e::PATIENCE,
        async || {
            world.edge.unguarded(&revoked).await?.expect(401)?;
            let status = world.edge.get("/.portcullis/status", &operator).await?;
            let status = status.expect(200)?.json();
            let rolled_back = status["list_faults"]["list_rolled_back"].as_u64();
            Ok((rolled_back > Some(0)).then_some(()))
        },
    )
    .await
    .unwrap();
    let answer = world.edge.unguarded(&revoked).await.unwrap();
    answer.expect(401).unwrap();
    world
        .edge
        .me(&bystander)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
}

#[tokio::test]
async fn the_edge_goes_on_by_its_list_until_the_list_dies() {
    let mut world = start_private("list-dies", |plan| {
        plan.edge_vars.insert(
            "UPSTREAM_URL".to_owned(),
            stack::start_echo().unwrap().into(),
        );
        let heartbeat = ("PORTCULLIS_HEARTBEAT_SECS".to_owned(), "1".to_owned());
        plan.origin_environment.extend([heartbeat, list_lives(30)]);
    })
    .await
    .unwrap();
    let alive = world.new_session().await.unwrap().access;
    let revoked = world.new_session().await.unwrap().access;
    world.wait_for_edge(&alive, 200).await.unwrap();
    world
        .origin
        .log_out(&revoked)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world.wait_for_edge(&revoked, 401).await.unwrap();

    world.system.origin.process().kill();
    world.edge.me(&alive).await.unwrap().expect(200).unwrap();
    let mut revoked_passed = false;
    let closed = stack::until("the edge closes", e2e::PATIENCE, async || {
        revoked_passed |= world.edge.me(&revoked).await?.status.is_success();
        let answer = world.edge.me(&alive).await?;
        Ok((!answer.status.is_success()).then_some(answer))
    })
    .await
    .unwrap();
    assert_closed(&closed, "list_expired");
    assert!(
        !revoked_passed,
        "a revoked token passed while the origin was away"
    );

    world.system.origin.restart().await.unwrap();
    world.wait_for_edge(&alive, 200).await.unwrap();
    world.wait_for_edge(&revoked, 401).await.unwrap();
}
