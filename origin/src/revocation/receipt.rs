//! The receipt of a revocation: how far it has come, and by when it holds everywhere.

use serde::{Serialize, Serializer};
use shared::{Scope, UnixSeconds};
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ApiError;
use crate::iso_time;
use crate::store::receipts::{self, Travel};
use crate::store::revocations::{self, NewRevocation, RevocationRow};

/// A revocation, how far it has come, and by when it holds everywhere. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Receipt {
    /// Ask `/revocations/{id}` for the receipt as it is by then.
    pub id: String,
    /// What is revoked: `token`, `session`, `user` or `issuer`.
    #[schema(value_type = String)]
    pub scope: Scope,
    /// From here on this origin refuses what is revoked.
    #[serde(serialize_with = "iso")]
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: UnixSeconds,
    /// When Redis was known to have it. Null: not yet, or there is no Redis.
    #[serde(serialize_with = "iso_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cached_at: Option<UnixSeconds>,
    /// The first list with it. Null until that list is made.
    pub version: Option<u64>,
    /// When KV was known to hold that list or a newer one. Null: not yet, or there is no KV.
    #[serde(serialize_with = "iso_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delivered_at: Option<UnixSeconds>,
    /// When an edge first said that it has that list or a newer one. Null: none did yet.
    #[serde(serialize_with = "iso_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen_at_edge_at: Option<UnixSeconds>,
    /// The latest time at which what is revoked can pass an edge, whatever fails from here on: when the
    /// last list without it dies.
    #[serde(serialize_with = "iso")]
    #[schema(value_type = String, format = DateTime)]
    pub effective_by: UnixSeconds,
    pub status: Progress,
}

/// How far a revocation has come: into the database, into a list, into KV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    Recorded,
    Published,
    Delivered,
}

impl Receipt {
    pub(super) fn recorded(new: &NewRevocation, effective_by: UnixSeconds) -> Self {
        Self {
            id: new.id.clone(),
            scope: new.scope,
            recorded_at: new.recorded_at,
            cached_at: None,
            version: None,
            delivered_at: None,
            seen_at_edge_at: None,
            effective_by,
            status: Progress::Recorded,
        }
    }
}

/// `None`: there is no such revocation, or it is none of the reader's business.
pub async fn find_receipt(
    app: &App,
    id: &str,
    reader: &Reader<'_>,
) -> Result<Option<Receipt>, ApiError> {
    match revocations::find(&app.pool, id).await? {
        Some(row) if reader.may_read(&row) => Ok(Some(build_receipt(app, row).await?)),
        _ => Ok(None),
    }
}

/// Whoever caused a revocation may read its receipt; operators may read every one.
#[derive(Debug)]
pub enum Reader<'a> {
    Operator,
    Actor(&'a str),
}

impl Reader<'_> {
    fn may_read(&self, row: &RevocationRow) -> bool {
        match self {
            Self::Operator => true,
            Self::Actor(actor) => *actor == row.actor,
        }
    }
}

async fn build_receipt(app: &App, row: RevocationRow) -> Result<Receipt, ApiError> {
    let travel = match row.version {
        Some(version) => receipts::find_travel(&app.pool, version).await?,
        None => Travel::default(),
    };
    let effective_by = match travel.predecessors_end_at {
        // A fact. Where no list had gone out before, it held at once.
        Some(end) => end.max(row.recorded_at),
        None => super::effective_by(
            app,
            receipts::find_lists_end(&app.pool).await?,
            app.clock.now(),
        ),
    };
    Ok(Receipt {
        id: row.id,
        scope: row.scope,
        recorded_at: row.recorded_at,
        cached_at: row.cached_at,
        version: row.version,
        delivered_at: travel.delivered_at,
        seen_at_edge_at: travel.seen_at_edge_at,
        effective_by,
        status: match (row.version, travel.delivered_at) {
            (None, _) => Progress::Recorded,
            (Some(_), None) => Progress::Published,
            (Some(_), Some(_)) => Progress::Delivered,
        },
    })
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that serde asks for"
)]
fn iso<S: Serializer>(at: &UnixSeconds, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&iso_time::format(*at))
}

#[expect(clippy::ref_option, reason = "the shape that serde asks for")]
fn iso_or_null<S: Serializer>(at: &Option<UnixSeconds>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(iso_time::format).serialize(serializer)
}
