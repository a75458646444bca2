//! `GET /revocations/{id}`.

use crate::harness::{Answer, Origin, on_both_stores};

on_both_stores! {
    async fn whoever_caused_it_reads_the_receipt_with_a_new_token(origin) {
        let tokens = origin.user("ada@example.org").await;
        let logged_out = origin.post_as("/logout", &tokens.access).await;
        let again = origin.log_in("ada@example.org").await;
        let receipt = receipt(origin, &logged_out, &again.access).await;
        assert_eq!(receipt.status, 200, "{receipt:?}");
        assert_eq!(receipt.body["status"], "recorded");
        assert_eq!(receipt.body["recorded_at"], logged_out.body["revocation"]["recorded_at"]);
        for not_yet in ["version", "delivered_at", "seen_at_edge_at"] {
            assert!(receipt.body[not_yet].is_null(), "{receipt:?}");
        }
    }

    async fn to_others_there_is_no_such_receipt_but_to_operators_there_is(origin) {
        let tokens = origin.user("ada@example.org").await;
        let logged_out = origin.post_as("/logout", &tokens.access).await;
        let bob = origin.user("bob@example.org").await;
        assert_eq!(receipt(origin, &logged_out, &bob.access).await.code(), "not_found");
        let operator = origin.operator("op@example.org").await;
        assert_eq!(receipt(origin, &logged_out, &operator.access).await.status, 200);
        assert_eq!(origin.get_as("/revocations/none", &operator.access).await.status, 404);
    }

    async fn a_published_one_says_in_which_list_and_by_when_exactly(origin) {
        let tokens = origin.user("ada@example.org").await;
        let logged_out = origin.post_as("/logout", &tokens.access).await;
        publish(origin, 7).await;
        let again = origin.log_in("ada@example.org").await;
        let receipt = receipt(origin, &logged_out, &again.access).await;
        assert_eq!(receipt.body["version"], 7);
        assert_eq!(receipt.body["status"], "delivered");
        assert_eq!(receipt.body["effective_by"], "2100-01-01T00:00:00Z");
        assert_eq!(receipt.body["delivered_at"], "2027-01-01T00:00:00Z");
    }
}

async fn receipt(origin: &Origin, logged_out: &Answer, token: &str) -> Answer {
    let id = logged_out.body["revocation"]["id"].as_str().unwrap();
    origin.get_as(&format!("/revocations/{id}"), token).await
}

/// What the publisher writes, by hand: it has tests of its own.
async fn publish(origin: &Origin, version: i64) {
    let millis = |text| {
        origin::iso_time::parse(text)
            .unwrap()
            .as_millis()
            .cast_signed()
    };
    sqlx::query(
        "INSERT INTO list_heads (version, issued_at, expires_at, grace_secs, head, tail_epoch,
                                 tail_bytes, predecessors_end_at, delivered_at)
         VALUES ($1, 0, 0, 0, '', 0, 0, $2, $3)",
    )
    .bind(version)
    .bind(millis("2100-01-01T00:00:00Z"))
    .bind(millis("2027-01-01T00:00:00Z"))
    .execute(&origin.app.pool)
    .await
    .unwrap();
    sqlx::query("UPDATE revocations SET version = $1")
        .bind(version)
        .execute(&origin.app.pool)
        .await
        .unwrap();
}
