//! What mails say. Of what a user or a stranger wrote nothing is quoted: a mail from us must not
//! carry somebody else's words.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::iso_time;
use crate::store::mails::Mail;

/// A mail before it has an envelope.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) subject: &'static str,
    pub(super) body: SecretString,
}

/// What every letter of this origin needs to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letterhead<'a> {
    pub(super) issuer: &'a str,
    pub(super) mail: &'a Mail,
}

impl Letterhead<'_> {
    pub(super) fn reset_link(self, page: Option<&Url>, token: &SecretString) -> Letter {
        self.letter(
            "Set a new password",
            "Someone, probably you, asked for a new password for your account.",
            &format!(
                "{}\n\
                 It is good for one hour, and for one use. If you did not ask for it, do\n\
                 nothing: your password stays as it is.",
                way(page, token)
            ),
        )
    }

    pub(super) fn verify_email(self, page: Option<&Url>, token: &SecretString) -> Letter {
        self.letter(
            "Confirm your address",
            "Someone, probably you, registered with this address.",
            &format!(
                "{}\n\
                 It is good for one day, and for one use. If it was not you, do nothing.",
                way(page, token)
            ),
        )
    }

    pub(super) fn password_was_reset(self) -> Letter {
        self.letter(
            "Your password was set anew",
            "A new password was set for your account, with a mail that was sent to you.\n\
             Every device has been logged out.",
            "If it was not you, someone else reads your mail: secure your mailbox first,\n\
             then ask for another mail and set a new password.",
        )
    }

    pub(super) fn password_set(self) -> Letter {
        self.letter(
            "Your password was set by an operator",
            "A new password was set for your account, by those who run this server.\n\
             Every device has been logged out.",
            "If you did not expect it, ask them. To have a password that you alone know,\n\
             ask for a mail with which to set one.",
        )
    }

    pub(super) fn password_changed(self) -> Letter {
        self.letter(
            "Your password was changed",
            "The password of your account was changed, by someone who knew the old one.\n\
             Every other device has been logged out.",
            "If it was not you, set a new password at once: ask for a mail with which to\n\
             do so.",
        )
    }

    fn letter(self, subject: &'static str, what: &str, then: &str) -> Letter {
        let issuer = self.issuer;
        let at = iso_time::format(self.mail.created_at);
        let address = self.mail.cause_address.as_deref().unwrap_or("this server");
        let body =
            format!("{what}\n\nAccount at: {issuer}\nWhen: {at}\nFrom: {address}\n\n{then}\n");
        Letter {
            subject,
            body: body.into(),
        }
    }
}

/// The page if there is one. The token stands on a line of its own, so that it can be copied.
fn way(page: Option<&Url>, token: &SecretString) -> String {
    let token = token.expose_secret();
    match page {
        Some(page) => format!("Open this page:\n\n{page}#token={token}\n"),
        None => format!("This is the token for it:\n\n{token}\n"),
    }
}
