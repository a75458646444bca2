//! Every route with each of its methods, as `/openapi.json` has them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::origin::{CLIENT_SECRET, EDGE_SECRET};

/// A route with a method, and how its caller authenticates.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) method: String,
    pub(super) path: String,
    /// The media type of its body, if it takes one.
    pub(super) takes: Option<&'static str>,
    pub(super) authorization: String,
    pub(super) query: Vec<String>,
}

impl Door {
    pub(super) fn head(&self, more: &str) -> String {
        self.head_of(&self.path, "HTTP/1.1", more)
    }

    pub(super) fn head_of(&self, target: &str, version: &str, more: &str) -> String {
        let Self {
            method,
            authorization,
            ..
        } = self;
        format!(
            "{method} {target} {version}\r\nHost: origin\r\nConnection: close\r\n\
             Authorization: {authorization}\r\n{more}\r\n"
        )
    }
}

/// All that there are.
pub(super) fn doors(api: &Value, token: &str) -> Vec<Door> {
    let pair = STANDARD.encode(format!("app:{CLIENT_SECRET}"));
    let paths = api["paths"].as_object().unwrap();
    let items = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap();
        item.iter()
            .map(move |(method, about)| (path, method, about))
    });
    let methods = ["get", "post", "put", "patch", "delete"];
    items
        .filter(|(_, method, _)| methods.contains(&method.as_str()))
        .map(|(path, method, about)| {
            let security = about["security"].to_string();
            let content = &about["requestBody"]["content"];
            let parameters = about["parameters"].as_array().cloned().unwrap_or_default();
            let in_query = parameters.iter().filter(|one| one["in"] == "query");
            Door {
                method: method.to_uppercase(),
                path: path.split('{').next().unwrap().to_owned()
                    + if path.contains('{') { "x" } else { "" },
                takes: ["application/json", "application/x-www-form-urlencoded"]
                    .into_iter()
                    .find(|kind| content.get(kind).is_some()),
                authorization: if security.contains("client") {
                    format!("Basic {pair}")
                } else if security.contains("edge") {
                    format!("Bearer {EDGE_SECRET}")
                } else {
                    format!("Bearer {token}")
                },
                query: in_query
                    .map(|one| one["name"].as_str().unwrap().to_owned())
                    .collect(),
            }
        })
        .collect()
}
