//! Who used how much processor time while a load ran.

use super::process_tree::CpuTimes;
use super::results::Cpu;
use crate::bench::ensure_finite;
use crate::bench::machine::cpu_secs;

/// The roots of the process trees that serve the measured service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    pub(super) postgres: u32,
    pub(super) redis: u32,
}

#[derive(Debug)]
pub(super) struct Watch {
    service: CpuTimes,
    postgres: CpuTimes,
    redis: CpuTimes,
    load_secs: f64,
}

impl Watch {
    pub(super) fn begin(service: u32, around: Around) -> anyhow::Result<Self> {
        Ok(Self {
            service: CpuTimes::read(service)?,
            postgres: CpuTimes::read(around.postgres)?,
            redis: CpuTimes::read(around.redis)?,
            load_secs: own_secs(),
        })
    }

    /// Shared out over `requests`.
    pub(super) fn end(&self, requests: f64) -> anyhow::Result<Cpu> {
        let load_secs = own_secs() - self.load_secs;
        let share = |secs: f64| ensure_finite("CPU a request", secs * 1e6 / requests);
        Ok(Cpu {
            service: share(self.service.secs_since()?)?,
            postgres: share(self.postgres.secs_since()?)?,
            redis: share(self.redis.secs_since()?)?,
            load: share(load_secs)?,
        })
    }
}

/// This process asks; the servers are its children and not counted here.
fn own_secs() -> f64 {
    cpu_secs(std::process::id()).unwrap_or_default()
}
