//! The mailbox folder of the origin under test: its mails are sent by hand and taken out.

use origin::config::MailWay;
use origin::mail::{Step, Transport, send_next};
use serde_json::json;

use super::Origin;

#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) body: String,
}

impl Mail {
    fn parse(raw: &str) -> Self {
        let (head, body) = raw.split_once("\r\n\r\n").unwrap();
        let header = |name: &str| {
            let lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
            let mut values = lines.filter(|(there, _)| *there == name);
            let (_, value) = values.next().unwrap_or_else(|| panic!("no {name}: {raw}"));
            assert!(values.next().is_none(), "{name} twice: {raw}");
            value.to_owned()
        };
        Self {
            to: header("To"),
            subject: header("Subject"),
            body: body.to_owned(),
        }
    }

    /// The token, which has a line of its own.
    pub(crate) fn token(&self) -> Option<&str> {
        self.body.lines().find(|line| line.len() == 43)
    }
}

impl Origin {
    /// Sends what is due, and takes what has been sent until now out of the folder.
    pub(crate) async fn mails(&self) -> Vec<Mail> {
        let MailWay::Folder(folder) = &self.app.config.mail.way else {
            panic!("this origin has no mail folder");
        };
        let transport = Transport::open(&self.app.config.mail.way).unwrap();
        while self.send_mail(&transport).await != Step::NothingDue {}
        let Ok(files) = std::fs::read_dir(folder) else {
            return Vec::new();
        };
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        let take = |path: &std::path::PathBuf| {
            let raw = std::fs::read_to_string(path).unwrap();
            std::fs::remove_file(path).unwrap();
            Mail::parse(&raw)
        };
        paths.iter().map(take).collect()
    }

    pub(crate) async fn send_mail(&self, transport: &Transport) -> Step {
        use origin::clock::Clock;
        send_next(&self.app, transport, self.clock.now())
            .await
            .unwrap()
    }

    /// Asks for a new password and takes the token from the mail.
    pub(crate) async fn reset_token(&self, email: &str) -> String {
        let answer = self
            .post("/password/forgot", &json!({"email": email}))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let mails = self.mails().await;
        let mail = mails.iter().find(|mail| mail.token().is_some());
        mail.and_then(Mail::token).unwrap().to_owned()
    }
}
