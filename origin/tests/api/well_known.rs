//! `GET /.well-known/…`.

use crate::harness::{claims, on_both_stores};

on_both_stores! {
    async fn the_published_keys_verify_a_token(origin) {
        let tokens = origin.user("ada@example.org").await;
        let jwks = origin.get("/.well-known/jwks.json").await;
        assert_eq!(jwks.status, 200);
        assert!(jwks.header("cache-control").contains("public"));
        assert!(jwks.body["keys"][0].get("d").is_none(), "the private half is published");
        let keys = shared::KeySet::from_value(&jwks.body).unwrap();
        let token = shared::UnverifiedToken::parse(&tokens.access).unwrap();
        let signed = shared::verify_now(token.verify_signature(&keys, &shared::NativeVerifier)).unwrap();
        assert_eq!(signed.typ(), Some("at+jwt"));
    }

    async fn the_metadata_name_the_issuer_of_the_tokens(origin) {
        let tokens = origin.user("ada@example.org").await;
        let metadata = origin.get("/.well-known/oauth-authorization-server").await;
        assert_eq!(metadata.body["issuer"], claims(&tokens.access)["iss"]);
        assert_eq!(metadata.body["jwks_uri"], "https://origin.example/.well-known/jwks.json");
    }
}
