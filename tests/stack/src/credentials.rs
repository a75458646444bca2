//! Those who may do more than an ordinary user of a stack, made as an operator would make them.

use crate::origin::OriginSettings;
use crate::secret;

/// An operator, a client and the edge's secret.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub operator_email: String,
    pub operator_password: String,
    pub client_id: String,
    pub client_secret: String,
    pub edge_secret: String,
}

impl Credentials {
    /// A database that is not ours may have an operator and a client from the last time.
    pub(crate) fn generate(unique: bool) -> anyhow::Result<Self> {
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

/// The tables, an operator and a client, as an operator would make them.
pub(crate) fn prepare_origin(
    origin: &OriginSettings,
    credentials: &Credentials,
) -> anyhow::Result<()> {
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
    let grants = "password,refresh_token,client_credentials";
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
                "--scope",
                "profile,operator",
                "--introspect-all",
            ],
            &credentials.client_secret,
        )
        .map(drop)
}
