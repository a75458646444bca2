//! Small files that only their owner may read, made once and never changed: keys, names, mails. And
//! what others than the owner may do with a file or folder that was there before.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use tempfile::NamedTempFile;

const OWNER_ONLY: u32 = 0o700;

/// The most that others than the owner may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OthersMay {
    Nothing,
    Read,
    Write,
}

/// Puts the whole file in place in one step, unless there is one already: whoever comes second
/// leaves the first one's content alone, and nobody ever reads half of it.
pub(crate) fn create(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_folder(folder)?;
    // A temporary file has mode 0600 from its first moment.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(content.as_ref())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => File::open(folder)?.sync_all(),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

/// Makes a file without content that only its owner may read and write, unless there is one.
pub(crate) fn create_empty(path: &Path) -> io::Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Makes a folder, with its parents, that only its owner may enter.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ONLY)
        .create(folder)
}

/// Lets nobody but its owner read and write a file that is there.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(0o600))
}

/// A group that may write to a folder is not counted: volumes are handed over by one, by design.
pub(crate) fn what_others_may(path: &Path) -> io::Result<OthersMay> {
    let metadata = fs::metadata(path)?;
    let writing = if metadata.is_dir() { 0o002 } else { 0o022 };
    let mode = metadata.permissions().mode();
    Ok(if mode & writing != 0 {
        OthersMay::Write
    } else if mode & 0o044 != 0 {
        OthersMay::Read
    } else {
        OthersMay::Nothing
    })
}
