//! The cache of verified tokens: what it may save, and what it must not.

use std::rc::Rc;

use crate::support::{NOW, claims, claims_with, token_text, valid_token};
use edge::verified_cache::{CacheCounters, VerifiedCache};
use shared::ValidToken;

const MEBIBYTE: usize = 1024 * 1024;

fn token(name: &str) -> (String, Rc<ValidToken>) {
    let claims = claims_with("jti", name);
    (token_text(&claims), Rc::new(valid_token(&claims)))
}

#[test]
fn finds_the_very_same_token_only() {
    let mut cache = VerifiedCache::new(MEBIBYTE);
    let (text, valid) = token("a");
    cache.insert(&text, valid);
    assert_eq!(cache.find(&text, NOW).unwrap().claims().jti.as_str(), "a");
    let mut other = text.clone();
    other.push('A');
    assert!(cache.find(&other, NOW).is_none());
    assert!(cache.find(&text[..text.len() - 1], NOW).is_none());
    assert_eq!(cache.counters().hits, 1);
    assert_eq!(cache.counters().misses, 2);
}

#[test]
fn recalls_what_it_would_find_and_counts_what_came_of_it() {
    let mut cache = VerifiedCache::new(MEBIBYTE);
    let (text, valid) = token("a");
    cache.insert(&text, valid);
    assert_eq!(cache.recall(&text, NOW).unwrap().claims().jti.as_str(), "a");
    assert!(cache.recall("another", NOW).is_none());
    assert_eq!(cache.counters(), CacheCounters::default());
    cache.note_hit_at_once();
    let counters = cache.counters();
    assert_eq!((counters.hits, counters.hits_at_once), (1, 1));
    assert!(cache.recall(&text, NOW.plus_secs(3600)).is_none());
}

#[test]
fn forgets_a_token_when_it_expires() {
    let mut cache = VerifiedCache::new(MEBIBYTE);
    let text = token_text(&claims());
    cache.insert(&text, Rc::new(valid_token(&claims())));
    assert!(cache.find(&text, NOW.plus_secs(3599)).is_some());
    assert!(cache.find(&text, NOW.plus_secs(3600)).is_none());
    assert_eq!(cache.entry_count(), 0);
    assert_eq!(cache.bytes(), 0);
}

#[test]
fn stays_within_its_bytes_and_keeps_what_is_in_use() {
    let max_bytes = 64 * 1024;
    let mut cache = VerifiedCache::new(max_bytes);
    let (used, valid) = token("used");
    cache.insert(&used, valid);
    let (_, other) = token("other");
    for number in 0..500 {
        cache.insert(&format!("token-{number}"), Rc::clone(&other));
        assert!(cache.bytes() <= max_bytes);
        assert!(
            cache.find(&used, NOW).is_some(),
            "lost after {number} others"
        );
    }
    assert!(cache.find("token-0", NOW).is_none());
    assert!(cache.find("token-499", NOW).is_some());
}

#[test]
fn takes_no_token_that_would_fill_it_alone() {
    let mut cache = VerifiedCache::new(1024);
    let (text, valid) = token("a");
    cache.insert(&text, valid);
    assert_eq!(cache.entry_count(), 0);
}

#[test]
fn forgets_everything_when_it_is_cleared() {
    let mut cache = VerifiedCache::new(MEBIBYTE);
    let (text, valid) = token("a");
    cache.insert(&text, valid);
    cache.clear();
    assert!(cache.find(&text, NOW).is_none());
    assert_eq!(cache.bytes(), 0);
}
