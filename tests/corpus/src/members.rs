//! A JSON object as text under construction: members keep their order, may repeat, and may hold
//! what no JSON library would print.

use serde::Serialize;

/// The members of an object, each with its value as JSON text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members(Vec<(String, String)>);

impl Members {
    /// An object without members.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Sets a member: in its place if it is there, else at the end.
    pub(crate) fn with(self, name: &str, value: impl Serialize) -> Self {
        let text = print(&value);
        self.with_raw(name, &text)
    }

    /// Sets a member to `text`, whatever it is.
    pub(crate) fn with_raw(mut self, name: &str, text: &str) -> Self {
        match self.0.iter_mut().find(|(held, _)| held == name) {
            Some((_, value)) => text.clone_into(value),
            None => self.0.push((name.to_owned(), text.to_owned())),
        }
        self
    }

    /// Adds a member at the end, even if one of this name is there.
    pub(crate) fn and(mut self, name: &str, value: impl Serialize) -> Self {
        self.0.push((name.to_owned(), print(&value)));
        self
    }

    /// Leaves a member out.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(held, _)| held != name);
        self
    }

    /// The object as JSON text without white space.
    pub(crate) fn text(&self) -> String {
        let members: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{}:{value}", print(name)))
            .collect();
        format!("{{{}}}", members.join(","))
    }
}

fn print(value: &(impl Serialize + ?Sized)) -> String {
    // Unwrap safety: called with strings, numbers and arrays of them, which always serialise.
    serde_json::to_string(value).expect("plain JSON")
}
