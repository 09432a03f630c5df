//! The world: who there is, what time it truly is, and what one step does.

use std::path::{Path, PathBuf};

use yenban_core::sync::{Failure, Request};

use crate::chance::Chance;
use crate::coverage::{Coverage, Doing, Fault};
use crate::disk::{Cut, Failure as DiskFailure, Faults, When};
use crate::hub::{HubNode, copy_folder};
use crate::phone::PhoneNode;
use crate::step::{Kind, Step};

/// 22 November 2026, 21:52 in Viet Nam.
pub const EVENING_MS: i64 = 1_795_359_120_000;
/// Old requests that are kept to arrive again.
const OLD_REQUESTS: usize = 48;
/// How many of a thousand messages are lost, cut, doubled: drawn for each run between nothing and this.
const LOST_MAX: u64 = 300;
const CUT_MAX: u64 = 100;
const AGAIN_MAX: u64 = 500;

/// So long at least a phone keeps what the hub has signed for.
const PHONES_KEEP_MS: i64 = 12 * 86_400_000;

/// What was promised and did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The promise of docs/RELIABILITY.md.
    pub promise: &'static str,
    /// What was seen.
    pub seen: String,
}

/// Shorthand of everything that can end a run.
pub type Holds<T = ()> = Result<T, Violation>;

/// Says that a promise did not hold.
pub fn broken<T>(promise: &'static str, seen: impl Into<String>) -> Holds<T> {
    Err(Violation { promise, seen: seen.into() })
}

/// How bad the roads are in this run, in parts of a thousand.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// Messages that get lost, either way.
    pub lost: u32,
    /// Requests that are cut in the middle.
    pub cut: u32,
    /// Requests that come twice.
    pub again: u32,
}

/// Everything there is.
pub struct World {
    /// Where everything lies, in memory.
    pub root: PathBuf,
    /// True time, ms since 1970 UTC.
    pub now_ms: i64,
    /// The phones.
    pub phones: Vec<PhoneNode>,
    /// The hub.
    pub hub: HubNode,
    /// The roads.
    pub weather: Weather,
    /// What was met, and while what was going on.
    pub coverage: Coverage,
    /// Requests of before.
    pub old: Vec<Request>,
    /// The newest backup.
    pub backup: Option<PathBuf>,
    /// Warnings sent, by identifier.
    pub alerts: Vec<String>,
    /// A hash over everything that happened.
    pub trace: u64,
    /// What is armed, for the table.
    pub(crate) armed_phone: Vec<Option<Fault>>,
    pub(crate) armed_hub: Option<Fault>,
    pub(crate) backups: u32,
    pub(crate) cut: Cut,
    /// Programs that died at a call to their disk.
    pub(crate) deaths: u32,
    /// The hub, or the phones, are not started after a return to a kept state: starting is what is looked at.
    pub(crate) hub_sleeps: bool,
    pub(crate) phones_sleep: bool,
}

impl World {
    /// A new world in `root`, a folder in memory of its own, with `phones` phones that have joined.
    ///
    /// # Errors
    /// When even joining breaks a promise.
    pub fn new(root: &Path, template: &Path, chance: &mut Chance, phones: u8) -> Holds<World> {
        crate::disk::install();
        HubNode::template(template, EVENING_MS);
        yenban_hub::entropy::seeded::begin(chance.number());
        let hub = HubNode::new(&root.join("commune"), template, EVENING_MS, chance);
        let mut draw = |max: u64| chance.below(max + 1) as u32;
        let weather = Weather { lost: draw(LOST_MAX), cut: draw(CUT_MAX), again: draw(AGAIN_MAX) };
        let mut world = World {
            root: root.to_path_buf(),
            now_ms: EVENING_MS,
            phones: Vec::new(),
            hub,
            weather,
            coverage: Coverage::default(),
            old: Vec::new(),
            backup: None,
            alerts: Vec::new(),
            trace: 0,
            armed_phone: vec![None; usize::from(phones)],
            armed_hub: None,
            backups: 0,
            cut: Cut::OnlySynced,
            deaths: 0,
            hub_sleeps: false,
            phones_sleep: false,
        };
        for number in 0..phones {
            let mut node = PhoneNode::new(&root.join(format!("phone-{number}")), EVENING_MS, chance);
            world.join(&mut node, number)?;
            world.phones.push(node);
        }
        Ok(world)
    }

