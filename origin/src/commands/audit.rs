//! `portcullis audit`: the audit log, newest first, with the filters of `GET /admin/audit`.

use clap::Args;

use crate::app::App;
use crate::audit_query::{AuditEvent, AuditQuery, DEFAULT_LIMIT, MAX_LIMIT};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  portcullis audit --event log_in_failed --from 2026-11-25T00:00:00Z
  portcullis audit --subject user:5eQ0… --limit 20
  portcullis audit --json | jq -r '.events[] | [.at, .event, .actor] | @tsv'")]
pub(super) struct AuditCommand {
    /// Only this event, e.g. `logged_in`, `password_reset`, `refresh_token_reused`.
    #[arg(long)]
    event: Option<String>,
    /// Only what this one did: `user:<id>`, `client:<id>` or `command-line`.
    #[arg(long)]
    actor: Option<String>,
    /// Only what is about this one: `user:<id>`, `session:<sid>`, ….
    #[arg(long)]
    subject: Option<String>,
    /// From this RFC 3339 time in UTC on.
    #[arg(long)]
    from: Option<String>,
    /// Before this RFC 3339 time in UTC.
    #[arg(long)]
    to: Option<String>,
    /// The `next` of the page before.
    #[arg(long, allow_hyphen_values = true)]
    cursor: Option<String>,
    /// Most events to show.
    #[arg(long, default_value_t = DEFAULT_LIMIT,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_LIMIT)))]
    limit: u32,
    /// Print JSON: `{events, next}`.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(app: &App, command: &AuditCommand) -> anyhow::Result<()> {
    let query = AuditQuery {
        event: command.event.as_deref(),
        actor: command.actor.as_deref(),
        subject: command.subject.as_deref(),
        from: command.from.as_deref(),
        to: command.to.as_deref(),
        cursor: command.cursor.as_deref(),
        limit: Some(command.limit),
    };
    let page = query.find(app).await?;
    if command.json {
        return super::print_line(&serde_json::to_string(&page)?);
    }
    for event in &page.events {
        super::print_line(&line(event))?;
    }
    match page.next {
        Some(next) => super::print_line(&format!("more: --cursor {next}")),
        None => Ok(()),
    }
}

fn line(event: &AuditEvent) -> String {
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let (actor, subject) = (shown(&event.actor), shown(&event.subject));
    let (address, reason) = (shown(&event.address), shown(&event.reason));
    let (at, name) = (&event.at, &event.event);
    format!("{at}  {name}  by {actor}  on {subject}  from {address}  {reason}")
}
