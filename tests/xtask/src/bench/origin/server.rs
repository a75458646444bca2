//! A service as a process, with its own database in the common Postgres and its own number in the
//! common Redis, and everything it needs to be asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use stack::{Origin, OriginSettings, Postgres, Process, Redis, paths, port};

use super::fastapi;
use super::route::Client;
use super::service::{Service, peers};

/// As many connections to Postgres as the origin opens.
const POOL_SIZE: usize = 32;
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Server {
    pub(super) service: Service,
    pub(super) address: SocketAddr,
    pub(super) client: Client,
    process: Running,
}

#[derive(Debug)]
enum Running {
    Ours(Box<Origin>),
    Peer(Process),
}

/// What the services share.
#[derive(Debug)]
pub(super) struct Stores {
    pub(super) postgres: Postgres,
    pub(super) redis: Redis,
    pub(super) folder: PathBuf,
}

impl Stores {
    /// The URLs of a service's database, made now, and of its part of Redis.
    fn make_urls(&self, service: Service) -> anyhow::Result<[(String, String); 2]> {
        let database = self.postgres.create_database(service.id())?;
        let redis = format!("{}/{}", self.redis.url(), service.redis_database());
        Ok([
            ("DATABASE_URL".to_owned(), database),
            ("REDIS_URL".to_owned(), redis),
        ])
    }

    fn log(&self, service: Service) -> PathBuf {
        self.folder.join(format!("{}.log", service.id()))
    }
}

impl Server {
    pub(super) async fn start(service: Service, stores: &Stores) -> anyhow::Result<Self> {
        let client = Client {
            id: "bench".to_owned(),
            secret: stack::generate_secret()?,
        };
        let port = port::find_free()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let peer = async |command| start_peer(service, command, stores, address, &client).await;
        let process = match service {
            Service::Portcullis => start_ours(stores, port, &client).await?,
            Service::BareAxum => peer(bare_axum(address)).await?,
            Service::FastApi => peer(fastapi::command(address, POOL_SIZE)?).await?,
        };
        Ok(Self {
            service,
            address,
            client,
            process,
        })
    }

    /// The root of its process tree.
    pub(super) fn process_id(&mut self) -> u32 {
        match &mut self.process {
            Running::Ours(origin) => origin.process().id(),
            Running::Peer(process) => process.id(),
        }
    }

    /// The first user and the first session, made as anybody would.
    pub(super) async fn register(&self, email: &str, password: &str) -> anyhow::Result<()> {
        let client = stack::Client::new(format!("http://{}", self.address))?;
        client.register(email, password).await?.expect(201)?;
        client.log_in(email, password).await?;
        Ok(())
    }
}

async fn start_ours(stores: &Stores, port: u16, client: &Client) -> anyhow::Result<Running> {
    let mut environment = Vec::from(stores.make_urls(Service::Portcullis)?);
    // The peers write no line a request either.
    environment.push(("PORTCULLIS_LOG".to_owned(), "warn".to_owned()));
    let settings = OriginSettings {
        port,
        data: stores.folder.join("portcullis"),
        log: stores.log(Service::Portcullis),
        binary: Some(paths::target().join("release/portcullis")),
        environment,
    };
    settings.run(&["migrate"], "")?;
    let create = ["client", "create", "--id", &client.id, "--secret-stdin"];
    let rights = ["--grant", "refresh_token", "--introspect-all"];
    settings.run(&[&create[..], &rights[..]].concat(), &client.secret)?;
    Ok(Running::Ours(Box::new(Origin::start(settings).await?)))
}

async fn start_peer(
    service: Service,
    mut command: Command,
    stores: &Stores,
    address: SocketAddr,
    client: &Client,
) -> anyhow::Result<Running> {
    let urls = stores.make_urls(service)?;
    let schema = std::fs::read_to_string(peers().join("auth-schema.sql"))?;
    stores.postgres.query(service.id(), &schema)?;
    stores
        .postgres
        .query(service.id(), &insert_client(client))?;
    command.envs(urls);
    let mut process = Process::start(
        service.id(),
        &mut command,
        &stores.log(service),
        Signal::SIGTERM,
    )?;
    let client = stack::Client::new(format!("http://{address}"))?;
    stack::until("the peer is ready", PATIENCE, async || {
        process.check_alive()?;
        let answer = client.get("/health", "").await;
        Ok(answer
            .is_ok_and(|answer| answer.status == 200)
            .then_some(()))
    })
    .await?;
    Ok(Running::Peer(process))
}

fn bare_axum(address: SocketAddr) -> Command {
    let mut command = Command::new(paths::target().join("release/bare-axum"));
    command
        .env("LISTEN", address.to_string())
        .env("POOL_SIZE", POOL_SIZE.to_string());
    command
}

fn insert_client(client: &Client) -> String {
    let Client { id, secret } = client;
    format!("INSERT INTO clients VALUES ('{id}', sha256(convert_to('{secret}', 'UTF8')))")
}
