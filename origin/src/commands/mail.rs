//! `portcullis mail`: the outbox. What a mail says is not in it.

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::App;
use crate::error::ApiError;
use crate::iso_time;
use crate::mail::patience_secs;
use crate::store::mails::{self, Mail, Outcome, Which};

#[derive(Debug, Args)]
pub(super) struct MailCommand {
    #[command(subcommand)]
    action: MailAction,
}

#[derive(Debug, Subcommand)]
enum MailAction {
    /// List the mails that wait, newest first.
    #[command(after_help = "Examples:
  portcullis mail list
  portcullis mail list --all --json | jq '.[] | select(.outcome == \"given_up\")'")]
    List(ListMails),
    /// Let a running origin try again at once; a mail that was given up gets its time again.
    #[command(after_help = "Example: portcullis mail retry Yx3…")]
    Retry(RetryMail),
}

#[derive(Debug, Args)]
struct ListMails {
    /// Those that are over as well.
    #[arg(long)]
    all: bool,
    /// Most mails to list.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RetryMail {
    /// The mail's id, as `mail list` has it.
    #[arg(allow_hyphen_values = true)]
    id: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(app: &App, command: &MailCommand) -> anyhow::Result<()> {
    match &command.action {
        MailAction::List(list) => list_mails(app, list).await,
        MailAction::Retry(retry) => retry_mail(app, retry).await,
    }
}

async fn list_mails(app: &App, list: &ListMails) -> anyhow::Result<()> {
    let which = if list.all { Which::All } else { Which::Waiting };
    let mails = mails::find_newest(&app.pool, which, list.limit).await?;
    if list.json {
        let shown: Vec<Value> = mails.iter().map(describe).collect();
        return super::print_line(&Value::from(shown).to_string());
    }
    mails
        .iter()
        .try_for_each(|mail| super::print_line(&line(mail)))
}

async fn retry_mail(app: &App, retry: &RetryMail) -> anyhow::Result<()> {
    let mail = mails::find(&app.pool, &retry.id)
        .await?
        .ok_or(ApiError::NotFound)
        .context("there is no such mail")?;
    let now = app.clock.now();
    let give_up_at = now.plus_secs(patience_secs(mail.kind));
    mails::make_due(&app.pool, &mail.id, give_up_at, now)
        .await?
        .ok_or(ApiError::NotFound)
        .context("this mail is over, and was not given up")?;
    if retry.json {
        return super::print_line(&json!({ "id": mail.id }).to_string());
    }
    super::print_line(&format!("{} is due", mail.id))
}

fn describe(mail: &Mail) -> Value {
    json!({
        "id": mail.id,
        "kind": mail.kind.as_str(),
        "recipient": mail.recipient,
        "created_at": iso_time::format(mail.created_at),
        "give_up_at": iso_time::format(mail.give_up_at),
        "attempts": mail.attempts,
        "next_attempt_at": iso_time::format(mail.next_attempt_at),
        "last_error": mail.last_error,
        "outcome": mail.outcome.map(Outcome::as_str),
        "ended_at": mail.ended_at.map(iso_time::format),
    })
}

fn line(mail: &Mail) -> String {
    let outcome = mail.outcome.map_or("waiting", Outcome::as_str);
    let recipient = mail.recipient.as_deref().unwrap_or("-");
    let error = mail.last_error.as_deref().unwrap_or_default();
    let (id, kind, attempts) = (&mail.id, mail.kind.as_str(), mail.attempts);
    format!("{id}  {outcome}  {kind}  {recipient}  {attempts} attempts  {error}")
        .trim_end()
        .to_owned()
}
