//! How many files, and so connections, this process may have open. The usual soft limit is 1024,
//! which hanging pulls outgrow; the hard limit is the operator's to set.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Besides connections: databases, Redis, KV, the log.
const OTHERS: u64 = 256;

/// Raises the soft limit as far as `connections` need and the hard limit allows; says so in the log
/// if that is not far enough.
pub(crate) fn raise_limit(connections: usize) {
    let wanted = connections as u64 + OTHERS;
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        let most = wanted.min(hard).max(soft);
        setrlimit(Resource::RLIMIT_NOFILE, most, hard).map(|()| most)
    });
    match raised {
        Ok(most) if most >= wanted => {}
        Ok(most) => tracing::warn!(
            open_files = most,
            wanted,
            "fewer connections than PORTCULLIS_MAX_WAITERS asks for: raise the hard limit \
             (ulimit -Hn, LimitNOFILE)"
        ),
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
    }
}
