//! All of it together: stores, origin and edge, wired to each other as in production.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::edge::{self, Edge};
use crate::origin::{Origin, OriginSettings};
use crate::postgres::{Durability, Postgres};
use crate::process::Process;
use crate::redis::Redis;
use crate::wrangler_config::{EdgeSettings, NAMESPACE_ID};
use crate::{port, secret};

/// Where the origin keeps its data.
#[derive(Debug, Clone)]
pub enum Stores {
    /// One SQLite file, no Redis.
    Embedded,
    /// Postgres and Redis; whichever URL is absent gets a private server.
    Servers {
        database_url: Option<String>,
        redis_url: Option<String>,
        durability: Durability,
    },
}

/// What to start. `Plan::new` is the smallest whole.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Logs, keys, databases and the local KV.
    pub folder: PathBuf,
    /// The built Worker.
    pub worker: PathBuf,
    pub stores: Stores,
    pub origin_port: u16,
    pub edge_port: u16,
    /// Added to the origin's environment.
    pub origin_environment: Vec<(String, String)>,
    /// Over the Worker's `vars`; `UPSTREAM_URL` is the origin unless named here.
    pub edge_vars: Map<String, Value>,
}

/// Those who may do more than an ordinary user of the stack.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub operator_email: String,
    pub operator_password: String,
    pub client_id: String,
    pub client_secret: String,
    pub edge_secret: String,
}

#[derive(Debug)]
pub struct System {
    /// First, since what is first ends first: the origin then has no hanging pulls to wait for.
    pub edge: Edge,
    pub origin: Origin,
    pub postgres: Option<Postgres>,
    pub redis: Option<Redis>,
    pub database_url: Option<String>,
    pub redis_url: Option<String>,
    /// The folder of the mails that the origin sends.
    pub mailbox: PathBuf,
    pub credentials: Credentials,
}

impl Plan {
    /// Embedded stores, free ports, defaults everywhere else.
    pub fn new(folder: PathBuf, worker: PathBuf) -> anyhow::Result<Self> {
        Ok(Self {
            folder,
            worker,
            stores: Stores::Embedded,
            origin_port: port::find_free()?,
            edge_port: port::find_free()?,
            origin_environment: Vec::new(),
            edge_vars: Map::new(),
        })
    }
}

impl System {
    /// Starts everything and waits until each part answers. What was started before a failure
    /// ends with it.
    pub async fn start(plan: Plan) -> anyhow::Result<Self> {
        let mut stores = StartedStores::start(&plan).await?;
        let credentials = Credentials::generate(stores.is_foreign())?;
        let mailbox = plan.folder.join("mail");
        std::fs::create_dir_all(&mailbox).context("cannot make the mailbox")?;
        let origin = plan_origin(&plan, &stores, &credentials);
        // workerd takes seconds to start, so it does that while the origin gets ready.
        let mut edge = Edge::start(plan_edge(&plan, &origin, &credentials)?)?;
        prepare_origin(&origin, &credentials)?;
        let origin = Origin::start(origin).await?;
        edge.wait_until_ready().await?;
        Ok(Self {
            origin,
            edge,
            postgres: stores.postgres.take(),
            redis: stores.redis.take(),
            database_url: stores.database_url,
            redis_url: stores.redis_url,
            mailbox,
            credentials,
        })
    }

    /// Every process of ours, in the order of who depends on whom.
    pub fn processes(&mut self) -> Vec<&mut Process> {
        let mut all = vec![self.origin.process(), self.edge.process()];
        all.extend(self.postgres.as_mut().map(Postgres::process));
        all.extend(self.redis.as_mut().map(Redis::process));
        all
    }
}

#[derive(Debug, Default)]
struct StartedStores {
    postgres: Option<Postgres>,
    redis: Option<Redis>,
    database_url: Option<String>,
    redis_url: Option<String>,
}

