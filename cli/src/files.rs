//! Files that people name: read within bounds, written whole or not at all.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use yenban_locales::Words;

use crate::fault::{Fault, Result, unreadable};

/// Opens a file for reading; a folder is no file, nor is a pipe or a device.
pub(crate) fn open(path: &Path, words: Words) -> Result<File> {
    // Before it is opened: opening a pipe would wait for ever.
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error, words))?;
    if metadata.is_dir() {
        return Err(unreadable(path, &std::io::Error::from(std::io::ErrorKind::IsADirectory), words));
    }
    if !metadata.is_file() {
        return Err(Fault::usage("error-not-a-file").at(path));
    }
    File::open(path).map_err(|error| unreadable(path, &error, words))
}

/// Refuses a name that is taken: what is written never replaces anything.
pub(crate) fn free(path: &Path) -> Result<()> {
    if std::fs::symlink_metadata(path).is_ok() { Err(Fault::usage("error-file-exists").at(path)) } else { Ok(()) }
}

/// The whole of a file that has at most `limit_bytes`.
pub(crate) fn read_bounded(path: &Path, limit_bytes: u64, words: Words) -> Result<Vec<u8>> {
    let file = open(path, words)?;
    let mut bytes = Vec::new();
    file.take(limit_bytes + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error, words))?;
    if bytes.len() as u64 > limit_bytes {
        let told = std::fs::metadata(path).map_or(bytes.len() as u64, |metadata| metadata.len());
        let fault = Fault::usage("error-file-too-big").at(path).with("size", words.size(told));
        return Err(fault.with("limit", words.size(limit_bytes)));
    }
    Ok(bytes)
}
