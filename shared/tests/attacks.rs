//! The corpus through the native verifier: one test a class, named for the attack or the rule.

use std::collections::BTreeSet;

use crate::verdicts::{Expectation, OWN_FILES, disagreement, own_folder, read_cases};

/// The classes that have a test here, each with the sentence that it holds.
macro_rules! classes {
    ($($test:ident = $class:literal,)+) => {
        $(
            #[test]
            fn $test() {
                assert_class_holds($class);
            }
        )+

        const CLASSES: &[&str] = &[$($class,)+];
    };
}

classes! {
    accepts_every_algorithm_and_refuses_another_tokens_signature = "every-algorithm",
    refuses_alg_none_in_every_case = "alg-none",
    refuses_hmac_under_an_empty_key = "empty-key",
    refuses_hmac_under_a_public_key = "hmac-confusion",
    refuses_an_algorithm_chosen_by_the_header = "alg-from-header",
    pins_a_key_without_alg_to_the_one_of_its_kind = "alg-without-pin",
    takes_both_names_of_ed25519 = "eddsa-names",
    refuses_algorithms_that_the_policy_does_not_allow = "allowed-algorithms",
    refuses_a_key_that_the_token_brings = "embedded-key",
    refuses_a_url_of_a_key = "key-url",
    refuses_any_crit = "crit",
    refuses_an_unencoded_payload = "unencoded-payload",
    refuses_compression_encryption_and_nesting = "no-compression-encryption-nesting",
    ignores_other_header_members_of_any_type = "other-header-members",
    refuses_a_header_that_is_no_object = "header-not-an-object",
    refuses_a_kid_that_is_an_injection = "kid-injection",
    chooses_the_key_by_kid_and_never_by_guess = "kid-choice",
    leaves_out_keys_that_share_a_kid = "kid-once",
    refuses_header_members_that_are_no_strings = "header-strings",
    refuses_tokens_of_another_kind = "typ-confusion",
    compares_typ_as_a_media_type = "typ-as-media-type",
    refuses_our_own_list_as_a_token = "list-as-token",
    refuses_a_second_spelling_of_a_token = "base64url-spelling",
    refuses_any_number_of_parts_but_three = "part-count",
    refuses_json_serialisation_and_polyglots = "json-serialisation",
    refuses_encrypted_tokens = "jwe",
    refuses_huge_tokens = "huge-token",
    refuses_duplicate_members_at_any_depth = "duplicate-members",
    refuses_a_payload_that_is_no_object = "payload-not-an-object",
    refuses_json_deeper_than_32_levels = "depth",
    refuses_text_that_is_not_unicode = "unicode",
    agrees_with_the_examples_of_the_rfcs = "rfc-examples",
    requires_our_audience = "audience",
    requires_the_exact_issuer = "issuer",
    requires_the_claims_that_a_token_must_have = "required-claims",
    refuses_a_token_that_no_revocation_could_name = "missing-token-id",
    bounds_the_length_of_names = "name-length",
    requires_a_session_of_our_own_tokens_only = "session-of-our-own",
    refuses_optional_claims_of_another_type = "optional-claims",
    refuses_dates_that_are_no_dates = "time-claims",
    refuses_a_token_on_or_after_its_exp = "expiry",
    refuses_a_token_before_its_nbf = "not-before",
    refuses_a_token_from_the_future = "issued-at",
    refuses_a_token_that_lives_too_long = "lifetime",
    refuses_psychic_signatures = "psychic-signature",
    accepts_the_negated_ecdsa_signature_as_the_same_token = "ecdsa-negation",
    refuses_ed25519_edge_points = "ed25519-edge-points",
    refuses_signatures_by_another_key_or_over_other_bytes = "wrong-signature",
    leaves_out_keys_that_are_not_for_verifying = "key-use",
    leaves_out_keys_that_show_a_secret = "key-secrets",
    leaves_out_keys_of_another_form = "key-form",
    leaves_out_points_that_are_none = "key-points",
    leaves_out_keys_whose_alg_is_of_another_kind = "key-algorithm",
    takes_keys_with_other_members = "legal-keys",
    keeps_the_rest_of_a_set_with_bad_keys = "the-rest-of-the-set",
    refuses_documents_that_are_no_key_sets = "key-set-form",
    leaves_out_weak_rsa_keys = "weak-rsa-key",
}

#[test]
fn tests_every_class_of_the_corpus() {
    let tested: BTreeSet<_> = CLASSES.iter().map(|class| (*class).to_owned()).collect();
    let written: BTreeSet<_> = cases().into_iter().map(|(_, case)| case.class).collect();
    assert_eq!(tested, written);
}

fn assert_class_holds(class: &str) {
    let cases: Vec<_> = cases()
        .into_iter()
        .filter(|(_, case)| case.class == class)
        .collect();
    assert!(!cases.is_empty(), "no case of class {class}");
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|(line, case)| disagreement(line, case))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} disagreements:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn cases() -> Vec<(String, Expectation)> {
    OWN_FILES
        .iter()
        .flat_map(|file| read_cases(&own_folder().join(file)))
        .collect()
}
