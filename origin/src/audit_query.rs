//! A question to the audit log and its answer, as HTTP and the command line have them: filters, a
//! page, and a cursor that names the last row of it.

use serde::Serialize;
use shared::UnixSeconds;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ApiError;
use crate::iso_time;
use crate::store::audit::Event;
use crate::store::audit_pages::{self, Entry, Filter, Position};

pub const DEFAULT_LIMIT: u32 = 100;
pub const MAX_LIMIT: u32 = 1000;
const MAX_NAME_BYTES: usize = 300;

/// As it was asked; nothing of it has been checked.
#[derive(Debug, Default)]
pub struct AuditQuery<'a> {
    pub event: Option<&'a str>,
    pub actor: Option<&'a str>,
    pub subject: Option<&'a str>,
    /// RFC 3339 in UTC: from this time on.
    pub from: Option<&'a str>,
    /// RFC 3339 in UTC: before this time.
    pub to: Option<&'a str>,
    /// The `next` of the page before.
    pub cursor: Option<&'a str>,
    pub limit: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage {
    pub events: Vec<AuditEvent>,
    /// Null: there is no more.
    pub next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEvent {
    pub id: String,
    /// RFC 3339 in UTC.
    pub at: String,
    /// What happened, as `logged_in`.
    pub event: String,
    /// Who did it: `user:{id}`, `client:{id}`, `command-line` or `schedule`. Null: nobody knows.
    pub actor: Option<String>,
    /// Whom or what it is about: `user:{id}`, `session:{sid}`, `client:{id}`, `key:{kid}`; where nobody
    /// was logged in, `account:` and a hash of the e-mail address.
    pub subject: Option<String>,
    /// Where the request came from. Null: from the command line.
    pub address: Option<String>,
    /// Why, in the words of whoever did it, or what else is known of it: the roles of a new account, or
    /// a code as `wrong_secret`. Null: no more is known.
    pub reason: Option<String>,
    /// The revocation that it made, if it made one.
    pub revocation_id: Option<String>,
}

impl AuditQuery<'_> {
    pub async fn find(&self, app: &App) -> Result<AuditPage, ApiError> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(ApiError::InvalidQuery);
        }
        // One more than is shown says whether there is more.
        let mut found = audit_pages::find_page(&app.pool, &self.filter()?, limit + 1).await?;
        let has_more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found
            .last()
            .filter(|_| has_more)
            .map(|last| cursor(&last.position));
        Ok(AuditPage {
            events: found.into_iter().map(event).collect(),
            next,
        })
    }

    fn filter(&self) -> Result<Filter, ApiError> {
        Ok(Filter {
            event: parse(self.event, Event::parse)?,
            actor: parse(self.actor, parse_name)?,
            subject: parse(self.subject, parse_name)?,
            from: parse(self.from, iso_time::parse)?,
            to: parse(self.to, iso_time::parse)?,
            after: parse(self.cursor, parse_cursor)?,
        })
    }
}

fn parse<T>(text: Option<&str>, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, ApiError> {
    text.map(|text| parse(text).ok_or(ApiError::InvalidQuery))
        .transpose()
}

/// `user:5eQ0…` and its like.
fn parse_name(text: &str) -> Option<String> {
    let plain = (1..=MAX_NAME_BYTES).contains(&text.len()) && !text.contains(char::is_control);
    plain.then(|| text.to_owned())
}

fn cursor(position: &Position) -> String {
    format!("{}-{}", position.at.as_millis(), position.id)
}

fn parse_cursor(text: &str) -> Option<Position> {
    /// The last millisecond that every store can compare.
    const MAX_MILLIS: u64 = i64::MAX.cast_unsigned();
    let (millis, id) = text.split_once('-')?;
    let millis = millis.parse().ok().filter(|millis| *millis <= MAX_MILLIS)?;
    Some(Position {
        at: UnixSeconds::from_millis(millis),
        id: parse_name(id)?,
    })
}

fn event(entry: Entry) -> AuditEvent {
    AuditEvent {
        id: entry.position.id,
        at: iso_time::format(entry.position.at),
        event: entry.event,
        actor: entry.actor,
        subject: entry.subject,
        address: entry.address,
        reason: entry.detail,
        revocation_id: entry.revocation_id,
    }
}
