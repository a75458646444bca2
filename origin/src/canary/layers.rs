//! Where the time goes: when the canary's revocation was in a list, in KV, and at an edge by the pull
//! lane, as its receipt says. Times of the database's rows, so a late look makes none longer.

use std::time::Duration;

use shared::UnixSeconds;
use tokio::time::Instant;

use crate::app::App;
use crate::revocation::{Reader, Receipt, find_receipt};

const PAUSE: Duration = Duration::from_millis(25);
/// Nothing more is to be told apart after this long.
const LONGEST: Duration = Duration::from_secs(30);

/// Records each layer once the revocation has come to it; gives up after `patience`.
pub(super) async fn follow(app: &App, id: &str, recorded: Instant, patience: Duration) {
    let mut layers = Layers::of(app);
    while !layers.are_all_known() && recorded.elapsed() < patience.min(LONGEST) {
        match find_receipt(app, id, &Reader::Operator).await {
            Ok(Some(receipt)) => layers.note(&receipt, recorded),
            // Pruned, or the database is away: the next observation tells.
            Ok(None) | Err(_) => return,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What is still to be seen.
struct Layers {
    published: Layer,
    delivered: Layer,
    seen: Layer,
}

#[derive(PartialEq, Eq)]
enum Layer {
    Awaited,
    Known,
}

impl Layers {
    fn of(app: &App) -> Self {
        let awaited_if = |is_there| {
            if is_there {
                Layer::Awaited
            } else {
                Layer::Known
            }
        };
        Self {
            published: Layer::Awaited,
            delivered: awaited_if(app.config.lanes.kv.is_some()),
            seen: awaited_if(app.config.lanes.edge_secret.is_some()),
        }
    }

    fn are_all_known(&self) -> bool {
        let all = [&self.published, &self.delivered, &self.seen];
        all.into_iter().all(|layer| *layer == Layer::Known)
    }

    fn note(&mut self, receipt: &Receipt, recorded: Instant) {
        let since = |at: Option<UnixSeconds>| at.map(|at| at.secs_since(receipt.recorded_at));
        // The row tells the version, not when it got it.
        let published = receipt.version.map(|_| recorded.elapsed().as_secs_f64());
        self.published.record(published, "published", "none");
        self.delivered
            .record(since(receipt.delivered_at), "delivered", "kv");
        self.seen
            .record(since(receipt.seen_at_edge_at), "seen", "pull");
    }
}

impl Layer {
    fn record(&mut self, secs: Option<f64>, layer: &'static str, lane: &'static str) {
        if let Some(secs) = secs
            && *self == Self::Awaited
        {
            *self = Self::Known;
            metrics::histogram!("portcullis_time_to_revoke_seconds",
                "layer" => layer, "lane" => lane, "edge" => "")
            .record(secs.max(0.0));
        }
    }
}
