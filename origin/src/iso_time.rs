//! Times as people read them: RFC 3339 in UTC, to the millisecond.

use shared::UnixSeconds;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// `2026-11-24T21:58:20.123Z`; a time past the year 9999 is shown as that year's end.
#[must_use]
pub fn format(at: UnixSeconds) -> String {
    let millis = i128::from(at.as_millis());
    OffsetDateTime::from_unix_timestamp_nanos(millis * 1_000_000)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| "9999-12-31T23:59:59Z".to_owned())
}

/// `None`: not a time, not in UTC, or before 1970.
#[must_use]
pub fn parse(text: &str) -> Option<UnixSeconds> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let millis = u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()?;
    time.offset()
        .is_utc()
        .then(|| UnixSeconds::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_a_round_trip() {
        let at = UnixSeconds::from_millis(1_764_019_902_120);
        assert_eq!(format(at), "2025-11-24T21:31:42.12Z");
        assert_eq!(parse(&format(at)), Some(at));
    }

    #[test]
    fn refuses_what_is_not_a_time_in_utc() {
        for bad in [
            "",
            "now",
            "2026-11-24",
            "2026-11-24T21:58:20+01:00",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
