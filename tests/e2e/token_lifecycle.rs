//! The life of a token, from login to the last place that hears of its end. On Postgres and Redis.

use std::collections::BTreeSet;
use std::fmt::Write;

use e2e::{World, read_claims, start_private};

const TOKEN_REVOKED: &str = "Token has been revoked";
const ALL_REVOKED: &str = "All user sessions have been revoked";

#[tokio::test]
async fn a_token_passes_until_its_logout_and_never_again() {
    let world = World::on_servers().await.unwrap();
    let token = world.new_session().await.unwrap().access;
    world.origin.me(&token).await.unwrap().expect(200).unwrap();
    world.wait_for_edge(&token, 200).await.unwrap();

    let answer = world
        .origin
        .log_out(&token)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(answer.string("message"), "Successfully logged out");

    let at_origin = world.origin.me(&token).await.unwrap().expect(401).unwrap();
    assert_eq!(at_origin.detail(), TOKEN_REVOKED);
    let at_edge = world.wait_for_edge(&token, 401).await.unwrap();
    assert_eq!(at_edge.detail(), TOKEN_REVOKED);
    let challenge = at_edge.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains(r#"error="invalid_token""#),
        "{challenge}"
    );
}

#[tokio::test]
async fn tokens_of_every_signing_algorithm_pass_and_die_alike() {
    for (algorithm, folder) in [("ES256", "es256"), ("RS256", "rs256")] {
        let world = start_private(folder, |plan| {
            let setting = ("PORTCULLIS_SIGNING_ALG".to_owned(), algorithm.to_owned());
            plan.origin_environment.push(setting);
        })
        .await
        .unwrap();
        let token = world.new_session().await.unwrap().access;
        world.wait_for_edge(&token, 200).await.unwrap();
        let logout = world.origin.log_out(&token).await.unwrap();
        logout.expect(200).unwrap();
        world.wait_for_edge(&token, 401).await.unwrap();
    }
}

#[tokio::test]
async fn a_logout_through_the_edge_is_a_logout() {
    let world = World::on_servers().await.unwrap();
    let token = world.new_session().await.unwrap().access;
    world.wait_for_edge(&token, 200).await.unwrap();
    world
        .edge
        .log_out(&token)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world.origin.me(&token).await.unwrap().expect(401).unwrap();
    let at_edge = world.wait_for_edge(&token, 401).await.unwrap();
    assert_eq!(at_edge.detail(), TOKEN_REVOKED);
}

#[tokio::test]
async fn a_second_session_survives_the_logout_of_the_first() {
    let world = World::on_servers().await.unwrap();
    let user = world.new_user().await.unwrap();
    let first = world.log_in(&user).await.unwrap().access;
    let second = world.log_in(&user).await.unwrap().access;
    world.wait_for_edge(&second, 200).await.unwrap();

    world
        .origin
        .log_out(&first)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world.wait_for_edge(&first, 401).await.unwrap();
    world.origin.me(&second).await.unwrap().expect(200).unwrap();
    world.edge.me(&second).await.unwrap().expect(200).unwrap();
}

#[tokio::test]
async fn logout_all_ends_every_session_of_the_user() {
    let world = World::on_servers().await.unwrap();
    let user = world.new_user().await.unwrap();
    let sessions = [
        world.log_in(&user).await.unwrap(),
        world.log_in(&user).await.unwrap(),
    ];
    world.wait_for_edge(&sessions[1].access, 200).await.unwrap();

    let answer = world
        .origin
        .log_out_everywhere(&sessions[0].access)
        .await
        .unwrap();
    let message = answer.expect(200).unwrap().string("message");
    assert_eq!(message, "Successfully logged out from all sessions");

    for session in &sessions {
        let at_origin = world
            .origin
            .me(&session.access)
            .await
            .unwrap()
            .expect(401)
            .unwrap();
        assert_eq!(at_origin.detail(), ALL_REVOKED);
        let at_edge = world.wait_for_edge(&session.access, 401).await.unwrap();
        assert_eq!(at_edge.detail(), ALL_REVOKED);
        world
            .origin
            .refresh(&session.refresh)
            .await
            .unwrap()
            .expect(401)
            .unwrap();
    }
}

