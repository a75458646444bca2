//! The settings of the signing keys: given as text, or made on the first start in the data folder.

use clap::Args;
use secrecy::SecretString;
use shared::Algorithm;

use super::check::Check;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Keys")]
pub struct KeySettings {
    /// Algorithm of the token key: `EdDSA`, `ES256` or `RS256`.
    #[arg(long, env = "PORTCULLIS_SIGNING_ALG", default_value = "EdDSA")]
    signing_alg: String,
    /// Token key as PKCS#8 PEM text; else made on first start in the data folder. Several texts, one
    /// after the other, are the older keys and the newest.
    #[arg(
        long,
        env = "PORTCULLIS_SIGNING_KEY",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    signing_key: Option<SecretString>,
    /// Days after which a new token key takes over; 0: only by `portcullis keys rotate`.
    #[arg(long, env = "PORTCULLIS_KEY_ROTATION_DAYS", default_value = "0")]
    key_rotation_days: String,
    /// List key (Ed25519) as PKCS#8 PEM text; else made on first start in the data folder.
    #[arg(
        long,
        env = "PORTCULLIS_LIST_KEY",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    list_key: Option<SecretString>,
}

#[derive(Debug, Clone)]
pub struct KeyConfig {
    pub signing_algorithm: Algorithm,
    pub signing_key: Option<SecretString>,
    pub rotation_days: Option<u64>,
    pub list_key: Option<SecretString>,
}

impl KeySettings {
    pub(super) fn validate(self, check: &mut Check) -> KeyConfig {
        let key_is_set = self.signing_key.is_some();
        KeyConfig {
            signing_algorithm: check.signing_algorithm(&self.signing_alg),
            rotation_days: check.rotation_days(&self.key_rotation_days, key_is_set),
            signing_key: self.signing_key,
            list_key: self.list_key,
        }
    }
}

impl Check {
    fn signing_algorithm(&mut self, name: &str) -> Algorithm {
        if let Some(issued @ (Algorithm::EdDsa | Algorithm::Es256 | Algorithm::Rs256)) =
            Algorithm::parse(name)
        {
            return issued;
        }
        self.refuse(
            "PORTCULLIS_SIGNING_ALG",
            format!("{name:?} is not EdDSA, ES256 or RS256"),
        );
        Algorithm::EdDsa
    }

    /// A key that is a setting cannot be replaced by us.
    fn rotation_days(&mut self, text: &str, key_is_set: bool) -> Option<u64> {
        const VARIABLE: &str = "PORTCULLIS_KEY_ROTATION_DAYS";
        let days = self.number(VARIABLE, text, 0..=3650);
        if days > 0 && key_is_set {
            self.refuse(VARIABLE, "cannot be kept to: PORTCULLIS_SIGNING_KEY is set");
        }
        (days > 0).then_some(days)
    }
}
