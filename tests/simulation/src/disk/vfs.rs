//! SQLite's files on a [`Platter`]: the machine's own VFS with a gate before each call and a list behind it.
//!
//! The one file with `unsafe` in it: SQLite asks for C functions. It becomes the default VFS of this process, so the
//! stores of phone and hub open their databases as they always do. Files outside every platter pass through untouched.
//! Syncs reach no real disk, which makes a synced commit cost what its computing costs.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, Once};

use rusqlite::ffi;
use rusqlite::ffi::{sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use super::platter::{Call, Failure, Go, Platter};

/// Ours, followed in memory by the file of the VFS below.
#[repr(C)]
struct File {
    base: sqlite3_file,
    watched: *mut Watched,
}

/// What a file of a platter is.
struct Watched {
    platter: Arc<Platter>,
    path: PathBuf,
    /// The first sync of a journal syncs its folder too, as SQLite's own VFS does it.
    name_unsynced: Cell<bool>,
}

/// Makes it the VFS that databases of this process are opened with, once.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: the VFS found is SQLite's own and lives as long as the process; ours is leaked, so it does too. Both
        // functions may be called from any thread.
        unsafe {
            ffi::sqlite3_initialize();
            let below = ffi::sqlite3_vfs_find(ptr::null());
            assert!(!below.is_null(), "SQLite has a VFS on every system it runs on");
            let mut ours = *below;
            ours.zName = c"platter".as_ptr();
            ours.szOsFile = (*below).szOsFile + size_of::<File>() as c_int;
            ours.pAppData = below.cast();
            ours.pNext = ptr::null_mut();
            ours.xOpen = Some(open);
            ours.xDelete = Some(delete);
            ours.xAccess = Some(access);
            ours.xFullPathname = Some(full_pathname);
            // What is left needs nothing of ours but is called with our VFS: SQLite's own functions look at their
            // argument only for the path of system calls, which they keep elsewhere.
            let registered = ffi::sqlite3_vfs_register(Box::into_raw(Box::new(ours)), 1);
            assert_eq!(registered, ffi::SQLITE_OK, "SQLite takes a VFS");
        }
    });
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};

/// The VFS below.
///
/// # Safety
/// `vfs` is ours.
unsafe fn below(vfs: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    // SAFETY: `install` put it there.
    unsafe { (*vfs).pAppData.cast() }
}

/// The file of the VFS below.
///
/// # Safety
/// `file` is ours: SQLite gave `szOsFile` bytes for it, of which the first are [`File`].
unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: within the memory SQLite gave; `File` is two pointers, so what follows is aligned.
    unsafe { file.cast::<u8>().add(size_of::<File>()).cast() }
}

/// What is known of an open file.
///
/// # Safety
/// `file` is ours and open, and stays open while what is returned is used: SQLite uses a file on one thread at a time and
/// closes it in no call of ours but `close`. Only shared references are made of it.
unsafe fn watched<'a>(file: *mut sqlite3_file) -> Option<&'a Watched> {
    // SAFETY: `open` put a leaked box or null there, `close` takes it back.
    unsafe { (*file.cast::<File>()).watched.as_ref() }
}

/// Calls a method of the file below.
macro_rules! call_below {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: `$file` is ours and open, so the file below is open and has its methods.
        unsafe {
            let real = real($file);
            match (*(*real).pMethods).$method {
                Some(method) => method(real $(, $argument)*),
                None => ffi::SQLITE_IOERR,
            }
        }
    }};
}

