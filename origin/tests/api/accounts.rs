//! Accounts as an operator handles them: disabled, enabled, deleted, with roles. The command line
//! does the same, see `tests/command_line.rs`.

use origin::accounts::{self, Deed, RolesChange};
use origin::store::users;
use serde_json::json;

use crate::harness::{Origin, PASSWORD, Tokens, assert_text, claims, on_both_stores};

const DEED: Deed<'static> = Deed {
    actor: "command-line",
    reason: "a test",
    address: None,
};

on_both_stores! {
    async fn a_disabled_user_is_refused_at_every_door(origin) {
        let one = origin.user("ada@example.org").await;
        let two = origin.log_in("ada@example.org").await;
        let bob = origin.user("bob@example.org").await;
        let receipt = accounts::disable(&origin.app, &id_of(&one), &DEED).await.unwrap();
        assert_eq!(receipt.scope, shared::Scope::User);
        for tokens in [&one, &two] {
            assert_eq!(origin.get_as("/me", &tokens.access).await.code(), "all_sessions_revoked");
            assert_eq!(origin.refresh(&tokens.refresh).await.code(), "session_closed");
        }
        origin.pass_cut_off();
        assert_eq!(origin.try_log_in("ada@example.org").await.code(), "invalid_credentials");
        assert_eq!(origin.get_as("/me", &bob.access).await.status, 200);
    }

    async fn an_enabled_user_logs_in_again_and_the_old_tokens_stay_dead(origin) {
        let old = origin.user("ada@example.org").await;
        accounts::disable(&origin.app, &id_of(&old), &DEED).await.unwrap();
        accounts::enable(&origin.app, &id_of(&old), &DEED).await.unwrap();
        origin.pass_cut_off();
        let new = origin.log_in("ada@example.org").await;
        assert_eq!(origin.get_as("/me", &new.access).await.status, 200);
        assert_eq!(origin.get_as("/me", &old.access).await.status, 401);
        assert_eq!(origin.refresh(&old.refresh).await.status, 401);
    }

    async fn of_a_password_that_an_operator_set_the_user_is_told_by_whom(origin) {
        let ada = origin.user("ada@example.org").await;
        let user = users::find(&origin.app.pool, &id_of(&ada)).await.unwrap().unwrap();
        let password = "another secret of a test".into();
        accounts::set_password(&origin.app, &user, &password, &DEED).await.unwrap();
        let mails = origin.mails().await;
        assert_eq!((mails.len(), mails[0].to.as_str()), (1, "ada@example.org"));
        assert_eq!(mails[0].subject, "Your password was set by an operator");
        let text = mails[0].body.replace("\r\n", "\n");
        let at = text.lines().find(|line| line.starts_with("When: ")).unwrap();
        assert_text!(text.replace(at, "When: <time>"), @r"
        A new password was set for your account, by those who run this server.
        Every device has been logged out.

        Account at: https://origin.example
        When: <time>
        From: this server

        If you did not expect it, ask them. To have a password that you alone know,
        ask for a mail with which to set one.
        ");
    }

    async fn a_password_that_an_operator_sets_ends_every_session_and_the_old_password(origin) {
        let old = origin.user("ada@example.org").await;
        let set = async |password: &str| {
            let user = users::find(&origin.app.pool, &id_of(&old)).await.unwrap().unwrap();
            accounts::set_password(&origin.app, &user, &password.into(), &DEED).await
        };
        assert_eq!(set("password").await.unwrap_err().code(), "password_too_common");
        assert_eq!(origin.get_as("/me", &old.access).await.status, 200);
        let receipt = set("another secret of a test").await.unwrap();
        assert_eq!(receipt.scope, shared::Scope::User);
        assert_eq!(origin.get_as("/me", &old.access).await.code(), "all_sessions_revoked");
        assert_eq!(origin.refresh(&old.refresh).await.code(), "session_closed");
        origin.pass_cut_off();
        assert_eq!(origin.try_log_in("ada@example.org").await.code(), "invalid_credentials");
        let new = Tokens::from(&origin.log_in_with("ada@example.org", "another secret of a test").await);
        let me = origin.get_as("/me", &new.access).await;
        // Nobody showed that the address is theirs.
        assert_eq!((me.status, &me.body["email_verified"]), (200, &false.into()));
    }

    async fn a_deleted_user_leaves_the_audit_log_and_nothing_else(origin) {
        let tokens = origin.user("ada@example.org").await;
        let id = id_of(&tokens);
        assert_eq!(origin.post("/password/forgot", &json!({"email": "ada@example.org"})).await.status, 200);
        accounts::delete(&origin.app, &id, &DEED).await.unwrap();
        assert_eq!(origin.get_as("/me", &tokens.access).await.code(), "all_sessions_revoked");
        assert_eq!(origin.refresh(&tokens.refresh).await.code(), "refresh_token_unknown");
        assert!(origin.mails().await.is_empty());
        for table in ["users", "sessions", "refresh_tokens", "mailed_tokens", "mails"] {
            assert_eq!(count(origin, table).await, 0, "{table}");
        }
        let rows = format!("audit_log WHERE subject = 'user:{id}' AND event IN ('registered', 'user_deleted')");
        assert_eq!(count(origin, &rows).await, 2);
        // The address is free, and whoever has it now is somebody else.
        origin.pass_cut_off();
        let other = origin.user("ada@example.org").await;
        assert_ne!(id_of(&other), id);
        assert_eq!(origin.get_as("/me", &tokens.access).await.status, 401);
    }

    async fn a_role_that_is_given_is_in_the_next_token_and_ends_none(origin) {
        let before = origin.user("ada@example.org").await;
        let changed = change(origin, &before, &["operator", "editor"], &[]).await;
        assert!(changed.revocation.is_none());
        assert_eq!(origin.get_as("/me", &before.access).await.status, 200);
        assert_eq!(origin.get_as("/admin/revocations", &before.access).await.status, 403);
        let after = origin.log_in("ada@example.org").await;
        assert_eq!(claims(&after.access)["roles"], json!(["editor", "operator"]));
        assert_eq!(origin.get_as("/admin/revocations", &after.access).await.status, 200);
    }

    async fn a_role_that_is_taken_is_in_no_living_token_and_the_session_goes_on(origin) {
        let before = origin.operator("ops@example.org").await;
        let changed = change(origin, &before, &[], &["operator"]).await;
        assert!(changed.revocation.is_some());
        assert_eq!(origin.get_as("/admin/revocations", &before.access).await.status, 401);
        origin.pass_cut_off();
        let after = Tokens::from(&origin.refresh(&before.refresh).await);
        assert_eq!(claims(&after.access)["roles"], serde_json::json!([]));
        assert_eq!(origin.get_as("/me", &after.access).await.status, 200);
        assert_eq!(origin.get_as("/admin/revocations", &after.access).await.status, 403);
    }

    async fn a_refresh_at_the_moment_when_a_role_is_taken_keeps_no_such_token_alive(origin) {
        let before = origin.operator("ops@example.org").await;
        let (_, refreshed) = tokio::join!(
            change(origin, &before, &[], &["operator"]),
            async {
                let answer = origin.refresh(&before.refresh);
                tokio::select! {
                    answer = answer => Some(answer),
                    // It came second, and waits for the cut-off's second.
                    () = origin.wait_for_waiters(1) => None,
                }
            }
        );
        if let Some(answer) = refreshed {
            let tokens = Tokens::from(&answer);
            assert_ne!(origin.get_as("/admin/revocations", &tokens.access).await.status, 200);
        }
    }

    async fn users_are_listed_page_by_page_oldest_first(origin) {
        // All of one millisecond: their ids tell them apart.
        for name in ["ada", "bob", "eve"] {
            origin.register(&format!("{name}@example.org")).await;
        }
        let pool = &origin.app.pool;
        let whole = users::find_page(pool, None, 100).await.unwrap();
        assert_eq!(whole.len(), 3);
        let first = users::find_page(pool, None, 2).await.unwrap();
        let rest = users::find_page(pool, Some(&first[1].id), 2).await.unwrap();
        let paged: Vec<&str> = first.iter().chain(&rest).map(|user| user.id.as_str()).collect();
        let all: Vec<&str> = whole.iter().map(|user| user.id.as_str()).collect();
        assert_eq!(paged, all);
    }

    async fn what_is_no_role_or_no_reason_changes_nothing(origin) {
        let tokens = origin.user("ada@example.org").await;
        let id = id_of(&tokens);
        for role in ["", "Operator", "two words", "a\n", &"x".repeat(65)] {
            let add = [role.to_owned()];
            let roles = RolesChange { add: &add, remove: &[] };
            let refused = accounts::change_roles(&origin.app, &id, roles, &DEED).await;
            assert_eq!(refused.unwrap_err().code(), "invalid_role", "{role:?}");
        }
        let no_reason = Deed { reason: "", ..DEED };
        let refused = accounts::disable(&origin.app, &id, &no_reason).await;
        assert_eq!(refused.unwrap_err().code(), "invalid_reason");
        let nobody = accounts::delete(&origin.app, "nobody", &DEED).await;
        assert_eq!(nobody.unwrap_err().code(), "not_found");
        assert_eq!(origin.get_as("/me", &tokens.access).await.status, 200);
    }

    async fn a_log_in_whose_password_is_changed_while_it_is_checked_begins_no_session(origin) {
        origin.register("ada@example.org").await;
        let token = origin.reset_token("ada@example.org").await;
        let body = json!({"token": token, "new_password": "another horse of a test"});
        let old = json!({"email": "ada@example.org", "password": PASSWORD});
        // As many as the hashing takes at once: some are checked before, and begun after.
        let log_ins = (0..8).map(|_| origin.post("/login", &old));
        let reset = async {
            let answer = origin.post("/password/reset", &body).await;
            // Those who were checked before wait for the cut-off's second.
            origin.pass_cut_off();
            answer
        };
        let (reset, answers) = tokio::join!(reset, futures_util::future::join_all(log_ins));
        assert_eq!(reset.status, 200, "{reset:?}");
        for answer in answers.into_iter().filter(|answer| answer.status == 200) {
            let tokens = Tokens::from(&answer);
            assert_eq!(origin.get_as("/me", &tokens.access).await.status, 401);
            assert_eq!(origin.refresh(&tokens.refresh).await.status, 401);
        }
    }
}

on_both_stores! {
    with ["--verify-email", "on"];

    async fn who_registers_confirms_the_address_with_a_mailed_token(origin) {
        let tokens = origin.user("ada@example.org").await;
        assert_eq!(claims(&tokens.access)["email_verified"], false);
        let mails = origin.mails().await;
        assert_eq!(mails[0].subject, "Confirm your address");
        let body = json!({"token": mails[0].token().unwrap()});
        assert_eq!(origin.post("/email/verify", &body).await.status, 200);
        let again = origin.post("/email/verify", &body).await;
        assert_eq!((again.status, again.code()), (422, "invalid_mailed_token"));
        let refreshed = Tokens::from(&origin.refresh(&tokens.refresh).await);
        assert_eq!(claims(&refreshed.access)["email_verified"], true);
    }

    async fn a_token_for_one_purpose_is_good_for_no_other(origin) {
        origin.register("ada@example.org").await;
        let mails = origin.mails().await;
        let verifying = mails[0].token().unwrap();
        let body = json!({"token": verifying, "new_password": "another horse of a test"});
        let answer = origin.post("/password/reset", &body).await;
        assert_eq!(answer.code(), "invalid_mailed_token");
        let body = json!({"token": origin.reset_token("ada@example.org").await});
        let answer = origin.post("/email/verify", &body).await;
        assert_eq!(answer.code(), "invalid_mailed_token");
    }
}

fn id_of(tokens: &Tokens) -> String {
    claims(&tokens.access)["sub"].as_str().unwrap().to_owned()
}

async fn change(
    origin: &Origin,
    tokens: &Tokens,
    add: &[&str],
    remove: &[&str],
) -> accounts::RolesChanged {
    let owned = |roles: &[&str]| roles.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (add, remove) = (owned(add), owned(remove));
    let roles = RolesChange {
        add: &add,
        remove: &remove,
    };
    accounts::change_roles(&origin.app, &id_of(tokens), roles, &DEED)
        .await
        .unwrap()
}

async fn count(origin: &Origin, rows: &str) -> i64 {
    let statement = format!("SELECT COUNT(*) FROM {rows}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .fetch_one(&origin.app.pool)
        .await
        .unwrap()
}
