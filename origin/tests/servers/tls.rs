//! TLS to Redis and to Postgres: who is believed, who is not, and what is said of it.

use serde_json::{Value, json};
use stack::{Certificate, Durability, Postgres, Redis};
use tempfile::TempDir;

use crate::portcullis::Portcullis;
use crate::world::PATIENCE;

/// A Redis that speaks TLS, with a certificate that no machine trusts by itself.
struct Encrypted {
    certificate: Certificate,
    redis: Redis,
    port: u16,
    _logs: TempDir,
}

impl Encrypted {
    async fn start() -> Self {
        let logs = TempDir::new().unwrap();
        let certificate = Certificate::generate().unwrap();
        let (redis, port) = Redis::start_with_tls(logs.path(), &certificate)
            .await
            .unwrap();
        Self {
            certificate,
            redis,
            port,
            _logs: logs,
        }
    }

    fn url(&self, host: &str) -> String {
        format!("rediss://{host}:{}", self.port)
    }

    /// As patient as it can be: a handshake takes its time on a slow machine.
    fn portcullis(&self, host: &str) -> Portcullis {
        Portcullis::new()
            .with("REDIS_URL", self.url(host))
            .with("PORTCULLIS_REDIS_TIMEOUT_MS", "10000")
    }

    fn trusted(&self, host: &str) -> Portcullis {
        let authority = self.certificate.authority();
        self.portcullis(host)
            .with("PORTCULLIS_REDIS_CA_FILE", authority)
    }
}

#[tokio::test]
async fn a_redis_whose_authority_is_named_is_used_over_tls() {
    let encrypted = Encrypted::start().await;
    let portcullis = encrypted.trusted(encrypted.certificate.host());
    assert_eq!(portcullis.finding("redis")["state"], "ok");
    let serving = portcullis.serve();
    // What is believed of Redis needs its own connection, and the replicas' channel another two.
    stack::until("Redis is complete", PATIENCE, async || {
        let found = encrypted.redis.command(&["GET", "portcullis:complete"])?;
        Ok((!found.is_empty()).then_some(()))
    })
    .await
    .unwrap();
    let ready = reqwest::get(serving.url("/health/ready")).await.unwrap();
    let ready: Value = ready.json().await.unwrap();
    assert_eq!(ready["cache"], "ok", "{ready}");
}

#[tokio::test]
async fn the_machines_authorities_are_asked_where_none_is_named_and_only_there() {
    let encrypted = Encrypted::start().await;
    let host = encrypted.certificate.host();
    let nothing = "/nowhere/authorities.pem";
    let named = encrypted.trusted(host).with("SSL_CERT_FILE", nothing);
    assert_eq!(named.finding("redis")["state"], "ok");
    let authority = encrypted.certificate.authority();
    let of_the_machine = encrypted.portcullis(host).with("SSL_CERT_FILE", authority);
    assert_eq!(of_the_machine.finding("redis")["state"], "ok");
    let nobody = encrypted.portcullis(host).with("SSL_CERT_FILE", nothing);
    let refused = nobody.run(&["serve"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("PORTCULLIS_REDIS_CA_FILE"), "{said}");
}

#[tokio::test]
async fn a_redis_whose_authority_nobody_named_is_refused_and_the_setting_is_told() {
    let encrypted = Encrypted::start().await;
    let portcullis = encrypted.portcullis(encrypted.certificate.host());
    let refused = portcullis.run(&["serve"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    for part in ["localhost:", "PORTCULLIS_REDIS_CA_FILE"] {
        assert!(said.contains(part), "{said}");
    }
    let finding = portcullis.finding("redis");
    assert_eq!(finding["state"], "broken", "{finding}");
    assert!(
        finding["found"]
            .to_string()
            .contains("signed its certificate"),
        "{finding}"
    );
}

#[tokio::test]
async fn a_redis_whose_certificate_is_for_another_name_is_refused() {
    let encrypted = Encrypted::start().await;
    let portcullis = encrypted.trusted("127.0.0.1");
    let refused = portcullis.run(&["serve"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("for another name"), "{said}");
}

#[tokio::test]
async fn postgres_is_reached_over_tls_with_a_verified_name_and_not_under_another() {
    let logs = TempDir::new().unwrap();
    let certificate = Certificate::generate().unwrap();
    let postgres = Postgres::start(logs.path(), Durability::Throwaway)
        .await
        .unwrap();
    postgres.offer_tls(&certificate).await.unwrap();
    let url = |host: &str, rest: &str| {
        let url = postgres.url().replace("127.0.0.1", host);
        format!("{url}?sslmode=verify-full{rest}")
    };
    let authority = format!("&sslrootcert={}", certificate.authority().display());
    let found = |url: String| {
        Portcullis::new()
            .with("DATABASE_URL", url)
            .finding("database")
    };
    let good = found(url(certificate.host(), &authority));
    assert_eq!(good["state"], json!("ok"), "{good}");
    for bad in [url("127.0.0.1", &authority), url(certificate.host(), "")] {
        let bad = found(bad);
        assert_eq!(bad["state"], "broken", "{bad}");
        assert!(bad["found"].to_string().contains("certificate"), "{bad}");
    }
}
