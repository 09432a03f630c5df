//! One [`Phone`] owns everything; it is what the command line and the shells call.
//!
//! Every call may block and returns a `Result`. A tick on the screen means that a capturing call
//! returned `Ok`: the entry is on the disk, synced. Calls that only show things need the vault; the
//! capturing ones that a locked screen offers (check-in, urgent report, photograph) do not.

mod alerts;
mod capture;
mod check;
mod courier;
mod deliver;
mod enrol;
mod guard;
mod message;
mod outgoing;
mod photos;
mod previews;
mod recover;
mod rescue;
mod show;
mod space;
mod together;
pub mod views;
mod witness;

use std::sync::Arc;

use yenban_protocol::crypto::SecretKey;
use yenban_protocol::id::{BootId, MemberNo};
use yenban_protocol::planted::{Bug, planted};
use yenban_protocol::record::{Act, Common, Record};
use yenban_protocol::seal::SessionKey;
use yenban_protocol::time::{Anchor, Stamp};

use crate::clock::Clock;
use crate::disk::{Disk, RealDisk};
use crate::error::{Error, Result, troubles};
use crate::keys::{KeyStore, Secret32, SoftwareKeyStore, files, new_secret, unwrap32};
use crate::limits::{RESERVE_TEXT_BYTES, SIDE_FILE_MAX_BYTES};
use crate::log::{Draft, Lane, Log, Recipients, VaultOpener, Writing, Written, lane_of, open_body, read_record};
use crate::patrol::Walk;
use crate::store::marker::Doubt;
use crate::store::spool::{HandOver, Spool};
use crate::store::spool_capture::NewFile;
use crate::store::vault::Vault;
use crate::store::{Folder, Key, StoreLock};

pub use courier::{Carried, CarriedParcel, CourierIn, CourierOut};
pub use enrol::Enrolment;
pub use guard::KeepOpen;
pub use rescue::{Lost, Rescue};
pub use together::{Amended, LeftOut, Reported};
pub use views::*;
pub use witness::WitnessInfo;

const SPOOL_PURPOSE: &str = "yb1/spool";
/// Entries read at once when a vault follows the spool.
const FOLLOW_PAGE: u32 = 256;

/// Whether a store may be made where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfAbsent {
    /// Make one.
    Create,
    /// Say that there is none.
    Refuse,
}

/// The phone.
pub struct Phone {
    folder: Folder,
    keys: Box<dyn KeyStore>,
    clock: Box<dyn Clock>,
    disk: Arc<dyn Disk>,
    log: Log,
    enrolment: Option<Enrolment>,
    /// Who has the phone; 0 before enrolment.
    member: u32,
    vault_key: Option<yenban_protocol::crypto::PublicKey>,
    anchor: Option<(BootId, Anchor)>,
    /// Raised by sync: the next entry begins a new log.
    doubt: Option<Doubt>,
    /// A receipt of this process was compared with the newest log, and the hub holds nothing that is not here.
    hub_agrees: bool,
    /// Monotonic time of the newest signed head of this process.
    head_signed_ms: Option<u64>,
    /// Photographs whose originals could not be read in this process: the others get their previews meanwhile.
    unreadable: std::collections::HashSet<Key>,
    /// The program ended in the middle of sealing last time; as long as this one runs, nothing is decoded before it is in
    /// the log.
    decodes_apart: bool,
    /// Another quota of originals than the usual one, in bytes.
    originals_quota_bytes: Option<u64>,
    open: Option<OpenVault>,
    // Last, so that everything is closed before another process may come.
    _lock: StoreLock,
}

/// A vault while it is unlocked.
struct OpenVault {
    vault: Vault,
    opener: SecretKey,
    walk: Walk,
    /// [`troubles`] when it was opened.
    troubles: u64,
    /// Both secrets, for setting another PIN without asking for the old one.
    secrets: zeroize::Zeroizing<[u8; 64]>,
    /// The session opened last: entries come in long runs of one session.
    session: Option<(i64, Option<SessionKey>)>,
}

impl Phone {
    /// Opens the store in `folder` with software keys beside it: the headless phone.
    ///
    /// # Errors
    /// A foreign folder or file, a store in use, a damaged or newer one; nothing is changed then.
    pub fn open_software(folder: Folder, clock: Box<dyn Clock>, absent: IfAbsent) -> Result<Phone> {
        Self::open_software_on(Arc::new(RealDisk), folder, clock, absent)
    }

    /// As [`Phone::open_software`], with the files of photographs on a disk that is given: for tests and simulations.
    ///
    /// # Errors
    /// As [`Phone::open_software`].
    pub fn open_software_on(disk: Arc<dyn Disk>, folder: Folder, clock: Box<dyn Clock>, absent: IfAbsent) -> Result<Phone> {
        let lock = Self::prepare(&folder, absent)?;
        let keys_folder = folder.keys();
        let keys = if folder.has_store() { SoftwareKeyStore::open(&keys_folder)? } else { SoftwareKeyStore::create(&keys_folder)? };
        Self::open_locked(folder, Box::new(keys), clock, disk, lock)
    }

