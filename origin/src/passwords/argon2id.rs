//! Argon2id in memory that is kept from one hash to the next. It knows no threads and no policy.
//!
//! Whoever allocates 19 MiB for each hash leaves them with the allocator, and glibc's keeps some
//! for each thread that ever hashed: 600 MiB after a few hundred logins.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::{Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::Verdict;
use crate::error::ApiError;

/// OWASP's second choice of June 2026: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// As many working memories as ever hashed at once.
#[derive(Default)]
pub(super) struct Hasher {
    idle: Mutex<Vec<Vec<Block>>>,
}

impl Hasher {
    /// A PHC string, with a salt of its own.
    pub(super) fn hash(&self, password: &str) -> Result<String, ApiError> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| ApiError::Internal("no random numbers"))?;
        let salt = SaltString::encode_b64(&bytes).map_err(|_| ApiError::Internal("bad salt"))?;
        let argon2 = current()?;
        let output = self.compute(&argon2, password, &bytes, Params::DEFAULT_OUTPUT_LEN)?;
        let params = ParamsString::try_from(argon2.params())
            .map_err(|_| ApiError::Internal("the Argon2 parameters cannot be written"))?;
        let phc = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params,
            salt: Some(salt.as_salt()),
            hash: Some(output),
        };
        Ok(phc.to_string())
    }

    /// Costs what the stored hash cost, whatever the verdict.
    pub(super) fn verify(&self, password: &str, stored: &str) -> Result<Verdict, ApiError> {
        let unreadable = || ApiError::Internal("a stored password hash cannot be read");
        let stored = PasswordHash::new(stored).map_err(|_| unreadable())?;
        let used = parameters(&stored).ok_or_else(unreadable)?;
        let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else {
            return Err(unreadable());
        };
        let mut buffer = [0; Salt::MAX_LENGTH];
        let salt = salt.decode_b64(&mut buffer).map_err(|_| unreadable())?;
        // `Output` compares in constant time.
        if self.compute(&used, password, salt, expected.len())? != expected {
            return Ok(Verdict::Wrong);
        }
        if is_current(&stored, &used)? {
            return Ok(Verdict::Right);
        }
        Ok(Verdict::RightAndRehashed(self.hash(password)?))
    }

    fn compute(
        &self,
        argon2: &Argon2<'_>,
        password: &str,
        salt: &[u8],
        length: usize,
    ) -> Result<Output, ApiError> {
        let failed = || ApiError::Internal("a password could not be hashed");
        let mut memory = self.take();
        memory.resize(argon2.params().block_count(), Block::default());
        let output = Output::init_with(length, |out| {
            argon2
                .hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory)
                .map_err(Into::into)
        });
        self.give_back(memory);
        output.map_err(|_| failed())
    }

    fn take(&self) -> Vec<Block> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().unwrap_or_default()
    }

    fn give_back(&self, memory: Vec<Block>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(memory);
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}

fn current() -> Result<Argon2<'static>, ApiError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|_| ApiError::Internal("the Argon2 parameters are out of range"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// How a stored hash was made; none where it names what we do not have.
fn parameters(stored: &PasswordHash<'_>) -> Option<Argon2<'static>> {
    let algorithm = Algorithm::try_from(stored.algorithm).ok()?;
    let version = match stored.version {
        Some(version) => Version::try_from(version).ok()?,
        None => Version::default(),
    };
    let params = Params::try_from(stored).ok()?;
    Some(Argon2::new(algorithm, version, params))
}

fn is_current(stored: &PasswordHash<'_>, used: &Argon2<'_>) -> Result<bool, ApiError> {
    Ok(stored.algorithm == Algorithm::Argon2id.ident()
        && stored.version == Some(Version::V0x13.into())
        && costs(used.params()) == costs(current()?.params()))
}

fn costs(params: &Params) -> (u32, u32, u32) {
    (params.m_cost(), params.t_cost(), params.p_cost())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_one_memory_however_often_it_hashes() {
        let hasher = Hasher::default();
        let stored = hasher.hash("correct horse").unwrap();
        for _ in 0..3 {
            assert_eq!(
                hasher.verify("correct horse", &stored).unwrap(),
                Verdict::Right
            );
            assert_eq!(
                hasher.verify("battery staple", &stored).unwrap(),
                Verdict::Wrong
            );
        }
        assert_eq!(hasher.idle.into_inner().unwrap().len(), 1);
    }

    #[test]
    fn answers_as_the_library_does_for_hashes_of_any_parameters() {
        use argon2::password_hash::{PasswordHasher, PasswordVerifier};
        let hasher = Hasher::default();
        let ours = hasher.hash("correct horse").unwrap();
        let read = PasswordHash::new(&ours).unwrap();
        assert!(
            Argon2::default()
                .verify_password(b"correct horse", &read)
                .is_ok()
        );
        for (algorithm, version) in [
            (Algorithm::Argon2i, Version::V0x13),
            (Algorithm::Argon2d, Version::V0x10),
            (Algorithm::Argon2id, Version::V0x10),
        ] {
            let params = Params::new(64, 3, 2, Some(24)).unwrap();
            let salt = SaltString::encode_b64(b"0123456789abcdef").unwrap();
            let theirs = Argon2::new(algorithm, version, params)
                .hash_password(b"correct horse", &salt)
                .unwrap()
                .to_string();
            let verdict = hasher.verify("correct horse", &theirs).unwrap();
            assert!(matches!(verdict, Verdict::RightAndRehashed(_)), "{theirs}");
            assert_eq!(
                hasher.verify("battery staple", &theirs).unwrap(),
                Verdict::Wrong
            );
        }
    }

    #[test]
    fn a_hash_that_cannot_be_read_is_no_wrong_password() {
        let hasher = Hasher::default();
        for unreadable in [
            "",
            "$bcrypt$x",
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$argon2id$v=7$m=64,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            let answer = hasher.verify("correct horse", unreadable);
            assert_eq!(answer.unwrap_err().code(), "internal", "{unreadable}");
        }
    }
}
