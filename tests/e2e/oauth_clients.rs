//! Clients that others made, against the real server: what they make of the metadata, the grants, the
//! errors and the tokens, and that what they revoke is refused at origin and edge.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{World, read_claims, run_client};
use serde_json::{Value, json};
use stack::{Origin, OriginSettings, System, paths, port};

/// What every client is refused, the `error` that it is told (RFC 6749, section 5.2), and the status.
const REFUSALS: [(&str, &str, u16); 9] = [
    ("resource_of_revoked", "invalid_token", 401),
    ("wrong_secret", "invalid_client", 401),
    ("wrong_secret_at_revocation", "invalid_client", 401),
    ("wrong_secret_at_introspection", "invalid_client", 401),
    ("unknown_grant", "unsupported_grant_type", 400),
    ("bad_scope", "invalid_scope", 400),
    ("wrong_password", "invalid_grant", 400),
    ("reused_refresh_token", "invalid_grant", 400),
    ("successor_of_reused", "invalid_grant", 400),
];

#[tokio::test]
async fn openid_client_runs_every_flow() {
    let world = World::on_servers().await.unwrap();
    let outcome = run("openid_client.mjs", &world);
    judge(&outcome, &world).await;
    judge_introspection(&outcome);
    judge_challenges(&outcome);
}

#[tokio::test]
async fn oauth4webapi_runs_every_flow_and_takes_the_token_for_one_of_rfc_9068() {
    let world = World::on_servers().await.unwrap();
    let outcome = run("oauth4webapi.mjs", &world);
    judge(&outcome, &world).await;
    judge_introspection(&outcome);
    judge_challenges(&outcome);
    let token = outcome["refresh_narrowed"]["access_token"]
        .as_str()
        .unwrap();
    assert_eq!(outcome["claims"], read_claims(token).unwrap());
}

#[tokio::test]
async fn authlib_runs_every_flow() {
    let world = World::on_servers().await.unwrap();
    let outcome = run("authlib_client.py", &world);
    judge(&outcome, &world).await;
    judge_introspection(&outcome);
    // RFC 8414 requires the member; without an authorization endpoint there is nothing to put into it.
    assert_eq!(
        outcome["discovery"]["complaints"],
        json!(["\"response_types_supported\" is required"])
    );
}

#[tokio::test]
async fn requests_oauthlib_runs_every_flow_that_it_knows() {
    let world = World::on_servers().await.unwrap();
    let outcome = run("requests_oauthlib_client.py", &world);
    judge(&outcome, &world).await;
}

#[tokio::test]
async fn verifiers_of_others_take_the_tokens_of_every_algorithm_and_no_forged_one() {
    for algorithm in ["EdDSA", "ES256", "RS256"] {
        let (origin, tokens) = start_origin(algorithm).await.unwrap();
        for verifier in [
            "jose_verifier.mjs",
            "pyjwt_verifier.py",
            "authlib_verifier.py",
        ] {
            let verify = |audience| run_client(verifier, &verification(&origin, audience, &tokens));
            let (verdicts, elsewhere) = (verify("portcullis").unwrap(), verify("another").unwrap());
            for name in ["operators", "users"] {
                let seen = format!("{verifier} on {name} token, {algorithm}: {verdicts}");
                if verifier == "authlib_verifier.py" && (algorithm == "EdDSA" || name == "users") {
                    // It takes that name of the algorithm for deprecated (RFC 9864), and `roles` without
                    // any for a claim that is not there.
                    assert_eq!(verdicts[name]["error"], "invalid_token", "{seen}");
                } else {
                    let token = tokens[name].as_str().unwrap();
                    assert_eq!(verdicts[name], read_claims(token).unwrap(), "{seen}");
                }
                let refused = &elsewhere[name]["error"];
                assert!(
                    refused.is_string(),
                    "for another audience, {verifier}: {elsewhere}"
                );
            }
            for forged in ["promoted", "unsigned", "cut_short"] {
                let refused = &verdicts[forged]["error"];
                assert!(
                    refused.is_string(),
                    "{forged}, {verifier} on {algorithm}: {verdicts}"
                );
            }
        }
    }
}

/// They bring a secret of their own, which is the origin's to judge, and no token of somebody's.
#[tokio::test]
async fn a_client_reaches_all_three_endpoints_through_the_edge() {
    let world = World::on_servers().await.unwrap();
    let credentials = &world.system.credentials;
    let ask = async |path: &str, form: &[(&str, &str)], secret: &str| {
        let request = world.edge.request(reqwest::Method::POST, path).form(form);
        let request = request.basic_auth(&credentials.client_id, Some(secret));
        world.edge.send(request).await.unwrap()
    };
    let (grant, secret) = (
        ("grant_type", "client_credentials"),
        &credentials.client_secret,
    );
    let issued = ask("/token", &[grant], secret).await.expect(200).unwrap();
    let token = issued.string("access_token");
    let of_token = [("token", token.as_str())];
    for (path, active) in [
        ("/introspect", true),
        ("/revoke", true),
        ("/introspect", false),
    ] {
        let refused = ask(path, &of_token, "another secret of it").await;
        assert_eq!(refused.expect(401).unwrap().code(), "invalid_client");
        let answer = ask(path, &of_token, secret).await.expect(200).unwrap();
        if path == "/introspect" {
            assert_eq!(answer.json()["active"], active);
        }
    }
}

fn run(script: &str, world: &World<&System>) -> Value {
    let credentials = &world.system.credentials;
    let task = json!({
        "issuer": world.system.origin.url(),
        "edge": world.system.edge.url(),
        "audience": "portcullis",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "username": credentials.operator_email,
        "password": credentials.operator_password,
    });
    run_client(script, &task).unwrap()
}

