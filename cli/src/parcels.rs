//! Parcels in files and folders: a file has them one after another, a folder (a stick) one file for each.
//!
//! Files in a folder are named by their content, so what is there already is the same, and nothing is written over.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use yenban_locales::Words;
use yenban_protocol::crypto::sha256;

use crate::fault::{Fault, Result, unreadable, unwritable};
use crate::files;
use crate::limits::{PARCEL_FILE_MAX_BYTES, PARCEL_FILES_MAX};

/// Ending of a file of parcels in a folder.
const ENDING: &str = "ybp";
/// Bytes of the hash in a file's name.
const NAME_BYTES: usize = 8;

/// Writes parcels to a new file, or each to a file of its own in a folder that is there. Answers the bytes written.
pub(crate) fn write(path: &Path, parcels: &[Vec<u8>], words: Words) -> Result<u64> {
    if !path.is_dir() {
        files::free(path)?;
        let whole = parcels.concat();
        write_new(path, &whole).map_err(|error| unwritable(path, &error, words))?;
        return Ok(whole.len() as u64);
    }
    let mut written = 0;
    for parcel in parcels {
        let name = HEXLOWER.encode(&sha256(parcel)[..NAME_BYTES]);
        let file = path.join(format!("{name}.{ENDING}"));
        if std::fs::read(&file).is_ok_and(|there| there == *parcel) {
            continue;
        }
        // One that was cut off when the stick was pulled out is written again, beside and then in its place.
        let beside = path.join(format!("{name}.part"));
        let _ = std::fs::remove_file(&beside);
        write_new(&beside, parcel).and_then(|()| std::fs::rename(&beside, &file)).map_err(|error| unwritable(&file, &error, words))?;
        written += parcel.len() as u64;
    }
    Ok(written)
}

/// Until it is on the stick, and not only on its way there.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The files of parcels at a path: itself, or those in a folder.
pub(crate) fn listed(path: &Path, words: Words) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let listing = std::fs::read_dir(path).map_err(|error| unreadable(path, &error, words))?;
    let mut found: Vec<PathBuf> = Vec::new();
    for item in listing {
        let item = item.map_err(|error| unreadable(path, &error, words))?.path();
        if item.extension().is_some_and(|ending| ending == ENDING) && item.is_file() {
            found.push(item);
        }
        if found.len() > PARCEL_FILES_MAX {
            return Err(Fault::usage("error-courier-too-many").at(path).count("limit", PARCEL_FILES_MAX as u64));
        }
    }
    found.sort();
    if found.is_empty() { Err(Fault::usage("error-courier-none").at(path)) } else { Ok(found) }
}

/// The bytes of a file of parcels.
pub(crate) fn read(file: &Path, words: Words) -> Result<Vec<u8>> {
    files::read_bounded(file, PARCEL_FILE_MAX_BYTES, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use yenban_locales::Lang;

    #[test]
    fn a_folder_gets_each_parcel_once_and_mends_what_was_cut() {
        let words = Words::new(Lang::Vi);
        let stick = tempfile::tempdir().unwrap();
        let parcels = vec![vec![1; 10], vec![2; 20]];
        assert_eq!(write(stick.path(), &parcels, words).unwrap(), 30);
        assert_eq!(write(stick.path(), &parcels, words).unwrap(), 0);
        let cut = std::fs::read_dir(stick.path()).unwrap().next().unwrap().unwrap().path();
        std::fs::write(&cut, [1]).unwrap();
        std::fs::write(stick.path().join("photo.jpg"), [1]).unwrap();
        assert!(write(stick.path(), &parcels, words).unwrap() > 0);
        let mut read_back: Vec<Vec<u8>> = listed(stick.path(), words).unwrap().iter().map(|file| read(file, words).unwrap()).collect();
        read_back.sort();
        assert_eq!(read_back, parcels);
    }

    #[test]
    fn a_file_is_never_written_over() {
        let words = Words::new(Lang::Vi);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("goi.ybp");
        assert_eq!(write(&file, &[vec![1; 10], vec![2; 20]], words).unwrap(), 30);
        assert!(write(&file, &[vec![1; 10]], words).is_err());
        assert!(read(&folder.path().join("other"), words).is_err());
    }
}