    /// Opens the store in `folder` with the key store of the shell.
    ///
    /// # Errors
    /// As [`Phone::open_software`], and [`Error::KeyMismatch`] when the key store is another one.
    pub fn open(folder: Folder, keys: Box<dyn KeyStore>, clock: Box<dyn Clock>, absent: IfAbsent) -> Result<Phone> {
        Self::open_on(Arc::new(RealDisk), folder, keys, clock, absent)
    }

    /// As [`Phone::open`], with the files of photographs on a disk that is given: for tests and simulations.
    ///
    /// # Errors
    /// As [`Phone::open`].
    pub fn open_on(disk: Arc<dyn Disk>, folder: Folder, keys: Box<dyn KeyStore>, clock: Box<dyn Clock>, absent: IfAbsent) -> Result<Phone> {
        let lock = Self::prepare(&folder, absent)?;
        Self::open_locked(folder, keys, clock, disk, lock)
    }

    fn prepare(folder: &Folder, absent: IfAbsent) -> Result<StoreLock> {
        folder.check()?;
        if !folder.has_store() {
            if absent == IfAbsent::Refuse {
                return Err(Error::NoStore { path: folder.root().to_path_buf() });
            }
            folder.create()?;
        }
        folder.lock()
    }

    fn open_locked(folder: Folder, keys: Box<dyn KeyStore>, clock: Box<dyn Clock>, disk: Arc<dyn Disk>, lock: StoreLock) -> Result<Phone> {
        let key = spool_key(&folder, keys.as_ref())?;
        let spool = Spool::open(disk.clone(), folder.spool(), key)?;
        let log = Log::open(spool)?;
        let mut phone = Phone {
            folder,
            keys,
            clock,
            disk,
            log,
            enrolment: None,
            member: 0,
            vault_key: None,
            anchor: None,
            doubt: None,
            hub_agrees: false,
            head_signed_ms: None,
            unreadable: std::collections::HashSet::new(),
            decodes_apart: false,
            originals_quota_bytes: None,
            open: None,
            _lock: lock,
        };
        phone.load()?;
        Ok(phone)
    }

    /// Reads what the spool knows of enrolment, member and anchor; settles doubt; opens the vault
    /// where no PIN guards it.
    fn load(&mut self) -> Result<()> {
        self.enrolment = Enrolment::load(&self.log.spool)?;
        self.anchor = deliver::load_anchor(&self.log.spool)?;
        if self.enrolment.is_none() {
            // The marker is written after the enrolment is on the disk: with it there was one, and it is gone.
            if self.folder.marker().exists() {
                let why = "a log has begun here, but the spool holds none: its write-ahead log is missing or damaged";
                return Err(Error::StoreDamaged { path: self.folder.spool(), why: why.into() });
            }
            return Ok(());
        }
        let raised = self.log.spool.meta("doubt")?;
        self.doubt = raised.and_then(|code| Doubt::from_code(&String::from_utf8_lossy(&code)));
        self.load_member()?;
        // Whatever is wrong with a vault (no room, damage) must keep nobody from capturing: as good as
        // locked, and the next call that wants to show something tries again and tells the reason.
        let _ = self.open_unguarded_vault();
        self.settle_doubt()?;
        // What has no room now comes before the next entry.
        let _ = self.go_on_walking();
        // A killed enrolment may have left it out; without it nothing but the rescue is poorer.
        if !self.folder.spool_rescue().exists() {
            let _ = self.write_rescue_key();
        }
        if !self.folder.joined().exists() {
            let _ = self.write_joined();
        }
        self.keep_reserve(RESERVE_TEXT_BYTES);
        self.recover_captures();
        Ok(())
    }

    fn load_member(&mut self) -> Result<()> {
        let enrolled = self.enrolment.as_ref().map_or(0, |e| e.member);
        let holder = self.log.spool.meta("holder")?;
        self.member = holder.and_then(|bytes| bytes.as_slice().try_into().ok().map(u32::from_be_bytes)).unwrap_or(enrolled);
        // A spool that was put together again may have lost him: a vault that is new opens nothing old, and capture goes on.
        self.ensure_member(self.member)?;
        let row = self.log.spool.member(self.member)?;
        self.vault_key = row.map(|row| yenban_protocol::crypto::PublicKey(row.vault_key));
        Ok(())
    }

    /// Folder of this store.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The clock this phone runs on.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Whether the vault is locked.
    pub fn is_locked(&self) -> bool {
        self.enrolment.is_some() && self.open.is_none()
    }