    pub(crate) fn join(&mut self, node: &mut PhoneNode, number: u8) -> Holds {
        let said = |e: &dyn std::fmt::Display| Violation { promise: "I-35", seen: format!("a phone could not join: {e}") };
        let code = self.hub.code(&format!("Lò Văn Páo {number}")).ok_or_else(|| said(&"no code"))?;
        let phone = node.phone.as_mut().expect("it was opened");
        let (code, request) = phone.enrol_request(&code).map_err(|e| said(&e))?;
        let answer = self.hub.with(async |hub| yenban_hub::enrol::redeem(hub, &request).await).expect("the hub runs");
        phone.enrolled(&code, &answer.map_err(|e| said(&e))?).map_err(|e| said(&e))
    }

    /// Lets true time pass; every clock goes on, each phone's by its own drift.
    pub fn pass(&mut self, ms: u64) {
        self.now_ms += ms as i64;
        self.hub.clock.pass(ms as i64);
        for (number, phone) in self.phones.iter().enumerate() {
            // Up to 60 parts in a million fast or slow: quartz in a cold night.
            let drift = (ms as i64 * ((number as i64 % 3) - 1) * 60) / 1_000_000;
            phone.clock.advance_ms(ms.saturating_add_signed(drift));
        }
    }

    /// Does one step.
    ///
    /// # Errors
    /// When a promise does not hold.
    pub fn step(&mut self, step: Step) -> Holds {
        let mut dice = Chance::new(step.dice);
        let who = usize::from(step.who) % self.phones.len();
        match step.kind {
            Kind::Act => self.act(who, &mut dice)?,
            Kind::Talk => {
                for _ in 0..=dice.below(4) {
                    self.talk(who, &mut dice)?;
                }
            }
            Kind::Pass => self.pass(dice.below(1 << (8 + dice.clone().below(18)))),
            Kind::SetClock => self.set_clock(who, &mut dice),
            Kind::Reboot => self.reboot(who)?,
            Kind::Ridge => self.phones[who].cut_off = !self.phones[who].cut_off,
            Kind::Replay => self.replay(&mut dice)?,
            Kind::PhoneDisk | Kind::PhoneFull | Kind::PhoneDies => self.arm_phone(step.kind, who, &mut dice),
            Kind::PhoneKilled => self.kill_phone(who, &mut dice)?,
            Kind::HubDisk | Kind::HubFull | Kind::HubDies => self.arm_hub(step.kind, &mut dice),
            Kind::HubKilled => self.kill_hub(Fault::Kill, Doing::Idle, &mut dice)?,
            Kind::HubRestarts => {
                self.hub.stop();
                self.open_hub()?;
            }
            Kind::Warn => self.warn(&mut dice)?,
            Kind::Jobs => self.jobs(&mut dice)?,
            Kind::BackUp => self.back_up(),
            Kind::Restore => self.restore()?,
            Kind::Loses => self.lose_a_file(&mut dice)?,
            Kind::Image => self.keep_image(who)?,
            Kind::RollBack => self.roll_back(who, &mut dice)?,
            Kind::Mend => self.mend(),
        }
        self.note(step);
        self.check_ticks(who)
    }

    /// Ends it: programs stop, disks are no longer watched.
    fn end(&mut self) {
        for node in &mut self.phones {
            node.stop();
            node.platter.stop();
        }
        self.hub.stop();
        self.hub.platter.stop();
    }

    /// Whether a failure of this phone has a reason: its disk, now or a moment ago.
    pub(crate) fn excused(&mut self, who: usize) -> bool {
        let node = &mut self.phones[who];
        node.platter.is_dead() || self.armed_phone[who].is_some() || std::mem::take(&mut node.aftermath)
    }

