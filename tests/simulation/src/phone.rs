//! A phone of the simulation: the real one, on a disk, a clock and keys that obey the world.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use yenban_core::app::{IfAbsent, Place};
use yenban_core::clock::VirtualClock;
use yenban_core::keys::{KeyStore, SeededKeyStore};
use yenban_core::store::Folder;
use yenban_core::sync::{Outcome, Reply, Request, Sync, SyncStore};
use yenban_core::{Error, Phone};
use yenban_protocol::chain::Link;
use yenban_protocol::crypto::{PublicKey, Signature};
use yenban_protocol::id::{EntryName, LogId};
use yenban_protocol::record::Provider;

use crate::chance::Chance;
use crate::disk::{Cut, Platter, Watching};

/// What a member was told is on the disk.
#[derive(Debug, Clone)]
pub struct Ticked {
    /// The entry.
    pub name: EntryName,
    /// Its link when it was ticked.
    pub link: Link,
    /// What it was.
    pub what: What,
    /// The true time.
    pub at_ms: i64,
    /// The phone's image was put back to one that is older: whatever had not been delivered is gone, as it must be.
    pub rolled_back: bool,
    /// It was delivered, then lost with the phone, and then the hub was lost too: nobody can have it.
    pub forgiven: bool,
}

/// Kinds of what a member does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// A patrol began, paused or ended.
    Patrol,
    /// A check-in.
    CheckIn,
    /// A report.
    Report,
    /// An urgent report.
    Urgent,
    /// Words added to a report.
    Amendment,
    /// A photograph.
    Photo,
    /// An answer to an alert.
    Answer,
}

/// A request on the road.
pub struct OnTheRoad {
    /// As sync gave it.
    pub request: Request,
    /// What came of it and has not reached the phone yet.
    pub reply: Option<Reply>,
}

/// A phone.
pub struct PhoneNode {
    /// Its folder.
    pub dir: PathBuf,
    /// What its disk is.
    pub platter: Arc<Platter>,
    /// Its clocks.
    pub clock: Arc<VirtualClock>,
    /// The phone, while it runs.
    pub phone: Option<Phone>,
    /// A sync under way.
    pub sync: Option<Sync>,
    /// Requests in the air.
    pub road: VecDeque<OnTheRoad>,
    /// No signal.
    pub cut_off: bool,
    /// What was ticked.
    pub ticked: Vec<Ticked>,
    /// How the last sync ended.
    pub last: Option<Outcome>,
    /// Reports that can be amended and have photographs.
    pub incidents: Vec<String>,
    /// It was put back to an older image: what it had named and not delivered is gone with the newer one.
    pub was_rolled_back: bool,
    /// Its disk failed a while ago: one call may still find a connection that remembers, and say so.
    pub aftermath: bool,
    /// An older image of this phone, and how many entries were ticked when it was made.
    pub image: Option<(PathBuf, usize)>,
    /// The log that was being written when it was opened last.
    log: Option<LogId>,
    keys: SimulatedKeys,
}

/// Keys of a seed, and randomness that goes on where it was when the phone starts again.
#[derive(Clone)]
struct SimulatedKeys {
    keys: Arc<SeededKeyStore>,
    chance: Arc<Mutex<Chance>>,
}

impl KeyStore for SimulatedKeys {
    fn device_key(&self) -> PublicKey {
        self.keys.device_key()
    }
    fn sign(&self, message: &[u8]) -> yenban_core::Result<Signature> {
        self.keys.sign(message)
    }
    fn wrap(&self, purpose: &str, secret: &[u8]) -> yenban_core::Result<Vec<u8>> {
        self.keys.wrap(purpose, secret)
    }
    fn unwrap(&self, purpose: &str, wrapped: &[u8]) -> yenban_core::Result<zeroize::Zeroizing<Vec<u8>>> {
        self.keys.unwrap(purpose, wrapped)
    }
    fn random(&self, out: &mut [u8]) -> yenban_core::Result<()> {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in out.chunks_mut(8) {
            let bytes = chance.number().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

impl PhoneNode {
    /// A new phone whose store lies in `dir`.
    pub fn new(dir: &Path, wall_ms: i64, chance: &mut Chance) -> PhoneNode {
        std::fs::create_dir_all(dir).expect("a folder in memory can be made");
        let keys = SimulatedKeys { keys: Arc::new(SeededKeyStore::new(chance.number())), chance: Arc::new(Mutex::new(chance.fork())) };
        let mut node = PhoneNode {
            dir: dir.to_path_buf(),
            platter: Platter::spin(dir, chance.fork()),
            clock: VirtualClock::starting_at(wall_ms),
            phone: None,
            sync: None,
            road: VecDeque::new(),
            cut_off: false,
            ticked: Vec::new(),
            last: None,
            incidents: Vec::new(),
            was_rolled_back: false,
            aftermath: false,
            image: None,
            log: None,
            keys,
        };
        node.open().expect("a new phone opens");
        node
    }

    /// Starts the phone on whatever lies in its folder.
    ///
    /// # Errors
    /// As the phone's.
    pub fn open(&mut self) -> yenban_core::Result<()> {
        let disk = Arc::new(Watching::over(self.platter.clone()));
        let folder = Folder::at(self.dir.join("store"));
        let phone = Phone::open_on(disk, folder, Box::new(self.keys.clone()), Box::new(self.clock.clone()), IfAbsent::Create)?;
        let phone = self.phone.insert(phone);
        self.aftermath = false;
        // Of a store that cannot be read now, the next start will know.
        self.log = phone.logs().ok().and_then(|logs| logs.last().map(|state| state.log)).or(self.log);
        Ok(())
    }

    /// The log that was being written when it was opened last.
    pub fn newest_log(&self) -> Option<LogId> {
        self.log
    }

    /// Ends the program without any word to it, and lets the medium be what `cut` says; what was on the road is lost.
    pub fn crash(&mut self, cut: Cut) {
        self.platter.die();
        self.sync = None;
        self.phone = None;
        self.road.clear();
        self.platter.restart(cut).expect("the folder in memory works");
    }

    /// Ends the program as a system ends it: files are closed, nothing is taken back.
    pub fn stop(&mut self) {
        self.sync = None;
        self.phone = None;
        self.road.clear();
    }

    /// Does one thing that a member does and notes the tick. `Err`: it was not saved, as the phone says.
    pub fn act(
        &mut self,
        what: What,
        at_ms: i64,
        work: impl FnOnce(&mut Phone) -> yenban_core::Result<String>,
    ) -> yenban_core::Result<EntryName> {
        let phone = self.phone.as_mut().ok_or(Error::NotEnrolled)?;
        let id = work(phone)?;
        let name: EntryName = id.parse().expect("an entry's name");
        // The tick came first; where its link cannot be read now there is nothing to compare it with later.
        let Ok(Some(link)) = SyncStore::link(phone, name.log, name.seq) else { return Ok(name) };
        self.ticked.push(Ticked { name, link, what, at_ms, rolled_back: false, forgiven: false });
        Ok(name)
    }
}

/// A place on a ridge, `metres` from the culture house.
pub fn place(metres: i32) -> Place {
    let mut place = Place::new(206_601_200 + metres * 90, 1_050_834_500, Provider::Gnss);
    place.accuracy_cm = Some(800);
    place
}
