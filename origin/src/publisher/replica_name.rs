//! What an origin is called among the replicas on one database: a random name, kept in the data
//! folder, so that after a crash it gets its own lease back without waiting for it to lapse.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::private_file;

const FILE_NAME: &str = "replica-name";

#[derive(Debug, thiserror::Error)]
pub enum ReplicaNameError {
    #[error("the file {} cannot be read or written (PORTCULLIS_DATA_DIR)", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the random generator failed")]
    NoRandom,
}

pub fn load_or_create(data_dir: &Path) -> Result<String, ReplicaNameError> {
    let path = data_dir.join(FILE_NAME);
    let name = random_name()?;
    read_or_create(&path, &name).map_err(|source| ReplicaNameError::File { path, source })
}

fn read_or_create(path: &Path, name: &str) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            private_file::create(path, name)?;
            fs::read_to_string(path)
        }
        read => read,
    }
}

fn random_name() -> Result<String, ReplicaNameError> {
    let mut bytes = [0; 12];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| ReplicaNameError::NoRandom)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
