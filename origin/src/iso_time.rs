//! Times as people read them: RFC 3339 in UTC, to the millisecond.

use shared::UnixSeconds;
use time::OffsetDateTime;
use time::format_description::StaticFormatDescription;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// Always three digits of a fraction: so the texts sort as the times do.
const TO_THE_MILLISECOND: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// `2026-11-24T21:58:20.120Z`; a time past the year 9999 is shown as that year's end.
#[must_use]
pub fn format(at: UnixSeconds) -> String {
    let millis = i128::from(at.as_millis());
    OffsetDateTime::from_unix_timestamp_nanos(millis * 1_000_000)
        .ok()
        .and_then(|time| time.format(TO_THE_MILLISECOND).ok())
        .unwrap_or_else(|| "9999-12-31T23:59:59.999Z".to_owned())
}

/// `None`: not a time, or not in UTC. A time before 1970 counts as its start: nothing of ours is
/// older than either.
#[must_use]
pub fn parse(text: &str) -> Option<UnixSeconds> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let millis = (time.unix_timestamp_nanos() / 1_000_000).max(0);
    let millis = u64::try_from(millis).ok()?;
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
        assert_eq!(format(at), "2025-11-24T21:31:42.120Z");
        assert_eq!(parse(&format(at)), Some(at));
    }

    #[test]
    fn texts_sort_as_their_times_do() {
        let millis = [
            0,
            1,
            90,
            100,
            999,
            1_000,
            1_010,
            60_000,
            u64::MAX / 1_000_000_000,
        ];
        let texts = millis.map(|millis| format(UnixSeconds::from_millis(millis)));
        assert!(texts.is_sorted(), "{texts:?}");
        assert!(texts.iter().all(|text| text.len() == 24), "{texts:?}");
    }

    #[test]
    fn takes_a_time_before_1970_for_its_start() {
        for early in ["1900-01-01T00:00:00Z", "1969-12-31T23:59:59.5Z"] {
            assert_eq!(parse(early), Some(UnixSeconds::from_secs(0)), "{early}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_time_in_utc() {
        for bad in [
            "",
            "now",
            "2026-11-24",
            "2026-11-24T21:58:20+01:00",
            "1900-01-01T00:00:00+01:00",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
