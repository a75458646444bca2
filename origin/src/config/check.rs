//! What every check of a setting has in common: mistakes are collected, name their variable, and
//! show the value only where it is no secret.

use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};

use super::{ConfigError, Switch};

/// Collects mistakes; a setting that has one gets a placeholder that nobody will see.
#[derive(Default)]
pub(super) struct Check {
    pub(super) errors: Vec<ConfigError>,
}

impl Check {
    pub(super) fn refuse(&mut self, variable: &'static str, problem: impl Into<String>) {
        self.errors.push(ConfigError {
            variable,
            problem: problem.into(),
        });
    }

    pub(super) fn parse<T: FromStr>(
        &mut self,
        variable: &'static str,
        text: &str,
        what: &str,
    ) -> Option<T> {
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.refuse(variable, format!("{text:?} is not {what}"));
        }
        parsed
    }

    pub(super) fn number<N>(
        &mut self,
        variable: &'static str,
        text: &str,
        range: std::ops::RangeInclusive<N>,
    ) -> N
    where
        N: FromStr + PartialOrd + Copy + std::fmt::Display,
    {
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (low, high) = (range.start(), range.end());
                self.refuse(
                    variable,
                    format!("{text:?} is not a number from {low} to {high}"),
                );
                *low
            }
        }
    }

    pub(super) fn not_empty(&mut self, variable: &'static str, text: String) -> String {
        if text.trim().is_empty() {
            self.refuse(variable, "is empty");
        }
        text
    }

    pub(super) fn secret(
        &mut self,
        variable: &'static str,
        secret: Option<SecretString>,
    ) -> Option<SecretString> {
        if secret
            .as_ref()
            .is_some_and(|text| text.expose_secret().len() < 16)
        {
            self.refuse(variable, "is shorter than 16 characters");
        }
        secret
    }

    pub(super) fn switch(&mut self, variable: &'static str, text: &str) -> Switch {
        match text {
            "on" => Switch::On,
            "off" => Switch::Off,
            _ => {
                self.refuse(variable, format!("{text:?} is not on or off"));
                Switch::Off
            }
        }
    }
}

/// What stands between commas.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}
