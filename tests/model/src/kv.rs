//! A model of Workers KV: values that are seen late, out of order, not at all, or old again.

use std::collections::BTreeMap;

use shared::UnixSeconds;

#[derive(Debug, Default)]
pub struct Kv {
    /// Every head that was put, and from when on it is seen. Of those seen the last one counts.
    heads: Vec<(UnixSeconds, Vec<u8>)>,
    segments: BTreeMap<String, (UnixSeconds, Vec<u8>)>,
    /// How long a write takes to be seen.
    pub delay_secs: u64,
    /// How many writes are acknowledged and lost.
    pub writes_to_lose: usize,
}

impl Kv {
    pub fn put_head(&mut self, message: Vec<u8>, now: UnixSeconds) {
        if !self.loses_one() {
            self.heads.push((now.plus_secs(self.delay_secs), message));
        }
    }

    pub fn put_segment(&mut self, sha256: &str, bytes: Vec<u8>, now: UnixSeconds) {
        if !self.loses_one() {
            let seen_at = now.plus_secs(self.delay_secs);
            self.segments.insert(sha256.to_owned(), (seen_at, bytes));
        }
    }

    fn loses_one(&mut self) -> bool {
        let loses = self.writes_to_lose > 0;
        self.writes_to_lose -= usize::from(loses);
        loses
    }

    /// An older value is the last one again.
    pub fn roll_back(&mut self, writes: usize, now: UnixSeconds) {
        let older = self.heads.len().checked_sub(writes + 1);
        if let Some((_, message)) = older.and_then(|place| self.heads.get(place)).cloned() {
            self.heads.push((now, message));
        }
    }

    #[must_use]
    pub fn read_head(&self, now: UnixSeconds) -> Option<&[u8]> {
        let mut seen = self.heads.iter().filter(|(seen_at, _)| *seen_at <= now);
        seen.next_back().map(|(_, message)| message.as_slice())
    }

    #[must_use]
    pub fn read_segment(&self, sha256: &str, now: UnixSeconds) -> Option<&[u8]> {
        let (seen_at, bytes) = self.segments.get(sha256)?;
        (*seen_at <= now).then_some(bytes.as_slice())
    }

    /// Whatever was on its way has arrived, and nothing is lost any more.
    pub fn recover(&mut self) {
        (self.delay_secs, self.writes_to_lose) = (0, 0);
        let heads = self.heads.iter_mut().map(|(seen_at, _)| seen_at);
        for seen_at in heads.chain(self.segments.values_mut().map(|(seen_at, _)| seen_at)) {
            *seen_at = UnixSeconds::EPOCH;
        }
    }
}
