//! Small files and folders, written so that a power cut leaves the old or the new, never half.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Creates `folder` for its owner alone, and syncs its parent so that it stays.
pub(crate) fn create_private_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|e| Error::io("create folder", folder, e))?;
    sync_parent(folder)
}

/// Options for a new file that only its owner can read.
pub(crate) fn private_new() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes `bytes` beside `path`, syncs, renames into place, syncs the folder.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = temporary_beside(path);
    // A leftover of a killed attempt was never acknowledged.
    let _ = fs::remove_file(&temporary);
    let mut file = private_new().open(&temporary).map_err(|e| Error::io("create", &temporary, e))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| Error::io("write", &temporary, e))?;
    put_in_place(&temporary, path)
}

/// Renames a synced file to its name and syncs the folder.
pub(crate) fn put_in_place(temporary: &Path, path: &Path) -> Result<()> {
    fs::rename(temporary, path).map_err(|e| Error::io("rename", path, e))?;
    sync_parent(path)
}

fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Syncs the folder that holds `path`: without it a new name may be gone after a power cut.
pub(crate) fn sync_parent(path: &Path) -> Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(|e| Error::io("sync folder", parent, e))
}

/// Reads a file that must not be longer than `limit` bytes.
pub(crate) fn read_small(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, e))?;
    if bytes.len() as u64 > limit {
        return Err(Error::StoreDamaged { path: path.to_path_buf(), why: format!("it is longer than {limit} bytes") });
    }
    Ok(bytes)
}