    /// The member who has the phone; 0 before enrolment.
    pub fn member(&self) -> u32 {
        self.member
    }

    fn enrolled_or_refuse(&self) -> Result<&Enrolment> {
        self.enrolment.as_ref().ok_or(Error::NotEnrolled)
    }

    fn recipients(&self) -> Result<Recipients> {
        let enrolment = self.enrolled_or_refuse()?;
        let vault = self.vault_key.ok_or(Error::NotEnrolled)?;
        Ok(Recipients { hub: enrolment.hub_seal_key, vault, member: MemberNo(self.member) })
    }

    /// The clocks now, with the newest anchor of this boot.
    fn stamp(&self, gnss_ms: Option<i64>) -> Stamp {
        let boot = BootId(self.clock.boot_id());
        Stamp {
            wall_ms: self.clock.wall_ms(),
            monotonic_ms: self.clock.monotonic_ms(),
            boot,
            anchor: self.anchor.filter(|(of, _)| *of == boot || planted(Bug::AnchorOutlivesBoot)).map(|(_, anchor)| anchor),
            gnss_ms,
        }
    }

    fn common(&self, place: Option<&Place>) -> Result<Common> {
        Ok(Common {
            author: MemberNo(self.member),
            unconfirmed: self.open.is_none(),
            stamp: self.stamp(place.and_then(Place::satellite_ms)),
            position: place.map(Place::position).transpose()?,
        })
    }

    /// Writes one entry and lets the open vault follow it. `patrol` is the patrol state after it.
    fn write(&mut self, act: Act, place: Option<&Place>, patrol: (Option<u64>, bool), extra: Extra<'_>) -> Result<Written> {
        let record = Record { common: self.common(place)?, act };
        self.write_record(&record, patrol, &extra)
    }

    /// As `write`, for a record whose clocks and place were taken before.
    fn write_record(&mut self, record: &Record, patrol: (Option<u64>, bool), extra: &Extra<'_>) -> Result<Written> {
        // Words and a capture in hand come before the reserve.
        let written = self.with_reserve(|phone| phone.write_all(&[(record, extra)], patrol))?;
        written.first().copied().ok_or(Error::NotEnrolled)
    }

