//! A disk for the files of photographs that ends the program at a call, or refuses it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test binary uses its own part")]

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};

use yenban_core::disk::{Disk, DiskFile, RealDisk};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The program ends before the call.
    DiesBefore,
    /// The program ends after the call.
    DiesAfter,
    /// The call fails, this one time.
    FailsOnce(io::ErrorKind),
    /// This call fails and all after it.
    Fails(io::ErrorKind),
    /// A write takes half of its bytes, then nothing.
    Short,
}

/// What a dying program unwinds with.
pub struct Killed;

pub struct Shared {
    calls: AtomicU64,
    at: AtomicU64,
    fault: Fault,
}

pub const NEVER: u64 = u64::MAX;

impl Shared {
    /// Runs a call, or what becomes of it.
    fn call<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let (number, at) = (self.calls.fetch_add(1, Ordering::Relaxed), self.at.load(Ordering::Relaxed));
        match self.fault {
            Fault::DiesBefore if number >= at => std::panic::panic_any(Killed),
            Fault::DiesAfter if number == at => {
                let _ = work();
                std::panic::panic_any(Killed)
            }
            Fault::DiesAfter if number > at => std::panic::panic_any(Killed),
            Fault::FailsOnce(kind) if number == at => Err(kind.into()),
            Fault::Fails(kind) if number >= at => Err(kind.into()),
            _ => work(),
        }
    }

    fn write(&self, file: &mut dyn DiskFile, bytes: &[u8]) -> io::Result<usize> {
        let number = self.calls.load(Ordering::Relaxed);
        if self.fault == Fault::Short && number >= self.at.load(Ordering::Relaxed) {
            self.calls.fetch_add(1, Ordering::Relaxed);
            // Once half of it, then nothing: as a disk that fills up.
            let half = bytes.len() / 2;
            return if number == self.at.load(Ordering::Relaxed) && half > 0 {
                file.write(&bytes[..half])
            } else {
                Err(io::ErrorKind::StorageFull.into())
            };
        }
        self.call(|| file.write(bytes))
    }
}

#[derive(Clone)]
pub struct FaultyDisk(Arc<Shared>);

impl FaultyDisk {
    pub fn new(fault: Fault, at: u64) -> FaultyDisk {
        FaultyDisk(Arc::new(Shared { calls: AtomicU64::new(0), at: AtomicU64::new(at), fault }))
    }

    /// Sets the call from which the fault is there.
    pub fn fail_at(&self, at: u64) {
        self.0.at.store(at, Ordering::Relaxed);
    }

    pub fn heal(&self) {
        self.0.at.store(NEVER, Ordering::Relaxed);
    }

    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }
}

/// With the thread that opened it: a decoder that reads beside the sealing makes no calls of a certain number.
struct FaultyFile(Box<dyn DiskFile>, Arc<Shared>, std::thread::ThreadId);

impl Read for FaultyFile {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // A panic inside a decoder is no death of the program, so the death waits for the next call of ours.
        let shared = &self.1;
        let number = shared.calls.load(Ordering::Relaxed);
        let beside = std::thread::current().id() != self.2;
        if matches!(shared.fault, Fault::DiesBefore | Fault::DiesAfter) && number >= shared.at.load(Ordering::Relaxed) {
            shared.calls.fetch_add(u64::from(!beside), Ordering::Relaxed);
            return Err(io::Error::other("the program is dying"));
        }
        if beside {
            return self.0.read(out);
        }
        shared.clone().call(|| self.0.read(out))
    }
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.clone().write(self.0.as_mut(), bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl DiskFile for FaultyFile {
    fn sync(&mut self) -> io::Result<()> {
        self.1.clone().call(|| self.0.sync())
    }
}

impl Disk for FaultyDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.0.call(|| RealDisk.create_new(path))?;
        Ok(Box::new(FaultyFile(file, self.0.clone(), std::thread::current().id())))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.0.call(|| RealDisk.open(path))?;
        Ok(Box::new(FaultyFile(file, self.0.clone(), std::thread::current().id())))
    }
    fn size_bytes(&self, path: &Path) -> io::Result<Option<u64>> {
        self.0.call(|| RealDisk.size_bytes(path))
    }
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.0.call(|| RealDisk.create_folder(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.call(|| RealDisk.rename(from, to))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.call(|| RealDisk.remove(path))
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.call(|| RealDisk.sync_folder(folder))
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.0.call(|| RealDisk.list(folder))
    }
    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        self.0.call(|| RealDisk.free_bytes(folder))
    }
    fn preallocate(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        self.0.call(|| RealDisk.preallocate(path, size_bytes))
    }
    /// The database's own: what becomes of it when this fails, the simulation tries.
    fn renew(&self, path: &Path) -> io::Result<()> {
        RealDisk.renew(path)
    }
}

/// A small picture.
pub fn jpeg(shade: u8) -> Vec<u8> {
    let pixels: Vec<u8> = (0..96 * 64 * 3).map(|n| (n % 97) as u8 ^ shade).collect();
    let mut out = Vec::new();
    jpeg_encoder::Encoder::new(&mut out, 90).encode(&pixels, 96, 64, jpeg_encoder::ColorType::Rgb).unwrap();
    out
}

/// Deaths that a test asked for are not told.
pub fn quiet_deaths() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<Killed>().is_none() {
                usual(info);
            }
        }));
    });
}

/// Copies a store to `to`, in place of what lies there.
pub fn copy_store(from: &Path, to: &Path) -> PathBuf {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for item in std::fs::read_dir(from).unwrap().flatten() {
            let target = to.join(item.file_name());
            match item.file_type().unwrap().is_dir() {
                true => copy(&item.path(), &target),
                false => drop(std::fs::copy(item.path(), target).unwrap()),
            }
        }
    }
    let _ = std::fs::remove_dir_all(to);
    copy(from, to);
    to.to_path_buf()
}