/// What holds for every client.
async fn judge(outcome: &Value, world: &World<&System>) {
    assert_eq!(outcome["discovery"]["issuer"], world.system.origin.url());
    for (step, scope, has_refresh_token) in [
        ("client_credentials_basic", "profile operator", false),
        ("client_credentials_post", "profile operator", false),
        ("password", "profile operator", true),
        ("refresh_narrowed", "profile", true),
        ("refresh_again", "profile operator", true),
    ] {
        let issued = &outcome[step];
        assert!(issued["access_token"].is_string(), "{step}: {issued}");
        assert_eq!(issued["expires_in"], 3600, "{step}");
        assert_eq!(
            issued["refresh_token"].is_string(),
            has_refresh_token,
            "{step}"
        );
        assert_eq!(read_scope(&issued["scope"]), scope, "{step}");
    }
    assert_eq!(outcome["resource"], json!({ "status": 200 }));
    assert_eq!(outcome["revocation"], json!({}));
    for (step, error, status) in REFUSALS {
        let Some(told) = outcome.get(step) else {
            assert!(step.ends_with("introspection"), "{step} was not done");
            continue;
        };
        assert_eq!(told["error"], error, "{step}: {told}");
        // Not every library tells it.
        assert!(
            told["status"].is_null() || told["status"] == status,
            "{step}: {told}"
        );
    }
    refused_everywhere(outcome, "refresh_narrowed", world).await;
    // Reuse has ended the session, and with it the first token of it.
    refused_everywhere(outcome, "password", world).await;
    let alive = outcome["client_credentials_post"]["access_token"].as_str();
    let passed = world.edge.unguarded(alive.unwrap()).await.unwrap();
    passed.expect(404).unwrap();
}

/// What a step was given is refused by the origin, and by the edge alone.
async fn refused_everywhere(outcome: &Value, step: &str, world: &World<&System>) {
    let token = outcome[step]["access_token"].as_str().unwrap();
    let at_origin = world.origin.me(token).await.unwrap().expect(401).unwrap();
    assert_eq!(at_origin.code(), "token_revoked");
    let at_edge = world.wait_for_edge(token, 401).await.unwrap();
    assert_eq!(at_edge.code(), "token_revoked");
}

fn judge_introspection(outcome: &Value) {
    let token = outcome["refresh_narrowed"]["access_token"].as_str();
    let claims = read_claims(token.unwrap()).unwrap();
    let told = &outcome["introspection"];
    assert_eq!(
        (&told["active"], &told["scope"]),
        (&json!(true), &json!("profile"))
    );
    for claim in [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "jti",
        "client_id",
        "roles",
    ] {
        assert_eq!(told[claim], claims[claim], "{claim}");
    }
    assert_eq!(
        outcome["introspection_of_revoked"],
        json!({ "active": false })
    );
}

/// Those that read every `WWW-Authenticate` found a scheme and a realm in it.
fn judge_challenges(outcome: &Value) {
    for (step, scheme) in [
        ("resource_of_revoked", "bearer"),
        ("wrong_secret", "basic"),
        ("wrong_secret_at_revocation", "basic"),
        ("wrong_secret_at_introspection", "basic"),
    ] {
        let told = &outcome[step];
        assert_eq!(
            (&told["scheme"], &told["realm"]),
            (&json!(scheme), &json!("portcullis")),
            "{step}"
        );
    }
}

/// Some libraries give a list for the words that the server sent.
fn read_scope(scope: &Value) -> String {
    match scope.as_array() {
        Some(words) => words
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" "),
        None => scope.as_str().unwrap_or_default().to_owned(),
    }
}

/// An origin by itself, since who verifies needs no more than its keys; and a token of an operator and
/// one of a user without any role.
async fn start_origin(algorithm: &str) -> anyhow::Result<(Origin, Value)> {
    let folder = paths::target().join("e2e/verifiers").join(algorithm);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let settings = OriginSettings {
        port: port::find_free()?,
        data: folder.join("data"),
        log: folder.join("origin.log"),
        binary: None,
        environment: vec![("PORTCULLIS_SIGNING_ALG".to_owned(), algorithm.to_owned())],
    };
    let origin = Origin::start(settings).await?;
    let client = stack::Client::new(origin.url())?;
    let mut tokens = json!({});
    for (name, role) in [("operators", &["--role", "operator"][..]), ("users", &[])] {
        let (email, password) = (format!("{name}@example.com"), "correct horse of a test");
        let create = ["user", "create", "--email", &email, "--password-stdin"];
        origin
            .settings()
            .run(&[&create[..], role].concat(), password)?;
        tokens[name] = client.log_in(&email, password).await?.access.into();
    }
    Ok((origin, tokens))
}

/// The tokens as they are, and what a thief would make of one.
fn verification(origin: &Origin, audience: &str, tokens: &Value) -> Value {
    let genuine = tokens["operators"].as_str().unwrap();
    let parts: Vec<&str> = genuine.split('.').collect();
    let mut claims = read_claims(genuine).unwrap();
    claims["sub"] = "somebody else".into();
    let promoted = URL_SAFE_NO_PAD.encode(claims.to_string());
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
    let mut all = tokens.clone();
    all["promoted"] = format!("{}.{promoted}.{}", parts[0], parts[2]).into();
    all["unsigned"] = format!("{unsigned}.{}.", parts[1]).into();
    all["cut_short"] = genuine[..genuine.len() - 8].into();
    json!({
        "jwks_uri": format!("{}/.well-known/jwks.json", origin.url()),
        "issuer": origin.url(),
        "audience": audience,
        "tokens": all,
    })
}