    /// Writes entries in one synced commit, all or none, and lets the open vault follow them.
    fn write_all(&mut self, entries: &[(&Record, &Extra<'_>)], patrol: (Option<u64>, bool)) -> Result<Vec<Written>> {
        let to = self.recipients()?;
        let drafts = entries.iter().map(|(record, extra)| Draft {
            record,
            lane: extra.lane.unwrap_or_else(|| lane_of(&record.act)),
            patrol: patrol.0,
            paused: patrol.1,
            files: extra.files,
            capture: extra.capture,
            handover: extra.handover,
        });
        let drafts: Vec<Draft<'_>> = drafts.collect();
        let ctx = Writing { keys: self.keys.as_ref(), clock: self.clock.as_ref(), to };
        let written = self.log.append(&ctx, &drafts)?;
        for (written, (record, _)) in written.iter().zip(entries) {
            self.follow_written(written.key, record);
        }
        Ok(written)
    }

    /// The entry is on the disk, so nothing that happens here is an error of the capture: a vault that
    /// cannot follow now is closed and follows when it is opened again.
    fn follow_written(&mut self, key: Key, record: &Record) {
        let Some(open) = self.open.as_mut() else { return };
        let behind = open.vault.watermark(key.log()) != key.seq();
        let log = &self.log;
        let followed = if behind { follow(log, self.member, open) } else { project(log, open, key, record) };
        if followed.is_err() {
            self.reopen_vault();
        }
    }

    /// The open patrol and whether it is paused.
    fn patrol_state(&self) -> (Option<u64>, bool) {
        self.log.head().map_or((None, false), |h| (h.patrol, h.paused))
    }

    /// The vault if it is open; opened again when a database failed since, because its connection may have been what failed.
    fn sound_vault(&mut self) -> Option<&mut OpenVault> {
        if self.open.as_ref().is_some_and(|open| open.troubles != troubles()) {
            self.reopen_vault();
        }
        self.open.as_mut()
    }

    fn vault(&mut self) -> Result<&mut OpenVault> {
        self.enrolled_or_refuse()?;
        self.log.spool.refresh()?;
        if self.sound_vault().is_none() && !self.has_pin()? {
            self.open_unguarded_vault()?;
        }
        self.open.as_mut().ok_or(Error::Locked)
    }

    /// For benchmarks that seed a large log: stops (`true`) or resumes syncing. While stopped nothing
    /// that is captured is durable; no face of the product calls it.
    pub fn set_relaxed_for_benchmark(&mut self, relaxed: bool) -> Result<()> {
        self.log.ready()?;
        self.log.spool.set_relaxed(relaxed)
    }

    /// Bounds the spool's file as a full disk does, in pages of 2,048 bytes; `None`: no more. For tests.
    pub fn limit_spool_for_test(&mut self, pages: Option<u32>) -> Result<()> {
        self.log.ready()?;
        self.log.spool.limit_pages(pages)
    }
}

/// What few entries have.
#[derive(Default)]
struct Extra<'a> {
    files: &'a [NewFile],
    /// The capture that this entry ends.
    capture: Option<[u8; 8]>,
    lane: Option<Lane>,
    handover: Option<HandOver>,
}

/// Follows one entry into the open vault: all of it or nothing. After a failure the vault stands where it
/// was committed last, so that nothing is counted twice when it follows again.
fn project(log: &Log, open: &mut OpenVault, key: Key, record: &Record) -> Result<()> {
    let done = project_entry(log, open, key, record);
    if done.is_err() && planted(Bug::VaultSkips) {
        return open.vault.followed(key);
    }
    if done.is_err() {
        open.walk.forget();
        open.vault.abandon()?;
    }
    done
}

fn project_entry(log: &Log, open: &mut OpenVault, key: Key, record: &Record) -> Result<()> {
    open.vault.begin()?;
    let OpenVault { vault, walk, .. } = open;
    let key_of = |name| log.key_of(name);
    match &record.act {
        Act::PatrolStarted { .. }
        | Act::CheckIn { .. }
        | Act::PatrolPaused { .. }
        | Act::PatrolResumed { .. }
        | Act::PatrolFinished { .. }
        | Act::CrewChanged { .. } => crate::patrol::project(vault, walk, key, record)?,
        Act::IncidentReported { .. } | Act::IncidentAmended { .. } => {
            crate::incident::project(vault, key, record, &key_of)?;
        }
        Act::PhotoCaptured { .. } | Act::PreviewsMade { .. } => crate::evidence::project(vault, key, record, &key_of)?,
        Act::AlertAnswered { .. } => crate::alert::project(vault, key, record)?,
        Act::PhoneHandedOver { to } => {
            let at_ms = crate::patrol::time_of(&record.common).at_ms;
            vault.put_handover(key, record.common.author.0, to.0, at_ms)?;
        }
        Act::AuthorConfirmed { first_seq, last_seq } => {
            let at_ms = crate::patrol::time_of(&record.common).at_ms;
            vault.put_confirmed(key, *first_seq, *last_seq, at_ms)?;
        }
        Act::LogStarted { .. } | Act::Unknown { .. } => {}
    }
    vault.followed(key)
}

/// Brings an open vault to the end of the spool. Entries sealed for other members are passed over, and so
/// is one that is damaged: it must not hide all that come after it, and `check` tells of it.
fn follow(log: &Log, member: u32, open: &mut OpenVault) -> Result<()> {
    for (number, name, _) in log.spool.logs()? {
        let log_id = yenban_protocol::id::LogId(name);
        loop {
            let first = open.vault.watermark(number);
            let rows = log.spool.entries(number, first, FOLLOW_PAGE)?;
            for row in &rows {
                let name = yenban_protocol::id::EntryName { log: log_id, seq: row.key.seq() };
                let session = session_key(log, member, open, row.session);
                let record = session.and_then(|key| key.map(|key| read_record(name, &open_body(&key, name, &row.body)?)).transpose());
                match record {
                    Ok(Some(record)) => project(log, open, row.key, &record)?,
                    Err(error) if !matches!(error, Error::LogBroken { .. }) => return Err(error),
                    Ok(None) | Err(_) => {
                        open.vault.begin()?;
                        open.vault.followed(row.key)?;
                    }
                }
            }
            if rows.len() < FOLLOW_PAGE as usize {
                break;
            }
        }
    }
    Ok(())
}

fn session_key(log: &Log, member: u32, open: &mut OpenVault, id: i64) -> Result<Option<SessionKey>> {
    if let Some((of, key)) = &open.session
        && *of == id
    {
        return Ok(key.clone());
    }
    let key = log.session_key(id, &VaultOpener { member, opener: &open.opener })?;
    open.session = Some((id, key.clone()));
    Ok(key)
}

/// The spool's key, wrapped by the key store in a side file; made when the store is made.
fn spool_key(folder: &Folder, keys: &dyn KeyStore) -> Result<Secret32> {
    let path = folder.spool_key();
    if path.exists() {
        return unwrap32(keys, SPOOL_PURPOSE, &files::read_small(&path, SIDE_FILE_MAX_BYTES)?);
    }
    if folder.has_store() {
        return Err(Error::StoreDamaged { path, why: "the spool's wrapped key is missing".into() });
    }
    let key = new_secret(keys)?;
    files::write_private(&path, &keys.wrap(SPOOL_PURPOSE, key.as_ref())?)?;
    Ok(key)
}
