//! Newer lists, one after another, each with ten thousand new entries: how long an edge computes until
//! it has taken one.

use std::time::Duration;

use list_bench::Command;
use shared::UnixSeconds;

use super::host::Host;
use crate::bench::revoked_list::RevokedList;
use crate::bench::stats::Summary;

/// New in each.
pub(super) const NEW_ENTRIES: u64 = 10_000;

/// What came of a series.
#[derive(Debug)]
pub(super) struct Series {
    /// The very first, in code that the engine has not optimised yet.
    pub(super) first: Duration,
    /// Milliseconds, of all after it.
    pub(super) millis: Summary,
    /// Of all of them, each: processor milliseconds; `None` where time is processor time.
    pub(super) cpu_millis: Option<f64>,
}

/// `numbers`: which of the lists that follow `list`.
pub(super) async fn measure(
    host: &mut Host,
    list: &RevokedList,
    now: UnixSeconds,
    numbers: std::ops::Range<u64>,
    verify: bool,
) -> anyhow::Result<Series> {
    let count = f64::from(u32::try_from(numbers.end - numbers.start)?);
    for number in numbers.clone() {
        let update = list.sign_update(number, NEW_ENTRIES, now)?;
        let (reference, bytes) = update.segment;
        host.order(Command::HoldSegment { reference }, bytes)
            .await?;
        let message = update.message.to_json().into_bytes();
        host.order(Command::HoldMessage, message).await?;
    }
    let cpu_before = host.cpu_secs()?;
    let mut times = Vec::new();
    for _ in numbers {
        let (_, took) = host.count(Command::Apply { verify }).await?;
        times.push(took);
    }
    let cpu_after = host.cpu_secs()?;
    let cpu_millis = cpu_before
        .zip(cpu_after)
        .map(|(before, after)| (after - before) * 1e3 / count);
    let rest = times.iter().skip(1).map(|took| took.as_secs_f64() * 1e3);
    let nothing = Summary {
        median: f64::NAN,
        min: f64::NAN,
        max: f64::NAN,
    };
    Ok(Series {
        first: times.first().copied().unwrap_or_default(),
        millis: Summary::of(rest).unwrap_or(nothing),
        cpu_millis,
    })
}
