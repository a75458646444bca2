//! Who the canary is: a user of this replica, made once, with a password that nobody can guess and
//! only the data folder knows. It holds no role.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use tokio::sync::OnceCell;

use super::failure::{CanaryError, Failure};
use crate::accounts::{self, Registration};
use crate::app::App;
use crate::error::ApiError;
use crate::revocation::Receipt;
use crate::sessions::{self, Caller, Credentials, FIRST_PARTY, Renewal, Wanted};
use crate::{private_file, random};

const FILE_NAME: &str = "canary";
/// No mail is ever delivered there (RFC 2606, section 2).
const DOMAIN: &str = "canary.invalid";

#[derive(Debug)]
pub(super) struct Account {
    email: String,
    password: SecretString,
    registered: OnceCell<()>,
}

impl Account {
    pub(super) fn load_or_create(data_dir: &Path) -> Result<Self, CanaryError> {
        let path = data_dir.join(FILE_NAME);
        let made = new_content().map_err(|_| CanaryError::NoRandom)?;
        let content = read_or_create(&path, &made).map_err(|source| CanaryError::File {
            path: path.clone(),
            source,
        })?;
        let (name, password) = content
            .trim()
            .split_once(' ')
            .ok_or(CanaryError::Damaged { path })?;
        Ok(Self {
            email: format!("{}@{DOMAIN}", name.to_lowercase()),
            password: password.into(),
            registered: OnceCell::new(),
        })
    }

    /// A new session of one token: it is closed by the log-out, and else ends by itself.
    pub(super) async fn log_in(&self, app: &App) -> Result<String, Failure> {
        self.registered
            .get_or_try_init(|| self.register(app))
            .await?;
        let credentials = Credentials {
            email: &self.email,
            password: &self.password,
            client_id: FIRST_PARTY,
            scope: Wanted::Everything,
            renewal: Renewal::None,
        };
        let response = sessions::log_in(app, &credentials, &caller()).await;
        Ok(response
            .map_err(|error| Failure::log_in(&error))?
            .access_token)
    }

    async fn register(&self, app: &App) -> Result<(), Failure> {
        let registration = Registration {
            email: &self.email,
            password: &self.password,
            name: Some("Canary"),
            roles: &[],
            actor: None,
            address: None,
        };
        match accounts::register(app, &registration).await {
            // Registered by an earlier run.
            Ok(_) | Err(ApiError::EmailTaken) => Ok(()),
            Err(error) => Err(Failure::log_in(&error)),
        }
    }

    pub(super) async fn log_out(&self, app: &App, token: &str) -> Result<Receipt, Failure> {
        let log_out = async {
            let valid = app.issuer.verify(token, app.clock.now()).await;
            let valid = valid.map_err(ApiError::InvalidToken)?;
            let claims = valid.claims();
            let sid = claims.sid.as_ref();
            let sid = sid.ok_or(ApiError::Internal("a token of ours has no sid"))?;
            sessions::log_out(app, claims, sid, &caller()).await
        };
        log_out.await.map_err(|error| Failure::log_out(&error))
    }
}

fn caller() -> Caller {
    Caller {
        address: "canary".to_owned(),
        user_agent: Some("canary".to_owned()),
    }
}

fn new_content() -> Result<String, ApiError> {
    Ok(format!("{} {}", random::new_id()?, random::new_secret()?))
}

fn read_or_create(path: &PathBuf, content: &str) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            private_file::create(path, content)?;
            fs::read_to_string(path)
        }
        read => read,
    }
}
