//! All of it together: stores, origin and edge, wired to each other as in production.

use anyhow::Context;
use serde_json::Map;

use crate::credentials::{Credentials, prepare_origin};
use crate::edge::{self, Edge};
use crate::origin::{Origin, OriginSettings};
use crate::plan::Plan;
use crate::postgres::Postgres;
use crate::process::Process;
use crate::redis::Redis;
use crate::stores::StartedStores;
use crate::wrangler_config::{EdgeSettings, NAMESPACE_ID};

#[derive(Debug)]
pub struct System {
    /// First, since what is first ends first: the origin then has no hanging pulls to wait for.
    pub edge: Edge,
    pub origin: Origin,
    pub postgres: Option<Postgres>,
    pub redis: Option<Redis>,
    pub database_url: Option<String>,
    pub redis_url: Option<String>,
    pub credentials: Credentials,
}

impl System {
    /// Starts everything and waits until each part answers. What was started before a failure
    /// ends with it.
    pub async fn start(plan: Plan) -> anyhow::Result<Self> {
        let mut stores = StartedStores::start(&plan.stores, &plan.folder).await?;
        let credentials = Credentials::generate(stores.is_foreign())?;
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

fn plan_origin(plan: &Plan, stores: &StartedStores, credentials: &Credentials) -> OriginSettings {
    let named = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut environment = vec![
        named("PORTCULLIS_EDGE_SECRET", &credentials.edge_secret),
        named("PORTCULLIS_KV_API_URL", &edge::kv_api_url(plan.edge_port)),
        named("PORTCULLIS_KV_NAMESPACE_ID", NAMESPACE_ID),
    ];
    let urls = [
        ("DATABASE_URL", &stores.database_url),
        ("REDIS_URL", &stores.redis_url),
    ];
    environment.extend(
        urls.iter()
            .filter_map(|(name, url)| Some(named(name, url.as_ref()?))),
    );
    environment.extend(plan.origin_environment.iter().cloned());
    OriginSettings {
        port: plan.origin_port,
        data: plan.folder.join("data"),
        log: plan.folder.join("origin.log"),
        binary: plan.origin_binary.clone(),
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
    let mut vars = Map::new();
    for name in ["ORIGIN_URL", "UPSTREAM_URL", "LIST_ISSUER"] {
        vars.insert(name.to_owned(), origin.url().into());
    }
    vars.insert("LIST_KEYS".to_owned(), list_keys.clone());
    vars.extend(plan.edge_vars.clone());
    Ok(EdgeSettings {
        port: plan.edge_port,
        folder: plan.folder.join("edge"),
        worker: plan.worker.clone(),
        vars,
        secret: credentials.edge_secret.clone(),
    })
}