unsafe extern "C" fn open(vfs: *mut sqlite3_vfs, name: *const c_char, file: *mut sqlite3_file, flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: SQLite gave `szOsFile` bytes and a name that stays valid while the file is open, or null.
    unsafe {
        let ours = file.cast::<File>();
        (*ours).base.pMethods = ptr::null();
        (*ours).watched = ptr::null_mut();
        let found = path_of(name).and_then(|path| Some((Platter::under(&path)?, path)));
        let new = found.as_ref().is_some_and(|(_, path)| flags & ffi::SQLITE_OPEN_CREATE != 0 && !path.exists());
        let mut last = Go::On;
        if let Some((platter, path)) = &found {
            if new {
                last = platter.gate(Call::Create, path, 0, 1);
                if let Go::Fails(_) = last {
                    return ffi::SQLITE_CANTOPEN;
                }
            }
            if last == Go::Dead || platter.is_dead() {
                return ffi::SQLITE_CANTOPEN;
            }
        }
        let real = real(file);
        (*real).pMethods = ptr::null();
        let below = below(vfs);
        let code = (*below).xOpen.map_or(ffi::SQLITE_CANTOPEN, |open| open(below, name, real, flags, out));
        if (*real).pMethods.is_null() {
            return code;
        }
        (*ours).base.pMethods = &raw const METHODS;
        if let Some((platter, path)) = found {
            if new {
                platter.created(&path);
                platter.done(last);
            }
            (*ours).watched = Box::into_raw(Box::new(Watched { platter, path, name_unsynced: Cell::new(is_journal(flags)) }));
        }
        code
    }
}

fn is_journal(flags: c_int) -> bool {
    let journals = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
    flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & journals != 0
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: `vfs` is ours and `name` a path that SQLite gave.
    unsafe {
        let below = below(vfs);
        let delete = || (*below).xDelete.map_or(ffi::SQLITE_IOERR_DELETE, |delete| delete(below, name, 0));
        let Some((platter, path)) = path_of(name).and_then(|path| Some((Platter::under(&path)?, path))) else {
            return delete();
        };
        let go = platter.gate(Call::Remove, &path, 0, 0);
        if matches!(go, Go::Dead | Go::Fails(_)) {
            return ffi::SQLITE_IOERR_DELETE;
        }
        if path.exists() {
            platter.removing(&path);
        }
        let code = delete();
        if let (true, Some(folder)) = (sync_folder != 0, path.parent()) {
            platter.folder_synced(folder);
        }
        platter.done(go);
        code
    }
}

unsafe extern "C" fn access(vfs: *mut sqlite3_vfs, name: *const c_char, flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: as SQLite calls it; the VFS below gets itself as its argument.
    unsafe { (*below(vfs)).xAccess.map_or(ffi::SQLITE_IOERR_ACCESS, |access| access(below(vfs), name, flags, out)) }
}

unsafe extern "C" fn full_pathname(vfs: *mut sqlite3_vfs, name: *const c_char, len: c_int, out: *mut c_char) -> c_int {
    // SAFETY: as above.
    unsafe { (*below(vfs)).xFullPathname.map_or(ffi::SQLITE_CANTOPEN, |full| full(below(vfs), name, len, out)) }
}

/// # Safety
/// `name` is null or a string that ends with a zero.
unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: as asked of the caller.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    Some(Path::new(OsStr::from_bytes(bytes)).to_path_buf())
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let code = call_below!(file, xClose);
    // SAFETY: `open` leaked it; nobody uses the file after this call.
    unsafe {
        let ours = file.cast::<File>();
        if !(*ours).watched.is_null() {
            drop(Box::from_raw((*ours).watched));
            (*ours).watched = ptr::null_mut();
        }
    }
    code
}

unsafe extern "C" fn read(file: *mut sqlite3_file, into: *mut c_void, len: c_int, offset: i64) -> c_int {
    // SAFETY: ours and open.
    if let Some(watched) = unsafe { watched(file) } {
        match watched.platter.gate(Call::Read, &watched.path, offset.cast_unsigned(), len as usize) {
            Go::On => {}
            _ => return ffi::SQLITE_IOERR_READ,
        }
    }
    call_below!(file, xRead, into, len, offset)
}

/// The file's length now.
///
/// # Safety
/// `file` is ours and open.
unsafe fn length(file: *mut sqlite3_file) -> u64 {
    let mut len = 0i64;
    call_below!(file, xFileSize, &raw mut len);
    len.cast_unsigned()
}