#[tokio::test]
async fn a_login_right_after_logout_all_works_everywhere() {
    let world = World::on_servers().await.unwrap();
    let user = world.new_user().await.unwrap();
    let old = world.log_in(&user).await.unwrap().access;
    world
        .origin
        .log_out_everywhere(&old)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let new = world.log_in(&user).await.unwrap().access;

    world.origin.me(&new).await.unwrap().expect(200).unwrap();
    // Once the old one is refused, the edge has the cut-off that the new one has to survive.
    world.wait_for_edge(&old, 401).await.unwrap();
    world.edge.me(&new).await.unwrap().expect(200).unwrap();
}

#[tokio::test]
async fn a_refreshed_token_passes_and_dies_with_its_session() {
    let world = World::on_servers().await.unwrap();
    let first = world.new_session().await.unwrap();
    let answer = world
        .origin
        .refresh(&first.refresh)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let (access, refresh) = (
        answer.string("access_token"),
        answer.string("refresh_token"),
    );
    world.wait_for_edge(&access, 200).await.unwrap();

    world
        .origin
        .log_out(&first.access)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world.wait_for_edge(&access, 401).await.unwrap();
    world
        .origin
        .refresh(&refresh)
        .await
        .unwrap()
        .expect(401)
        .unwrap();
}

#[tokio::test]
async fn redis_holds_a_logout_for_as_long_as_its_token_lives() {
    let world = World::on_servers().await.unwrap();
    let redis = world.system.redis.as_ref().unwrap();
    let token = world.new_session().await.unwrap().access;
    let claims = read_claims(&token).unwrap();
    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    world
        .origin
        .log_out(&token)
        .await
        .unwrap()
        .expect(200)
        .unwrap();

    let leeway = i64::try_from(shared::LEEWAY_SECS).unwrap();
    for (prefix, claim) in [("blacklist", "jti"), ("session_blacklist", "sid")] {
        let key = format!("{prefix}:{}", claims[claim].as_str().unwrap());
        let ttl: i64 = redis.command(&["TTL", &key]).unwrap()[0].parse().unwrap();
        assert!(
            (lifetime - 60..=lifetime + leeway).contains(&ttl),
            "{key} lives {ttl} s"
        );
    }
}

#[tokio::test]
async fn no_raw_token_is_kept_or_logged() {
    let world = World::on_servers().await.unwrap();
    let session = world.new_session().await.unwrap();
    world.wait_for_edge(&session.access, 200).await.unwrap();
    let answer = world
        .origin
        .refresh(&session.refresh)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let (access, refresh) = (
        answer.string("access_token"),
        answer.string("refresh_token"),
    );
    world
        .origin
        .log_out(&access)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world.wait_for_edge(&access, 401).await.unwrap();

    let kept = everything_kept(world.system);
    assert!(kept.len() > 10_000, "nothing was looked at");
    for token in [&session.access, &session.refresh, &access, &refresh] {
        // A token without its signature is half a secret, so each part counts.
        let secrets: BTreeSet<&str> = token.split('.').skip(1).chain([token.as_str()]).collect();
        for secret in secrets {
            let hexadecimal = secret.bytes().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").unwrap();
                text
            });
            assert!(!kept.contains(secret), "{secret} is kept or logged");
            assert!(!kept.contains(&hexadecimal), "{secret} is kept as bytes");
        }
    }
}

/// Every row of the database, every key and value in Redis, every log: as one text.
fn everything_kept(system: &stack::System) -> String {
    let mut kept = String::new();
    let postgres = system.postgres.as_ref().unwrap();
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
    for table in postgres.query("portcullis", tables).unwrap().lines() {
        let rows = format!("SELECT row_to_json(t)::text FROM \"{table}\" t");
        kept += &postgres.query("portcullis", &rows).unwrap();
    }
    let redis = system.redis.as_ref().unwrap();
    for key in redis.command(&["KEYS", "*"]).unwrap() {
        kept += &key;
        kept += &redis
            .command(&["GET", &key])
            .map(|value| value.concat())
            .unwrap_or_default();
    }
    for log in [system.origin.log(), system.edge.log()] {
        kept += &std::fs::read_to_string(log).unwrap();
    }
    kept
}