    fn note(&mut self, step: Step) {
        let mut hash = self.trace ^ step.dice;
        for node in &self.phones {
            hash = (hash ^ node.platter.trace()).wrapping_mul(0x100_0000_01B3).rotate_left(9);
            hash ^= node.ticked.len() as u64;
        }
        self.trace = (hash ^ self.hub.platter.trace()).wrapping_mul(0x100_0000_01B3);
    }

    fn set_clock(&mut self, who: usize, dice: &mut Chance) {
        let doing = self.doing_of(who);
        let years = |n: i64| n * 365 * 86_400_000;
        let wall_ms = match dice.below(5) {
            0 => 0,
            1 => self.now_ms + years(10),
            2 => self.now_ms - years(10),
            3 => self.now_ms + dice.below(7_200_000) as i64 - 3_600_000,
            _ => 4_291_747_200_000,
        };
        self.phones[who].clock.set_wall_ms(wall_ms);
        self.coverage.hit(Fault::ClockSet, doing);
    }

    fn reboot(&mut self, who: usize) -> Holds {
        let doing = self.doing_of(who);
        self.coverage.hit(Fault::Reboot, doing);
        self.phones[who].stop();
        self.phones[who].clock.reboot();
        self.open_phone(who)
    }

    /// What a phone is in the middle of.
    fn doing_of(&self, who: usize) -> Doing {
        let node = &self.phones[who];
        match node.road.front() {
            Some(on) => Doing::of(&on.request),
            None => Doing::Idle,
        }
    }

    fn kill_phone(&mut self, who: usize, dice: &mut Chance) -> Holds {
        let doing = self.doing_of(who);
        self.coverage.hit(Fault::Kill, doing);
        let cut = Cut::ALL[dice.index(4)];
        self.crash_phone(who, cut)
    }

    /// The phone is dead: it starts again on what the medium kept.
    pub(crate) fn crash_phone(&mut self, who: usize, cut: Cut) -> Holds {
        self.armed_phone[who] = None;
        self.phones[who].crash(cut);
        self.open_phone(who)
    }

    /// Starts a phone; a disk that fails meanwhile may keep it from starting, nothing else may.
    pub(crate) fn open_phone(&mut self, who: usize) -> Holds {
        let node = &mut self.phones[who];
        node.platter.take_hits();
        let Err(e) = node.open() else { return self.after_phone(who, Doing::Opening) };
        let hits = node.platter.take_hits();
        let dead = node.platter.is_dead();
        if dead || hits > 0 {
            self.met_phone(who, hits, Doing::Opening);
            let cut = self.cut;
            if dead {
                self.deaths += 1;
                self.coverage.hit(Fault::of_cut(cut), Doing::Opening);
            }
            self.phones[who].crash(cut);
            self.armed_phone[who] = None;
            let again = self.phones[who].open();
            return again.or_else(|e| broken("I-06", format!("phone {who} does not open after a failure while it opened: {e}")));
        }
        broken("I-01", format!("phone {who} does not open: {e}"))
    }

    /// After anything a phone did: counts what it met, and starts it again if it died of it.
    pub(crate) fn after_phone(&mut self, who: usize, doing: Doing) -> Holds {
        let hits = self.phones[who].platter.take_hits();
        self.met_phone(who, hits, doing);
        if self.phones[who].platter.is_dead() {
            let cut = self.cut;
            self.deaths += 1;
            self.coverage.hit(Fault::of_cut(cut), doing);
            self.crash_phone(who, cut)?;
        }
        Ok(())
    }

    fn met_phone(&mut self, who: usize, hits: u64, doing: Doing) {
        if let (true, Some(fault)) = (hits > 0, self.armed_phone[who]) {
            self.coverage.hit(fault, doing);
        }
    }