/// What stands at `offset`: as much of `len` bytes as there is.
///
/// # Safety
/// `file` is ours and open.
unsafe fn standing(file: *mut sqlite3_file, offset: u64, len: u64, file_len: u64) -> Vec<u8> {
    let there = file_len.saturating_sub(offset).min(len) as usize;
    let mut bytes = vec![0u8; there];
    if there > 0 {
        call_below!(file, xRead, bytes.as_mut_ptr().cast(), there as c_int, offset.cast_signed());
    }
    bytes
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, len: c_int, offset: i64) -> c_int {
    // SAFETY: ours and open.
    let Some(watched) = (unsafe { watched(file) }) else { return call_below!(file, xWrite, from, len, offset) };
    let go = watched.platter.gate(Call::Write, &watched.path, offset.cast_unsigned(), len as usize);
    let (len, code) = match go {
        Go::Dead | Go::Fails(Failure::Broken) => return ffi::SQLITE_IOERR_WRITE,
        Go::Fails(Failure::Full) => return ffi::SQLITE_FULL,
        Go::Fails(Failure::Half) => (len / 2, ffi::SQLITE_FULL),
        Go::On | Go::Last => (len, ffi::SQLITE_OK),
    };
    // SAFETY: ours and open; SQLite gave at least `len` bytes.
    let (file_len, old, new) = unsafe {
        let file_len = length(file);
        let old = standing(file, offset.cast_unsigned(), len as u64, file_len);
        (file_len, old, std::slice::from_raw_parts(from.cast::<u8>(), len as usize))
    };
    watched.platter.wrote(&watched.path, offset.cast_unsigned(), old, file_len, new);
    let done = call_below!(file, xWrite, from, len, offset);
    watched.platter.done(go);
    if code == ffi::SQLITE_OK { done } else { code }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: i64) -> c_int {
    // SAFETY: ours and open.
    let Some(watched) = (unsafe { watched(file) }) else { return call_below!(file, xTruncate, size) };
    let go = watched.platter.gate(Call::Truncate, &watched.path, size.cast_unsigned(), 0);
    if matches!(go, Go::Dead | Go::Fails(_)) {
        return ffi::SQLITE_IOERR_TRUNCATE;
    }
    // SAFETY: ours and open.
    let tail = unsafe {
        let file_len = length(file);
        standing(file, size.cast_unsigned(), file_len, file_len)
    };
    watched.platter.cut(&watched.path, size.cast_unsigned(), tail);
    let done = call_below!(file, xTruncate, size);
    watched.platter.done(go);
    done
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: ours and open.
    let Some(watched) = (unsafe { watched(file) }) else { return call_below!(file, xSync, flags) };
    let go = watched.platter.gate(Call::Sync, &watched.path, 0, 0);
    match go {
        Go::Dead => return ffi::SQLITE_IOERR_FSYNC,
        Go::Fails(_) => {
            watched.platter.sync_failed(&watched.path);
            return ffi::SQLITE_IOERR_FSYNC;
        }
        Go::On | Go::Last => {}
    }
    watched.platter.synced(&watched.path);
    if let (true, Some(folder)) = (watched.name_unsynced.take(), watched.path.parent()) {
        watched.platter.folder_synced(folder);
    }
    watched.platter.done(go);
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut i64) -> c_int {
    call_below!(file, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    call_below!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    call_below!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    call_below!(file, xCheckReservedLock, out)
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, op: c_int, argument: *mut c_void) -> c_int {
    call_below!(file, xFileControl, op, argument)
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    call_below!(file, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    call_below!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(file: *mut sqlite3_file, page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void) -> c_int {
    call_below!(file, xShmMap, page, size, extend, out)
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, n: c_int, flags: c_int) -> c_int {
    call_below!(file, xShmLock, offset, n, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: ours and open.
    unsafe {
        let real = real(file);
        if let Some(barrier) = (*(*real).pMethods).xShmBarrier {
            barrier(real);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    call_below!(file, xShmUnmap, delete)
}

/// Nothing is mapped: every read passes the gate.
unsafe extern "C" fn fetch(_file: *mut sqlite3_file, _offset: i64, _len: c_int, out: *mut *mut c_void) -> c_int {
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *out = ptr::null_mut() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn unfetch(_file: *mut sqlite3_file, _offset: i64, _page: *mut c_void) -> c_int {
    ffi::SQLITE_OK
}
