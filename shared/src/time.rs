//! Points in time as RFC 7519, section 2, has them (NumericDate): seconds since 1970, fractions
//! allowed. There is deliberately no `now` here.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MILLIS_PER_SEC: f64 = 1000.0;

/// Seconds since 1970-01-01T00:00:00Z: finite, not negative, possibly fractional.
///
/// Whole seconds up to 2⁵³ are exact, so comparing a date of a token with a clock never rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnixSeconds(f64);

impl UnixSeconds {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0.0);

    /// Whole seconds. Values above 2⁵³ (285 million years) lose their last digits.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact for every date before the year 285428681"
    )]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs as f64)
    }

    /// Whole milliseconds, the unit of clocks and of the stores.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact for every date before the year 285428"
    )]
    pub fn from_millis(millis: u64) -> Self {
        Self(millis as f64 / MILLIS_PER_SEC)
    }

    /// Any NumericDate; `None` if it is not finite or lies before 1970.
    #[must_use]
    pub fn from_f64(secs: f64) -> Option<Self> {
        // Adding positive zero turns -0.0 into 0.0, which keeps the order total.
        (secs.is_finite() && secs >= 0.0).then_some(Self(secs + 0.0))
    }

    /// The seconds, with their fraction.
    #[must_use]
    pub const fn as_f64(self) -> f64 {
        self.0
    }

    /// Whole seconds, rounded down.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "never negative, and a float cast saturates"
    )]
    pub fn as_secs(self) -> u64 {
        self.0.floor() as u64
    }

    /// Whole milliseconds, rounded to the nearest: `from_millis(n).as_millis() == n`.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "never negative, and a float cast saturates"
    )]
    pub fn as_millis(self) -> u64 {
        (self.0 * MILLIS_PER_SEC).round() as u64
    }

    /// This moment and `secs` more.
    #[must_use]
    pub fn plus_secs(self, secs: u64) -> Self {
        Self(self.0 + Self::from_secs(secs).0)
    }

    /// `secs` before this moment, but not before 1970.
    #[must_use]
    pub fn minus_secs(self, secs: u64) -> Self {
        Self((self.0 - Self::from_secs(secs).0).max(0.0))
    }

    /// Seconds from `earlier` to this moment; negative if `earlier` is the later one.
    #[must_use]
    pub fn secs_since(self, earlier: Self) -> f64 {
        self.0 - earlier.0
    }
}

/// Lawful because the value is never NaN.
impl Eq for UnixSeconds {}

impl Ord for UnixSeconds {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for UnixSeconds {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whole seconds are written without a fraction, as most verifiers expect.
impl Serialize for UnixSeconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0 < 9e15 {
            serializer.serialize_u64(self.as_secs())
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for UnixSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let secs = f64::deserialize(deserializer)?;
        Self::from_f64(secs).ok_or_else(|| serde::de::Error::custom("a date before 1970"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_date() {
        for bad in [-1.0, -0.001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(UnixSeconds::from_f64(bad), None, "{bad}");
        }
    }

    #[test]
    fn negative_zero_is_the_epoch_in_every_order() {
        let zero = UnixSeconds::from_f64(-0.0).unwrap();
        assert_eq!(zero.cmp(&UnixSeconds::EPOCH), Ordering::Equal);
    }

    #[test]
    fn milliseconds_survive_a_round_trip() {
        for millis in [0, 1, 999, 1_764_019_902_123, 4_102_444_800_999] {
            assert_eq!(UnixSeconds::from_millis(millis).as_millis(), millis);
        }
    }

    #[test]
    fn whole_seconds_are_written_without_a_fraction() {
        let text = serde_json::to_string(&UnixSeconds::from_secs(1_764_019_902)).unwrap();
        assert_eq!(text, "1764019902");
        let text = serde_json::to_string(&UnixSeconds::from_f64(1.5).unwrap()).unwrap();
        assert_eq!(text, "1.5");
    }
}
