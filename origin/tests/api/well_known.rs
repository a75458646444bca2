//! `GET /.well-known/…`.

use crate::harness::{assert_text, claims, on_both_stores};

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

    async fn the_metadata_name_the_issuer_of_the_tokens_and_all_that_clients_need(origin) {
        let tokens = origin.user("ada@example.org").await;
        let metadata = origin.get("/.well-known/oauth-authorization-server").await;
        assert_eq!(metadata.body["issuer"], claims(&tokens.access)["iss"]);
        assert_text!(serde_json::to_string_pretty(&metadata.body).unwrap(), @r#"
        {
          "grant_types_supported": [
            "password",
            "refresh_token",
            "client_credentials"
          ],
          "introspection_endpoint": "https://origin.example/introspect",
          "introspection_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post"
          ],
          "issuer": "https://origin.example",
          "jwks_uri": "https://origin.example/.well-known/jwks.json",
          "response_types_supported": [],
          "revocation_endpoint": "https://origin.example/revoke",
          "revocation_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post"
          ],
          "scopes_supported": [
            "profile",
            "operator"
          ],
          "token_endpoint": "https://origin.example/token",
          "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post"
          ]
        }
        "#);
    }

    async fn an_issuer_with_a_path_has_its_metadata_under_that_path(origin) {
        for path in ["x", "auth/", "%ff"] {
            let path = format!("/.well-known/oauth-authorization-server/{path}");
            assert_eq!(origin.get(&path).await.code(), "not_found", "{path}");
        }
    }
}

on_both_stores! {
    with ["--issuer=https://example.org/auth/one"];

    async fn the_metadata_of_an_issuer_with_a_path_are_where_rfc_8414_says(origin) {
        let path = "/.well-known/oauth-authorization-server/auth/one";
        let metadata = origin.get(path).await;
        assert_eq!(metadata.body["issuer"], "https://example.org/auth/one");
        assert_eq!(metadata.body["token_endpoint"], "https://example.org/auth/one/token");
        let elsewhere = origin.get("/.well-known/oauth-authorization-server/auth").await;
        assert_eq!(elsewhere.status, 404);
    }
}
