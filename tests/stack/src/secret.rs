//! Random secrets for stacks that live as long as a test or a developer's afternoon.

use std::fs::File;
use std::io::Read;

use anyhow::Context;

/// 128 random bits in hexadecimal.
pub fn generate() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