    pub(crate) fn after_hub(&mut self, doing: Doing) -> Holds {
        let hits = self.hub.platter.take_hits();
        if let (true, Some(fault)) = (hits > 0, self.armed_hub) {
            self.coverage.hit_hub(fault, doing);
        }
        if self.hub.platter.is_dead() {
            let cut = self.cut;
            self.deaths += 1;
            self.coverage.hit_hub(Fault::of_cut(cut), doing);
            self.armed_hub = None;
            self.hub.crash(cut);
            self.open_hub()?;
            self.check_receipts()?;
        }
        Ok(())
    }

    fn kill_hub(&mut self, fault: Fault, doing: Doing, dice: &mut Chance) -> Holds {
        self.coverage.hit_hub(fault, doing);
        self.armed_hub = None;
        self.hub.crash(Cut::ALL[dice.index(4)]);
        self.open_hub()?;
        self.check_receipts()
    }

    pub(crate) fn open_hub(&mut self) -> Holds {
        self.hub.platter.take_hits();
        let Err(e) = self.hub.open() else {
            // It may have died of something it does not need for serving.
            return if self.hub.platter.is_dead() { self.after_hub(Doing::Opening) } else { Ok(()) };
        };
        let dead = self.hub.platter.is_dead();
        if dead || self.hub.platter.take_hits() > 0 {
            self.deaths += u32::from(dead);
            if let Some(fault) = self.armed_hub.take() {
                self.coverage.hit_hub(fault, Doing::Opening);
            }
            self.hub.crash(self.cut);
            return self.hub.open().or_else(|e| broken("I-06", format!("the hub does not open after a failure while it opened: {e}")));
        }
        broken("I-20", format!("the hub does not open: {e}"))
    }

    fn arm_phone(&mut self, kind: Kind, who: usize, dice: &mut Chance) {
        let (fault, faults) = draw_faults(kind, dice);
        self.cut = Cut::ALL[dice.index(4)];
        self.armed_phone[who] = Some(fault);
        self.phones[who].platter.set_faults(faults);
    }

    fn arm_hub(&mut self, kind: Kind, dice: &mut Chance) {
        let (fault, faults) = draw_faults(kind, dice);
        self.cut = Cut::ALL[dice.index(4)];
        self.armed_hub = Some(fault);
        self.hub.platter.set_faults(faults);
    }

    /// Disks work again.
    pub(crate) fn mend(&mut self) {
        for (node, armed) in self.phones.iter_mut().zip(&mut self.armed_phone) {
            node.platter.set_faults(Faults::default());
            node.aftermath |= armed.take().is_some();
        }
        self.hub.platter.set_faults(Faults::default());
        self.armed_hub = None;
    }

    fn replay(&mut self, dice: &mut Chance) -> Holds {
        if self.old.is_empty() {
            return Ok(());
        }
        let request = self.old[dice.index(self.old.len())].clone();
        let doing = Doing::of(&request);
        self.coverage.hit(Fault::Replay, doing);
        // Nobody waits for the answer.
        drop(self.hub.answer(&request, crate::hub::Reach::Whole));
        self.after_hub(doing)
    }

    pub(crate) fn remember(&mut self, request: &Request, dice: &mut Chance) {
        if self.old.len() < OLD_REQUESTS {
            self.old.push(request.clone());
        } else {
            let at = dice.index(OLD_REQUESTS);
            self.old[at] = request.clone();
        }
    }

    pub(crate) fn back_up(&mut self) {
        let file = self.root.join(format!("backup-{}", self.backups));
        self.backups += 1;
        // A backup that fails is told; the one before stays the newest.
        if self.hub.back_up(&file) {
            self.backup = Some(file);
        }
        self.hub.platter.take_hits();
    }

    pub(crate) fn restore(&mut self) -> Holds {
        let Some(file) = self.backup.clone() else { return Ok(()) };
        self.coverage.hit_hub(Fault::Restore, Doing::Idle);
        self.armed_hub = None;
        let recovery = self.root.join("commune").join("recovery");
        if let Err(e) = self.hub.restore(&file, &recovery) {
            return broken("I-23", format!("a backup does not restore: {e}"));
        }
        // What only the hub held is gone with its disk, if the backup is older.
        self.phones.iter_mut().flat_map(|node| &mut node.ticked).filter(|tick| tick.rolled_back).for_each(|tick| tick.forgiven = true);
        Ok(())
    }

