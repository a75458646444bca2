//! `portcullis list`: the published list, as the database has it (`show`) and as edges get it (see
//! `list_verify`).

use clap::{Args, Subcommand};
use serde::Serialize;
use shared::UnixSeconds;

use super::list_verify::{VERIFY_HELP, VerifyList};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::iso_time;
use crate::store;
use crate::store::list::{self, ListSummary};
use crate::store::segments::{self, SegmentRow};

#[derive(Debug, Args)]
pub(super) struct ListCommand {
    #[command(subcommand)]
    pub(super) action: ListAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum ListAction {
    /// Show the newest list: version, age, end, sizes, and what waits to be published.
    #[command(after_help = "Example: portcullis list show --json | jq .age_secs")]
    Show(ShowList),
    /// Read the list as edges do, from KV and from the origin, and hold it against the database.
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyList),
}

#[derive(Debug, Args)]
pub(super) struct ShowList {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    version: u64,
    issued_at: String,
    age_secs: f64,
    expires_at: String,
    state: State,
    tail_bytes: u64,
    segments: usize,
    segment_entries: u64,
    unpublished: u64,
    delivered_at: Option<String>,
    seen_at_edge_at: Option<String>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Alive,
    /// No edge decides by it any more.
    Ended,
}

pub(super) async fn show(config: &Config, command: &ShowList) -> anyhow::Result<()> {
    let pool = store::open(&config.stores.database_url).await?;
    store::migrate(&pool).await?;
    let now = SystemClock.now();
    let Some(newest) = list::find_summary(&pool).await? else {
        anyhow::bail!("no list has been published yet: is `portcullis serve` running?");
    };
    let live = segments::list_live(&pool, now).await?;
    let shown = describe(&newest, &live, now);
    if command.json {
        return super::print_line(&serde_json::to_string(&shown)?);
    }
    print_table(&shown)
}

fn describe(newest: &ListSummary, live: &[SegmentRow], now: UnixSeconds) -> Shown {
    Shown {
        version: newest.version,
        issued_at: iso_time::format(newest.issued_at),
        age_secs: now.secs_since(newest.issued_at),
        expires_at: iso_time::format(newest.expires_at),
        state: if now < newest.expires_at {
            State::Alive
        } else {
            State::Ended
        },
        tail_bytes: newest.tail_bytes,
        segments: live.len(),
        segment_entries: live.iter().map(|segment| segment.count).sum(),
        unpublished: newest.unpublished,
        delivered_at: newest.delivered_at.map(iso_time::format),
        seen_at_edge_at: newest.seen_at_edge_at.map(iso_time::format),
    }
}

fn print_table(shown: &Shown) -> anyhow::Result<()> {
    let not_yet = || "not yet".to_owned();
    let state = match shown.state {
        State::Alive => "alive",
        State::Ended => "ended: no edge decides by it",
    };
    let rows = [
        ("version", shown.version.to_string()),
        (
            "issued",
            format!("{} ({:.1} s ago)", shown.issued_at, shown.age_secs),
        ),
        ("ends", format!("{} ({state})", shown.expires_at)),
        ("tail", format!("{} bytes", shown.tail_bytes)),
        (
            "segments",
            format!("{} with {} entries", shown.segments, shown.segment_entries),
        ),
        ("unpublished", shown.unpublished.to_string()),
        ("in KV", shown.delivered_at.clone().unwrap_or_else(not_yet)),
        (
            "at an edge",
            shown.seen_at_edge_at.clone().unwrap_or_else(not_yet),
        ),
    ];
    for (name, value) in rows {
        super::print_line(&format!("{name:<12} {value}"))?;
    }
    Ok(())
}
