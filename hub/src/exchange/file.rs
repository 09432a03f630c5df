//! A file that appears whole or not at all: written beside its place under another name, fsynced, then renamed. It
//! never takes the place of another.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::entropy;
use crate::error::{HubError, Result};
use crate::folder;

/// A file under way. Dropped without [`Outgoing::finish`], it leaves nothing behind.
pub(super) struct Outgoing {
    file: Option<BufWriter<File>>,
    partial: PathBuf,
    target: PathBuf,
}

impl Outgoing {
    /// Begins the file `target`; nothing may lie under that name. There is no file before [`Outgoing::create`], so that
    /// where it will lie can be noted first.
    pub(super) fn begin(target: &Path) -> Result<Self> {
        if fs::symlink_metadata(target).is_ok() {
            return Err(HubError::folder(target, "exists already: nothing is written over, choose another name"));
        }
        let name = target.file_name().ok_or_else(|| HubError::folder(target, "this is no name of a file"))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{:016x}.partial", u64::from_le_bytes(entropy::array())));
        let partial = target.with_file_name(hidden);
        Ok(Self { file: None, partial, target: target.to_owned() })
    }

    /// Makes the file, under the name it has until it is whole; the folder must be there.
    pub(super) fn create(&mut self) -> Result<()> {
        // Reports are for the one who exports, not for every account of the machine.
        let file = folder::create_private(&self.partial).map_err(HubError::file(&self.target))?;
        self.file = Some(BufWriter::new(file));
        Ok(())
    }

    /// The name it will have.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Where it lies until then: whoever dies over it can be cleaned up after.
    pub(super) fn partial(&self) -> &Path {
        &self.partial
    }

    /// Makes the file durable and gives it its name. After an error there is nothing under that name.
    pub(super) fn finish(&mut self) -> Result<()> {
        let writer = self.file.take().ok_or(HubError::Stopping)?;
        let done = || -> io::Result<()> {
            let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            fs::rename(&self.partial, &self.target)?;
            let folder = self.target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            // The new name is durable with its folder.
            File::open(folder)?.sync_all().inspect_err(|_| drop(fs::remove_file(&self.target)))
        };
        done().map_err(HubError::file(&self.target))
    }
}

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        // After a rename there is nothing under this name; otherwise half a file must not stay.
        let _ = fs::remove_file(&self.partial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("tuần tra.gpx");
        let mut given_up = Outgoing::begin(&target).unwrap();
        assert!(names(folder.path()).is_empty(), "nothing lies there before it was noted");
        given_up.create().unwrap();
        given_up.write_all(b"half").unwrap();
        drop(given_up);
        assert!(names(folder.path()).is_empty());

        let mut finished = Outgoing::begin(&target).unwrap();
        finished.create().unwrap();
        finished.write_all(b"new").unwrap();
        finished.finish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["tuần tra.gpx"]);
        assert!(Outgoing::begin(&target).is_err(), "nothing is written over");
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_by_the_name_that_was_given() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("none/out.csv");
        match Outgoing::begin(&target).and_then(|mut file| file.create()) {
            Err(HubError::File { path, .. }) => assert_eq!(path, target),
            other => panic!("{:?}", other.map(|_| ())),
        }
        assert!(Outgoing::begin(Path::new("/")).is_err());
    }
}
