//! The outbox: nothing is lost, nothing waits for a mail server, and nothing that was typed into a
//! form gets into a mail's head.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use origin::clock::Clock;
use origin::config::MailWay;
use origin::mail::{Step, Transport};
use origin::store::mails;
use serde_json::json;

use crate::harness::{Origin, SmtpServer, assert_text, nobody_listens, on_both_stores};

on_both_stores! {
    async fn a_mail_goes_to_the_mail_server_with_our_headers_only(origin) {
        let server = SmtpServer::start("250 taken").await;
        origin.register("ada@example.org").await;
        forget(origin, "ada@example.org").await;
        assert_eq!(origin.send_mail(&server.transport()).await, Step::Sent);
        let message = server.last_message();
        let names: Vec<&str> = message
            .split("\r\n\r\n")
            .next()
            .unwrap()
            .lines()
            .filter_map(|line| line.split_once(':').map(|(name, _)| name))
            .collect();
        assert_text!(names.join(" "), @"From To Subject Date Message-ID Auto-Submitted Content-Type Content-Transfer-Encoding");
        assert!(message.contains("To: ada@example.org\r\n"), "{message}");
        assert_eq!(origin.send_mail(&server.transport()).await, Step::NothingDue);
    }

    async fn a_server_that_fails_is_tried_again_after_a_pause_until_the_time_is_over(origin) {
        let server = SmtpServer::start("451 later").await;
        let transport = server.transport();
        origin.register("ada@example.org").await;
        forget(origin, "ada@example.org").await;
        assert_eq!(origin.send_mail(&transport).await, Step::PutBack);
        assert_eq!(origin.send_mail(&transport).await, Step::NothingDue);
        origin.advance(Duration::from_secs(15));
        assert_eq!(origin.send_mail(&transport).await, Step::PutBack);
        server.reply("250 taken");
        origin.advance(Duration::from_secs(15));
        assert_eq!(origin.send_mail(&transport).await, Step::NothingDue);
        origin.advance(Duration::from_secs(15));
        assert_eq!(origin.send_mail(&transport).await, Step::Sent);

        server.reply("451 later");
        forget(origin, "ada@example.org").await;
        assert_eq!(origin.send_mail(&transport).await, Step::PutBack);
        origin.advance(Duration::from_hours(1));
        assert_eq!(origin.send_mail(&transport).await, Step::GivenUp);
        assert_eq!(state(origin).await, "given_up mail_server_failed");
    }

    async fn a_recipient_that_the_server_refuses_is_given_up_at_once(origin) {
        let server = SmtpServer::start("550 nobody of this name").await;
        origin.register("ada@example.org").await;
        forget(origin, "ada@example.org").await;
        assert_eq!(origin.send_mail(&server.transport()).await, Step::GivenUp);
        assert_eq!(state(origin).await, "given_up recipient_refused");
    }

    async fn a_server_that_is_away_is_a_reason_to_wait(origin) {
        let (_held, address) = nobody_listens();
        let transport = Transport::open(&MailWay::Smtp(format!("smtp://{address}").into())).unwrap();
        origin.register("ada@example.org").await;
        forget(origin, "ada@example.org").await;
        assert_eq!(origin.send_mail(&transport).await, Step::PutBack);
        assert_eq!(state(origin).await, "waiting mail_server_failed");
    }

    async fn a_silent_server_delays_no_request(origin) {
        let server = SmtpServer::silent().await;
        let transport = server.transport();
        origin.register("ada@example.org").await;
        forget(origin, "ada@example.org").await;
        let sending = origin.send_mail(&transport);
        tokio::select! {
            step = sending => panic!("a silent server has {step:?}"),
            () = async {
                server.wait_for_client().await;
                forget(origin, "ada@example.org").await;
                origin.log_in("ada@example.org").await;
            } => {}
        }
    }

    async fn one_sender_at_a_time_has_a_mail_and_after_its_lease_the_next(origin) {
        origin.register("ada@example.org").await;
        forget(origin, "ada@example.org").await;
        let now = origin.clock.now();
        let pool = &origin.app.pool;
        let claim = |now| mails::claim_due(pool, now, now.plus_secs(120));
        let (one, two) = tokio::join!(claim(now), claim(now));
        let claimed: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
        assert_eq!(claimed.len(), 1, "{claimed:?}");
        // Its sender is killed here; what it may have sent is sent again.
        assert!(origin.mails().await.is_empty());
        origin.advance(Duration::from_mins(2));
        assert_eq!(origin.mails().await.len(), 1);
        // The one that was killed comes back to life: it changes nothing.
        mails::put_back(pool, &claimed[0], "mail_server_slow", now).await.unwrap();
        assert!(origin.mails().await.is_empty());
    }

    async fn a_mail_that_was_put_into_a_folder_is_for_its_owner_only(origin) {
        origin.register("ada@example.org").await;
        forget(origin, "ada@example.org").await;
        let MailWay::Folder(folder) = &origin.app.config.mail.way else { panic!() };
        assert_eq!(origin.send_mail(&Transport::open(&origin.app.config.mail.way).unwrap()).await, Step::Sent);
        let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
        assert_eq!(file.path().extension().unwrap(), "eml");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    async fn a_folder_that_cannot_be_written_loses_no_mail(origin) {
        origin.register("ada@example.org").await;
        forget(origin, "ada@example.org").await;
        let file = tempfile::NamedTempFile::new().unwrap();
        let blocked = Transport::Folder(file.path().join("mail"));
        assert_eq!(origin.send_mail(&blocked).await, Step::PutBack);
        assert_eq!(state(origin).await, "waiting mail_folder_unwritable");
        origin.advance(Duration::from_secs(15));
        assert_eq!(origin.mails().await.len(), 1);
    }

    async fn a_mail_says_when_and_from_where_and_quotes_nobody(origin) {
        let body = json!({"email": "ada@example.org", "password": crate::harness::PASSWORD, "name": "Click http://evil.example"});
        assert_eq!(origin.post("/register", &body).await.status, 201);
        forget(origin, "ada@example.org").await;
        let mails = origin.mails().await;
        let text = mails[0].body.replace(mails[0].token().unwrap(), "<token>");
        let at = text.lines().find(|line| line.starts_with("When: ")).unwrap();
        let text = text.replace(at, "When: <time>").replace("\r\n", "\n");
        assert_text!(text, @r"
        Someone, probably you, asked for a new password for your account.

        Account at: https://origin.example
        When: <time>
        From: unknown

        This is the token for it:

        <token>

        It is good for one hour, and for one use. If you did not ask for it, do
        nothing: your password stays as it is.
        ");
    }
}

#[tokio::test]
async fn a_page_of_ones_own_is_linked_with_the_token_where_no_server_sees_it() {
    let page = ["--reset-page", "https://app.example/reset?lang=en"];
    crate::harness::with_sqlite_and(&page, async |origin| {
        origin.register("ada@example.org").await;
        forget(&origin, "ada@example.org").await;
        let mails = origin.mails().await;
        let link = "https://app.example/reset?lang=en#token=";
        // Quoted-printable: its line is longer than a mail's may be.
        let body = mails[0].body.replace("=\r\n", "").replace("=3D", "=");
        let (_, token) = body.split_once(link).unwrap();
        assert_eq!(token.lines().next().unwrap().len(), 43);
    })
    .await;
}

async fn forget(origin: &Origin, email: &str) {
    let answer = origin
        .post("/password/forgot", &json!({"email": email}))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// What became of the newest mail, and its last error.
async fn state(origin: &Origin) -> String {
    let newest = mails::find_newest(&origin.app.pool, mails::Which::All, 1)
        .await
        .unwrap()
        .remove(0);
    let outcome = newest.outcome.map_or("waiting", mails::Outcome::as_str);
    format!("{outcome} {}", newest.last_error.unwrap_or_default())
}