    /// A file is gone from the hub's storage; the hub looks, and asks whoever may still have it.
    fn lose_a_file(&mut self, dice: &mut Chance) -> Holds {
        if self.now_ms - EVENING_MS > PHONES_KEEP_MS {
            return Ok(());
        }
        let folder = self.hub.dir.join("objects");
        let mut files: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|item| item.path()).collect();
        files.sort();
        if files.is_empty() {
            return Ok(());
        }
        std::fs::remove_file(&files[dice.index(files.len())]).expect("a file in memory can be removed");
        self.hub.with(async |hub| drop(yenban_hub::scrub::objects(hub, |_| ()).await));
        self.after_hub(Doing::Jobs)
    }

    fn keep_image(&mut self, who: usize) -> Holds {
        let image = self.root.join(format!("image-{who}"));
        let node = &mut self.phones[who];
        if node.platter.is_dead() {
            return Ok(());
        }
        node.stop();
        let _ = std::fs::remove_dir_all(&image);
        copy_folder(&node.dir.join("store"), &image);
        node.image = Some((image, node.ticked.len()));
        // It starts again on files that nobody changed.
        self.open_phone(who)
    }

    fn roll_back(&mut self, who: usize, dice: &mut Chance) -> Holds {
        let Some((image, ticks)) = self.phones[who].image.clone() else { return Ok(()) };
        let doing = self.doing_of(who);
        self.coverage.hit(Fault::RollBack, doing);
        // What the hub holds is asked for below; its disk must not answer for the question.
        self.hub.platter.set_faults(Faults::default());
        self.armed_hub = None;
        self.mark_rolled_back(who, ticks)?;
        let node = &mut self.phones[who];
        node.stop();
        self.armed_phone[who] = None;
        let store = node.dir.join("store");
        std::fs::remove_dir_all(&store).expect("a folder in memory can be removed");
        copy_folder(&image, &store);
        node.platter.replaced();
        // As a phone's own backup leaves it out.
        let noticed = dice.happens(500) && std::fs::remove_file(store.join("marker")).is_ok();
        node.clock.reboot();
        node.incidents.clear();
        node.was_rolled_back = true;
        let before = node.newest_log();
        self.open_phone(who)?;
        if noticed && before.is_some() && self.phones[who].newest_log() == before {
            return broken("I-14", format!("phone {who} was put back to an old image and goes on in its old log"));
        }
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.end();
    }
}

/// What goes wrong with a disk, by the kind of step.
fn draw_faults(kind: Kind, dice: &mut Chance) -> (Fault, Faults) {
    let at = dice.below(40);
    match kind {
        Kind::PhoneDies | Kind::HubDies => {
            let when = if dice.happens(500) { When::Before } else { When::After };
            (Fault::Power, Faults { dies: Some((at, when)), ..Faults::default() })
        }
        Kind::PhoneFull | Kind::HubFull => (Fault::DiskFull, Faults { room_bytes: Some(dice.below(256 * 1024)), ..Faults::default() }),
        _ => match dice.below(4) {
            0 => (Fault::ReadError, Faults { reads_per_mille: dice.below(100) as u32, ..Faults::default() }),
            1 => (Fault::WriteError, Faults { writes_per_mille: dice.below(100) as u32, ..Faults::default() }),
            2 => (Fault::WriteError, Faults { fails: Some((at, DiskFailure::Broken)), ..Faults::default() }),
            _ => (Fault::WriteError, Faults { fails: Some((at, DiskFailure::Half)), fails_on: dice.happens(300), ..Faults::default() }),
        },
    }
}

/// A request that got lost on its way.
pub(crate) fn lost(why: &str) -> Failure {
    Failure::Lost { why: why.into(), handed_bytes: 0 }
}
