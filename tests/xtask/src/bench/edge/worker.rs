//! The Workers of the benchmark, and the configuration that each runs with: the same bindings, the
//! same upstream, the same flags for all of them.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::tokens::{AUDIENCE, ISSUER};
use crate::bench::workerd::COMPATIBILITY_DATE;

/// Not resolved: the Worker `outside` answers for both.
const UPSTREAM_URL: &str = "http://upstream.invalid";
const ORIGIN_URL: &str = "http://origin.invalid";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Worker {
    AnswersItself,
    ChecksNothing,
    ChecksNothingInRust,
    Portcullis,
    PortcullisLoggingAll,
    Jose,
    JoseAndKv,
    Hono,
}

/// What the measured Workers need of the run.
#[derive(Debug)]
pub(super) struct Surroundings {
    /// Where origin and KV are played.
    pub(super) doubles: SocketAddr,
    pub(super) token_keys: Value,
    pub(super) list_keys: Value,
}

impl Worker {
    pub(super) const ALL: [Self; 8] = [
        Self::AnswersItself,
        Self::ChecksNothing,
        Self::ChecksNothingInRust,
        Self::Portcullis,
        Self::PortcullisLoggingAll,
        Self::Jose,
        Self::JoseAndKv,
        Self::Hono,
    ];

    /// A name for folders and logs.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::AnswersItself => "answers-itself",
            Self::ChecksNothing => "checks-nothing",
            Self::ChecksNothingInRust => "bare-rust",
            Self::Portcullis => "portcullis",
            Self::PortcullisLoggingAll => "portcullis-logging-all",
            Self::Jose => "jose",
            Self::JoseAndKv => "jose-kv",
            Self::Hono => "hono-jwk",
        }
    }

    /// What a reader of the table knows it by.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::AnswersItself => "answers 200 itself, no upstream (JS)",
            Self::ChecksNothing => "checks nothing (JS)",
            Self::ChecksNothingInRust => "checks nothing (Rust, crate `worker`)",
            Self::Portcullis => "**Portcullis**",
            Self::PortcullisLoggingAll => "**Portcullis**, `DECISION_LOG = \"all\"`",
            Self::Jose => "`jose`, no revocation",
            Self::JoseAndKv => "`jose` + one KV read per `jti`",
            Self::Hono => "`hono` `jwk` middleware, no revocation",
        }
    }

    /// Peers log nothing, so the row that is compared with them logs denials only.
    fn decision_log(self) -> &'static str {
        match self {
            Self::PortcullisLoggingAll => "all",
            _ => "denied",
        }
    }

    /// The configuration for `workerd serve`; module files lie beside it.
    pub(super) fn config(self, modules: &[String], port: u16, around: &Surroundings) -> String {
        let modules: Vec<String> = modules.iter().map(|file| module(file)).collect();
        let bindings = self.bindings(around);
        let Surroundings { doubles, .. } = around;
        format!(
            r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "measured", worker = .measured),
    (name = "outside", worker = .outside),
    (name = "origin", external = (address = "{doubles}", http = ())),
    (name = "kv", external = (address = "{doubles}", http = ())),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "measured")],
);

const measured :Workerd.Worker = (
  modules = [{modules}],
  compatibilityDate = "{COMPATIBILITY_DATE}",
  bindings = [
    {bindings}
  ],
  globalOutbound = "outside",
);

const outside :Workerd.Worker = (
  modules = [{outside}],
  compatibilityDate = "{COMPATIBILITY_DATE}",
  bindings = [
    {origin_url},
    (name = "ORIGIN", service = "origin"),
  ],
);
"#,
            modules = modules.join(", "),
            bindings = bindings.join(",\n    "),
            outside = module("outside.js"),
            origin_url = text("ORIGIN_URL", ORIGIN_URL),
        )
    }

    /// Every Worker has all of them and reads those that it knows.
    fn bindings(self, around: &Surroundings) -> Vec<String> {
        let routes = json!([{ "path": "/*", "access": "protected" }]);
        vec![
            text("UPSTREAM_URL", UPSTREAM_URL),
            text("TOKEN_ISSUER", ISSUER),
            text("TOKEN_AUDIENCE", AUDIENCE),
            binding("TOKEN_KEYS", "json", &around.token_keys.to_string()),
            namespace("REVOKED"),
            namespace("LIST"),
            text("ORIGIN_URL", ORIGIN_URL),
            text("LIST_ISSUER", ISSUER),
            binding("LIST_KEYS", "json", &around.list_keys.to_string()),
            binding("ROUTES", "json", &routes.to_string()),
            text("EDGE_SECRET", "bench"),
            text("PULL_LANE", "on"),
            text("DECISION_LOG", self.decision_log()),
        ]
    }
}

fn text(name: &str, value: &str) -> String {
    binding(name, "text", value)
}

/// The text of JSON strings is Cap'n Proto's too, as long as it is ASCII.
fn binding(name: &str, kind: &str, value: &str) -> String {
    format!("(name = \"{name}\", {kind} = {})", Value::from(value))
}

fn namespace(name: &str) -> String {
    format!("(name = \"{name}\", kvNamespace = \"kv\")")
}

fn module(file: &str) -> String {
    let is_wasm = std::path::Path::new(file)
        .extension()
        .is_some_and(|extension| extension == "wasm");
    let kind = if is_wasm { "wasm" } else { "esModule" };
    format!("(name = \"{file}\", {kind} = embed \"{file}\")")
}
