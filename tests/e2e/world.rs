//! Running stacks and the people in them. Tests that only look share a stack; a test that breaks
//! something starts its own.

use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use stack::{Answer, Client, Durability, Plan, Stores, System, Tokens, paths};
use tokio::sync::OnceCell;

/// How long anything that has to happen may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

static ON_SERVERS: OnceCell<System> = OnceCell::const_new();
static BEFORE_ECHO: OnceCell<System> = OnceCell::const_new();

/// A stack as a test sees it: an HTTP client for each end.
#[derive(Debug)]
pub struct World<S> {
    pub system: S,
    pub origin: Client,
    pub edge: Client,
}

/// Somebody who has registered.
#[derive(Debug, Clone)]
pub struct User {
    pub email: String,
    pub password: String,
}

impl World<&'static System> {
    /// On Postgres and Redis, with the origin behind the edge. Not to be broken.
    pub async fn on_servers() -> anyhow::Result<Self> {
        let start = async || {
            let mut plan = plan("on-servers")?;
            plan.stores = Stores::Servers {
                database_url: None,
                redis_url: None,
                durability: Durability::Throwaway,
            };
            System::start(plan).await
        };
        Self::look_at(ON_SERVERS.get_or_try_init(start).await?)
    }

    /// On embedded stores, with an upstream behind the edge that tells what it was sent. Not to be
    /// broken.
    pub async fn before_echo() -> anyhow::Result<Self> {
        let start = async || {
            let mut plan = plan("before-echo")?;
            plan.edge_vars
                .insert("UPSTREAM_URL".to_owned(), stack::start_echo()?.into());
            System::start(plan).await
        };
        Self::look_at(BEFORE_ECHO.get_or_try_init(start).await?)
    }

    /// Each test has its own clients: a connection does not outlive the runtime it was made in.
    fn look_at(system: &'static System) -> anyhow::Result<Self> {
        let (origin, edge) = clients(system)?;
        Ok(Self {
            system,
            origin,
            edge,
        })
    }
}

/// A stack for one test, to be broken at will. `adjust` changes what it starts with.
pub async fn start_private(
    name: &str,
    adjust: impl FnOnce(&mut Plan),
) -> anyhow::Result<World<System>> {
    let mut plan = plan(name)?;
    adjust(&mut plan);
    let system = System::start(plan).await?;
    let (origin, edge) = clients(&system)?;
    Ok(World {
        system,
        origin,
        edge,
    })
}

impl<S> World<S> {
    /// Registers somebody new.
    pub async fn new_user(&self) -> anyhow::Result<User> {
        let user = User {
            email: format!("{}@example.com", stack::generate_secret()?),
            password: stack::generate_secret()?,
        };
        self.origin
            .register(&user.email, &user.password)
            .await?
            .expect(201)?;
        Ok(user)
    }

    pub async fn log_in(&self, user: &User) -> anyhow::Result<Tokens> {
        self.origin.log_in(&user.email, &user.password).await
    }

    /// Somebody new with a session.
    pub async fn new_session(&self) -> anyhow::Result<Tokens> {
        let user = self.new_user().await?;
        self.log_in(&user).await
    }

    /// Asks the edge until it answers a request with `token` so. A refusal has to be its own.
    pub async fn wait_for_edge(&self, token: &str, status: u16) -> anyhow::Result<Answer> {
        let mut last = None;
        let found = stack::until(
            &format!("the edge answers {status}"),
            PATIENCE,
            async || {
                let answer = match status {
                    401 => self.edge.unguarded(token).await?,
                    _ => self.edge.me(token).await?,
                };
                let fits = answer.status == status;
                last = Some(answer.text.clone());
                Ok(fits.then_some(answer))
            },
        )
        .await;
        found.with_context(|| format!("the last answer: {}", last.unwrap_or_default()))
    }

    /// Asks for the receipt of a revocation until `is_there` holds for it.
    pub async fn wait_for_receipt(
        &self,
        token: &str,
        id: &str,
        is_there: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let path = format!("/revocations/{id}");
        stack::until(&format!("the receipt of {id}"), PATIENCE, async || {
            let receipt = self.origin.get(&path, token).await?.expect(200)?.json();
            Ok(is_there(&receipt).then_some(receipt))
        })
        .await
    }
}

/// Logs and data stay in the target folder until the next run, for whoever looks for a reason.
fn plan(name: &str) -> anyhow::Result<Plan> {
    let folder = paths::target().join("e2e").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    Plan::new(folder, paths::workspace().join("edge/build"))
}

fn clients(system: &System) -> anyhow::Result<(Client, Client)> {
    Ok((
        Client::new(system.origin.url())?,
        Client::new(system.edge.url())?,
    ))
}
