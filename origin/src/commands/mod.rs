//! The subcommands of `portcullis`, and what they share: settings, exit codes, output.

mod audit;
pub mod client;
mod doctor;
mod keys;
mod list;
mod list_verify;
mod mail;
mod migrate;
mod published;
mod revoke;
mod serve;
pub mod user;

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::audit::AuditCommand;
use self::client::ClientCommand;
use self::doctor::DoctorCommand;
use self::keys::KeysCommand;
use self::list::{ListAction, ListCommand};
use self::mail::MailCommand;
use self::migrate::MigrateCommand;
use self::revoke::RevokeCommand;
use self::user::UserCommand;
use crate::app::App;
use crate::clients::ClientError;
use crate::clock::SystemClock;
use crate::config::{Config, ConfigError, ConfigErrors, Settings};
use crate::error::ApiError;
use crate::keys::KeysError;
use crate::keys::rotation::RotationError;
use crate::private_file::{self, OthersMay};

const EXAMPLES: &str = "\
Examples:
  portcullis serve
  portcullis serve --listen 0.0.0.0:8085 --issuer https://id.example.org
  DATABASE_URL=postgres://portcullis@db/portcullis REDIS_URL=redis://cache portcullis serve
  portcullis keys show
  portcullis revoke --scope user --name 5eQ0… --reason 'account taken over'
  portcullis list show
  portcullis list verify
  portcullis doctor

Exit codes: 0 done; 1 it failed while running; 2 the command line or the configuration is wrong.";

const FAILED: u8 = 1;
const MISUSED: u8 = 2;
/// Until stderr takes the last word.
const ERROR_MAY_TAKE: Duration = Duration::from_secs(2);

/// Issues tokens, takes revocations, and gets them to every edge within a stated time.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the origin.
    #[command(after_help = "Example: portcullis serve --listen 127.0.0.1:8085\n\n\
                            Ends on SIGTERM or SIGINT once requests are finished; a second signal \
                            ends it at once.")]
    Serve,
    /// Bring the database's schema up to date.
    #[command(after_help = "Example: DATABASE_URL=postgres://… portcullis migrate --json")]
    Migrate(MigrateCommand),
    /// The signing keys.
    Keys(KeysCommand),
    /// Revoke a token, a session, a user's tokens, or all of an issuer's.
    Revoke(RevokeCommand),
    /// The published list.
    List(ListCommand),
    /// Accounts.
    User(UserCommand),
    /// OAuth clients.
    Client(ClientCommand),
    /// Check the configuration and everything it depends on.
    Doctor(DoctorCommand),
    /// The mail that is on its way.
    Mail(MailCommand),
    /// What happened: who, what, when, from where, why.
    Audit(AuditCommand),
}

impl Cli {
    /// Reads the command line; settings may stand before or after the subcommand.
    #[must_use]
    pub fn from_command_line() -> Self {
        let matches = Self::command()
            .mut_args(|setting| setting.global(true))
            .get_matches();
        // `exit` is clap's own way to end with its message and code.
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Runs the command; whatever went wrong is on stderr by the time this returns.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.try_run() {
            Ok(()) => ExitCode::SUCCESS,
            // As `head` does once it has what it wants.
            Err(error) if is_nobody_reading(&error) => ExitCode::SUCCESS,
            Err(error) => {
                report(&error);
                ExitCode::from(exit_code(&error))
            }
        }
    }

    fn try_run(self) -> anyhow::Result<()> {
        let config = self.settings.validate()?;
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(self.command.run(config))
    }
}

impl Command {
    async fn run(self, config: Config) -> anyhow::Result<()> {
        prepare_folder(&config.stores.data_dir)?;
        match self {
            Self::Serve => serve::serve(config).await,
            Self::Migrate(command) => migrate::migrate(&config, &command).await,
            Self::Keys(command) => {
                let config = published::adopt(config).await?;
                keys::run(&open(config).await?, &command).await
            }
            Self::Revoke(revoke) => {
                let config = published::adopt(config).await?;
                revoke::revoke(&open(config).await?, &revoke).await
            }
            Self::List(ListCommand {
                action: ListAction::Show(show),
            }) => list::show(&config, &show).await,
            Self::List(ListCommand {
                action: ListAction::Verify(verify),
            }) => {
                let config = published::adopt(config).await?;
                list_verify::verify(&config, &verify).await
            }
            Self::Doctor(command) => doctor::run(&config, &command).await,
            Self::User(command) => {
                let config = published::adopt(config).await?;
                user::run(&open(config).await?, command).await
            }
            Self::Mail(command) => mail::run(&open(config).await?, &command).await,
            Self::Audit(command) => audit::run(&open(config).await?, &command).await,
            Self::Client(command) => client::run(&open(config).await?, command).await,
        }
    }
}

/// Whoever may write to the folder may put a key of their own in the place of ours.
fn prepare_folder(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    private_file::create_folder(folder)
        .with_context(|| format!("cannot make the folder {shown} (PORTCULLIS_DATA_DIR)"))?;
    let others = private_file::what_others_may(folder)
        .with_context(|| format!("cannot look at the folder {shown} (PORTCULLIS_DATA_DIR)"))?;
    if others == OthersMay::Write {
        bail!(Misuse(format!(
            "others than the owner may write to the folder {shown} (PORTCULLIS_DATA_DIR), where \
             keys lie: chmod o-w {shown}"
        )));
    }
    Ok(())
}

/// Keys and stores, for a command that does one thing and ends.
async fn open(config: Config) -> anyhow::Result<App> {
    let keys = crate::keys::load_or_create(&config)?;
    Ok(App::open(config, keys, Arc::new(SystemClock)).await?)
}

/// The error with its causes on one line; of the configuration every error on a line of its own. A pipe
/// that is full, by this thread or by that of the log, does not keep the process from ending.
fn report(error: &anyhow::Error) {
    let text = match error.downcast_ref::<ConfigErrors>() {
        Some(errors) => errors.to_string(),
        None => format!("{error:#}"),
    };
    let (said, heard) = mpsc::channel();
    thread::spawn(move || {
        for line in text.lines() {
            eprintln!("error: {line}");
        }
        said.send(())
    });
    // Where nobody reads stderr this is all that can be done.
    let _ = heard.recv_timeout(ERROR_MAY_TAKE);
}

/// What the caller has to say otherwise.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misuse(String);

fn exit_code(error: &anyhow::Error) -> u8 {
    let is_misuse = error.is::<Misuse>()
        || error.is::<ConfigErrors>()
        || error.is::<ConfigError>()
        || error
            .downcast_ref::<KeysError>()
            .is_some_and(KeysError::is_configuration)
        || error
            .downcast_ref::<ClientError>()
            .is_some_and(ClientError::is_misuse)
        || error
            .downcast_ref::<RotationError>()
            .is_some_and(RotationError::is_misuse)
        // What an API would answer with 4xx: here the command line is the request.
        || error
            .downcast_ref::<ApiError>()
            .is_some_and(|error| error.status().is_client_error());
    if is_misuse { MISUSED } else { FAILED }
}

/// Whether all that failed is that whoever read our output went away. What may not be lost comes with
/// a context that says so.
fn is_nobody_reading(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<io::Error>();
    error.chain().len() == 1 && cause.is_some_and(|cause| cause.kind() == ErrorKind::BrokenPipe)
}

/// One line on standard output, for the next program to read.
fn print_line(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout(), "{line}")?)
}
