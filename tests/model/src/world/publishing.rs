//! Lists on their way: made, put into KV, told to those who listen.

use super::World;
use crate::isolate::Isolate;

impl World {
    pub(super) fn publish(&mut self) {
        self.commit();
        self.deliver();
        for place in 0..self.isolates.len() {
            self.with_isolate(place, Isolate::hear);
        }
    }

    pub(super) fn commit(&mut self) {
        let segments = self.origin.segments().count();
        let head = self.origin.commit_next_list(self.replicas_now());
        let other = self.heads.insert(head.ver, head);
        assert_eq!(other, None, "two heads of one version");
        self.reached.sealed += (self.origin.segments().count() - segments) as u64;
        self.published_at = self.now;
    }

    pub(super) fn merge(&mut self) {
        self.reached.merged += self.origin.merge(self.replicas_now());
    }

    /// New segments first, then the head, as `publisher::deliver`.
    fn deliver(&mut self) {
        for (sha256, bytes) in self.origin.segments() {
            if self.delivered_segments.insert(sha256.to_owned()) {
                self.kv.put_segment(sha256, bytes.to_vec(), self.now);
            }
        }
        self.put_head();
    }

    fn put_head(&mut self) {
        if let Some(list) = self.origin.published() {
            self.kv.put_head(list.message_after(0).to_vec(), self.now);
        }
    }

    /// Reads KV back and puts what is not there, as `publisher::reconcile`.
    pub(super) fn reconcile(&mut self) {
        for (sha256, bytes) in self.origin.segments() {
            if self.kv.read_segment(sha256, self.now).is_none() {
                self.kv.put_segment(sha256, bytes.to_vec(), self.now);
            }
        }
        self.put_head();
    }
}