impl StartedStores {
    async fn start(plan: &Plan) -> anyhow::Result<Self> {
        let Stores::Servers {
            database_url,
            redis_url,
            durability,
        } = &plan.stores
        else {
            return Ok(Self::default());
        };
        let mut started = Self {
            database_url: database_url.clone(),
            redis_url: redis_url.clone(),
            ..Self::default()
        };
        if started.database_url.is_none() {
            let postgres = Postgres::start(&plan.folder, *durability).await?;
            started.database_url = Some(postgres.create_database("portcullis")?);
            started.postgres = Some(postgres);
        }
        if started.redis_url.is_none() {
            let redis = Redis::start(&plan.folder).await?;
            started.redis_url = Some(redis.url());
            started.redis = Some(redis);
        }
        Ok(started)
    }

    /// The database was there before us.
    fn is_foreign(&self) -> bool {
        self.database_url.is_some() && self.postgres.is_none()
    }
}

impl Credentials {
    /// A database that is not ours may have an operator and a client from the last time.
    fn generate(unique: bool) -> anyhow::Result<Self> {
        let suffix = if unique {
            format!("-{}", secret::generate()?)
        } else {
            String::new()
        };
        Ok(Self {
            operator_email: format!("operator{suffix}@example.com"),
            operator_password: secret::generate()?,
            client_id: format!("dev{suffix}"),
            client_secret: secret::generate()?,
            edge_secret: secret::generate()?,
        })
    }
}

fn plan_origin(plan: &Plan, stores: &StartedStores, credentials: &Credentials) -> OriginSettings {
    let mut environment = vec![
        (
            "PORTCULLIS_EDGE_SECRET".to_owned(),
            credentials.edge_secret.clone(),
        ),
        (
            "PORTCULLIS_KV_API_URL".to_owned(),
            edge::kv_api_url(plan.edge_port),
        ),
        (
            "PORTCULLIS_KV_NAMESPACE_ID".to_owned(),
            NAMESPACE_ID.to_owned(),
        ),
        (
            "PORTCULLIS_MAIL_DIR".to_owned(),
            plan.folder.join("mail").display().to_string(),
        ),
    ];
    environment.extend(
        stores
            .database_url
            .clone()
            .map(|url| ("DATABASE_URL".to_owned(), url)),
    );
    environment.extend(
        stores
            .redis_url
            .clone()
            .map(|url| ("REDIS_URL".to_owned(), url)),
    );
    environment.extend(plan.origin_environment.iter().cloned());
    OriginSettings {
        port: plan.origin_port,
        data: plan.folder.join("data"),
        log: plan.folder.join("origin.log"),
        environment,
    }
}

fn plan_edge(
    plan: &Plan,
    origin: &OriginSettings,
    credentials: &Credentials,
) -> anyhow::Result<EdgeSettings> {
    let keys = origin.run_json(&["keys", "show"], "")?;
    let list_keys = keys
        .get("list_keys")
        .context("`keys show` names no list keys")?;
    let Value::Object(mut vars) = json!({
        "ORIGIN_URL": origin.url(),
        "UPSTREAM_URL": origin.url(),
        "LIST_ISSUER": origin.url(),
        "LIST_KEYS": list_keys,
    }) else {
        unreachable!("an object was written just above")
    };
    vars.extend(plan.edge_vars.clone());
    Ok(EdgeSettings {
        port: plan.edge_port,
        folder: plan.folder.join("edge"),
        worker: plan.worker.clone(),
        vars,
        secret: credentials.edge_secret.clone(),
    })
}

/// The tables, an operator and a client, as an operator would make them.
fn prepare_origin(origin: &OriginSettings, credentials: &Credentials) -> anyhow::Result<()> {
    origin.run(&["migrate"], "")?;
    let email = credentials.operator_email.as_str();
    origin.run(
        &[
            "user",
            "create",
            "--email",
            email,
            "--password-stdin",
            "--role",
            "operator",
        ],
        &credentials.operator_password,
    )?;
    let grants = "password,refresh_token";
    origin
        .run(
            &[
                "client",
                "create",
                "--id",
                credentials.client_id.as_str(),
                "--secret-stdin",
                "--grant",
                grants,
                "--introspect-all",
            ],
            &credentials.client_secret,
        )
        .map(drop)
}
