//! A private Postgres: its own data folder, a free port on loopback, a password nobody else has.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::certificate::Certificate;
use crate::postgres_programs::Programs;
use crate::process::Process;
use crate::{poll, port, reaper, secret};

const USER: &str = "portcullis";
const PATIENCE: Duration = Duration::from_secs(90);

/// Whether a commit survives a power cut. A test's data need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    AsInProduction,
    Throwaway,
}

#[derive(Debug)]
pub struct Postgres {
    process: Process,
    programs: Programs,
    data: TempDir,
    log: PathBuf,
    port: u16,
    password: String,
    durability: Durability,
}

impl Postgres {
    /// Starts an empty server; its log goes into `logs`.
    pub async fn start(logs: &Path, durability: Durability) -> anyhow::Result<Self> {
        let programs = Programs::find()?;
        let data = make_data_folder(&programs)?;
        let password = secret::generate()?;
        initialise(&programs, data.path(), &password)?;
        let port = port::find_free()?;
        let log = logs.join("postgres.log");
        let process = run_server(&programs, data.path(), &log, port, durability)?;
        let mut postgres = Self {
            process,
            programs,
            data,
            log,
            port,
            password,
            durability,
        };
        postgres.wait_until_ready().await?;
        Ok(postgres)
    }

    /// The server's own database, in which others can be made.
    #[must_use]
    pub fn url(&self) -> String {
        self.database_url("postgres")
    }

    /// Makes a database and returns its URL.
    pub fn create_database(&self, name: &str) -> anyhow::Result<String> {
        self.query("postgres", &format!("CREATE DATABASE \"{name}\""))?;
        Ok(self.database_url(name))
    }

    /// Runs one statement with `psql` and returns what it printed, one row a line.
    pub fn query(&self, database: &str, statement: &str) -> anyhow::Result<String> {
        let mut psql = self.programs.command("psql");
        psql.args([
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
        ])
        .args(["--command", statement, &self.database_url(database)]);
        let output = psql.output().context("cannot start psql")?;
        ensure_success("psql", &output)?;
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// Keeps everybody else from writing to `table` for as long as the returned process runs, which
    /// is how a test holds a program still between two of its statements.
    pub async fn hold_writes(&self, database: &str, table: &str) -> anyhow::Result<Process> {
        let statement =
            format!("BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE; SELECT pg_sleep(120)");
        let mut psql = self.programs.command("psql");
        psql.args(["--no-psqlrc", "--set=ON_ERROR_STOP=1"]).args([
            "--command",
            &statement,
            &self.database_url(database),
        ]);
        // On SIGINT psql cancels its statement; killed at once it would leave it running.
        let mut holder = Process::start("psql", &mut psql, &self.log, Signal::SIGINT)?;
        let granted = format!(
            "SELECT 1 FROM pg_locks WHERE granted AND mode = 'ExclusiveLock' \
             AND relation = '{table}'::regclass"
        );
        poll::until("the table is locked", PATIENCE, async || {
            holder.check_alive()?;
            Ok((!self.query(database, &granted)?.is_empty()).then_some(()))
        })
        .await?;
        Ok(holder)
    }

    /// From now on it also speaks TLS, on the same port.
    pub async fn offer_tls(&self, certificate: &Certificate) -> anyhow::Result<()> {
        certificate.give_key_to(self.programs.user)?;
        for (setting, value) in [
            ("ssl_cert_file", quoted(&certificate.chain())),
            ("ssl_key_file", quoted(&certificate.key())),
            ("ssl", "on".to_owned()),
        ] {
            self.query("postgres", &format!("ALTER SYSTEM SET {setting} = {value}"))?;
        }
        self.query("postgres", "SELECT pg_reload_conf()")?;
        poll::until("Postgres offers TLS", PATIENCE, async || {
            let offered = self.query("postgres", "SHOW ssl")?;
            Ok((offered.trim() == "on").then_some(()))
        })
        .await
    }

    #[must_use]
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts the same data again on the same port, after `process().kill()` or `stop()`.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process.stop();
        // The children of a server that was killed keep its memory for a moment, and no new one starts.
        poll::until("Postgres starts again", PATIENCE, async || {
            self.process = run_server(
                &self.programs,
                self.data.path(),
                &self.log,
                self.port,
                self.durability,
            )?;
            Ok(self.wait_until_ready().await.ok())
        })
        .await
    }

    fn database_url(&self, name: &str) -> String {
        format!(
            "postgres://{USER}:{}@127.0.0.1:{}/{name}",
            self.password, self.port
        )
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let port = self.port.to_string();
        poll::until("Postgres accepts connections", PATIENCE, async || {
            self.process.check_alive()?;
            let mut probe = self.programs.command("pg_isready");
            let output = probe.args(["--host=127.0.0.1", "--port", &port]).output()?;
            Ok(output.status.success().then_some(()))
        })
        .await
    }
}

/// Not in the checkout: the user who runs Postgres may have no way in.
fn make_data_folder(programs: &Programs) -> anyhow::Result<TempDir> {
    let folder = tempfile::Builder::new()
        .prefix("portcullis-postgres-")
        .tempdir()?;
    reaper::remove(folder.path())?;
    if let Some((user, group)) = programs.user {
        chown(folder.path(), Some(user.as_raw()), Some(group.as_raw()))
            .context("cannot give the folder away")?;
    }
    Ok(folder)
}

fn initialise(programs: &Programs, data: &Path, password: &str) -> anyhow::Result<()> {
    let password_file = data.join("password");
    std::fs::write(&password_file, password)?;
    if let Some((user, group)) = programs.user {
        chown(&password_file, Some(user.as_raw()), Some(group.as_raw()))?;
    }
    let output = programs
        .command("initdb")
        .args([
            "--no-sync",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
        ])
        .args(["--username", USER, "--pwfile"])
        .arg(&password_file)
        .arg(data.join("cluster"))
        .output()
        .context("cannot start initdb")?;
    ensure_success("initdb", &output)
}

fn run_server(
    programs: &Programs,
    data: &Path,
    log: &Path,
    port: u16,
    durability: Durability,
) -> anyhow::Result<Process> {
    let mut command = programs.command("postgres");
    command
        .arg("-D")
        .arg(data.join("cluster"))
        .args(["-p", &port.to_string()]);
    let mut set = |setting: &str| {
        command.args(["-c", setting]);
    };
    set("listen_addresses=127.0.0.1");
    set("unix_socket_directories=");
    set("max_connections=200");
    if durability == Durability::Throwaway {
        set("fsync=off");
        set("synchronous_commit=off");
        set("full_page_writes=off");
    }
    // SIGINT: end every connection and shut down; SIGTERM would wait for the clients to leave.
    Process::start("postgres", &mut command, log, Signal::SIGINT)
}

fn ensure_success(program: &str, output: &Output) -> anyhow::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    bail!(
        "{program} failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A path as the value of a setting.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}
