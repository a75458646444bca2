//! Table `audit_log`, read page by page with filters.

use shared::UnixSeconds;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, AssertSqlSafe, Row};

use super::audit::Event;
use super::in_time::InTime;
use super::{from_millis, to_millis};

/// What a reader asks for; `None` leaves a member out of it.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub event: Option<Event>,
    pub actor: Option<String>,
    pub subject: Option<String>,
    /// From this time on.
    pub from: Option<UnixSeconds>,
    /// Before this time.
    pub to: Option<UnixSeconds>,
    /// Older than this row.
    pub after: Option<Position>,
}

/// Where a row stands: newest first, and by its id among those of one millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub at: UnixSeconds,
    pub id: String,
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub position: Position,
    /// As it was written, by whichever version.
    pub event: String,
    pub actor: Option<String>,
    pub subject: Option<String>,
    pub address: Option<String>,
    pub detail: Option<String>,
    pub revocation_id: Option<String>,
}

enum Value<'a> {
    Text(&'a str),
    Millis(UnixSeconds),
}

impl Filter {
    /// Conditions, each with a `$` for every value of it.
    fn conditions(&self) -> Vec<(&'static str, Vec<Value<'_>>)> {
        let mut conditions = Vec::new();
        for (condition, value) in [
            ("event = $", self.event.map(Event::as_str)),
            ("actor = $", self.actor.as_deref()),
            ("subject = $", self.subject.as_deref()),
        ] {
            conditions.extend(value.map(|text| (condition, vec![Value::Text(text)])));
        }
        for (condition, value) in [("at >= $", self.from), ("at < $", self.to)] {
            conditions.extend(value.map(|at| (condition, vec![Value::Millis(at)])));
        }
        conditions.extend(self.after.as_ref().map(|position| {
            let values = vec![Value::Millis(position.at), Value::Text(&position.id)];
            ("(at, id) < ($, $)", values)
        }));
        conditions
    }
}

/// The newest first. What is written into the statement is ours; what was asked for is bound.
pub async fn find_page(pool: &AnyPool, filter: &Filter, count: u32) -> sqlx::Result<Vec<Entry>> {
    let (statement, values) = statement(filter);
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for value in values {
        query = match value {
            Value::Text(text) => query.bind(text.to_owned()),
            Value::Millis(at) => query.bind(to_millis(at)),
        };
    }
    query
        .bind(i64::from(count))
        .try_map(|row| entry(&row))
        .fetch_all(pool)
        .in_time()
        .await
}

/// The statement, and what is to be bound to it before the count.
fn statement(filter: &Filter) -> (String, Vec<Value<'_>>) {
    let mut text = String::from(
        "SELECT id, at, event, actor, subject, address, detail, revocation_id FROM audit_log",
    );
    let mut values = Vec::new();
    for (condition, bound) in filter.conditions() {
        text += if values.is_empty() {
            " WHERE "
        } else {
            " AND "
        };
        let mut parts = condition.split('$');
        text += parts.next().unwrap_or_default();
        for (value, part) in bound.into_iter().zip(parts) {
            values.push(value);
            text += &numbered(values.len());
            text += part;
        }
    }
    text += " ORDER BY at DESC, id DESC LIMIT ";
    text += &numbered(values.len() + 1);
    (text, values)
}

fn numbered(number: usize) -> String {
    format!("${number}")
}

fn entry(row: &AnyRow) -> sqlx::Result<Entry> {
    Ok(Entry {
        position: Position {
            at: from_millis(row.try_get("at")?),
            id: row.try_get("id")?,
        },
        event: row.try_get("event")?,
        actor: row.try_get("actor")?,
        subject: row.try_get("subject")?,
        address: row.try_get("address")?,
        detail: row.try_get("detail")?,
        revocation_id: row.try_get("revocation_id")?,
    })
}
