//! The world: who there is, what time it truly is, and what one step does.

use std::path::{Path, PathBuf};

use yenban_core::sync::{Failure, Request};
use yenban_core::{Error, ErrorKind};

use crate::chance::Chance;
use crate::coverage::{Coverage, Doing, Fault};
use crate::disk::{Cut, Failure as DiskFailure, Faults, When};
use crate::hub::HubNode;
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
    /// What is large gets lost, always; what is small passes.
    pub narrow: bool,
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
    /// Files of parcels under way.
    pub(crate) stick: Vec<Vec<u8>>,
    /// The newest backup.
    pub backup: Option<PathBuf>,
    /// Warnings that an officer was told are sent, by identifier; without those that went with a lost disk of the hub.
    pub alerts: Vec<String>,
    /// How many of them are in the newest backup.
    pub(crate) backed_up_alerts: usize,
    /// The hub came back from a backup.
    pub(crate) restored: bool,
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
        let weather = Weather { lost: draw(LOST_MAX), cut: draw(CUT_MAX), again: draw(AGAIN_MAX), narrow: false };
        let mut world = World {
            root: root.to_path_buf(),
            now_ms: EVENING_MS,
            phones: Vec::new(),
            hub,
            weather,
            coverage: Coverage::default(),
            old: Vec::new(),
            stick: Vec::new(),
            backup: None,
            alerts: Vec::new(),
            backed_up_alerts: 0,
            restored: false,
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
            Kind::NewKeys => self.new_keys()?,
            Kind::Loses => self.lose_a_file(&mut dice)?,
            Kind::Image => self.keep_image(who)?,
            Kind::RollBack => {
                let noticed = dice.happens(500);
                self.roll_back(who, noticed)?;
            }
            Kind::TwoLives => self.two_lives(who, &mut dice)?,
            Kind::PhoneFalters => self.falter_phone(who, &mut dice)?,
            Kind::HubFalters => self.falter_hub(who, &mut dice)?,
            Kind::Narrow => self.narrow(who, &mut dice)?,
            Kind::Courier => self.courier(who, &mut dice)?,
            Kind::Mend => self.mend(),
        }
        self.note(step);
        self.check_ticks(who)?;
        // Looking may have opened the spool again, on a disk that fails.
        self.after_phone(who, Doing::Idle)
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

    /// Whether this failure of a phone has a reason: its disk failed in that call or is full, or it failed before and one
    /// more call found a connection that remembers it. That a disk might fail is no reason.
    pub(crate) fn excused(&mut self, who: usize, e: &Error) -> bool {
        let node = &mut self.phones[who];
        let full = node.platter.is_small() && e.kind() == ErrorKind::StorageFull;
        node.platter.is_dead() || node.platter.hits() > 0 || full || std::mem::take(&mut node.aftermath)
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

    pub(crate) fn reboot(&mut self, who: usize) -> Holds {
        let doing = self.doing_of(who);
        self.coverage.hit(Fault::Reboot, doing);
        self.phones[who].stop();
        self.phones[who].clock.reboot();
        self.open_phone(who)
    }

    /// What a phone is in the middle of.
    pub(crate) fn doing_of(&self, who: usize) -> Doing {
        let node = &self.phones[who];
        match node.road.front() {
            Some(on) => Doing::of(&on.request),
            None => Doing::Idle,
        }
    }

    pub(crate) fn kill_phone(&mut self, who: usize, dice: &mut Chance) -> Holds {
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
        self.phones[who].aftermath |= hits > 0;
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
            self.check_receipts(false)?;
        }
        Ok(())
    }

    pub(crate) fn kill_hub(&mut self, fault: Fault, doing: Doing, dice: &mut Chance) -> Holds {
        self.coverage.hit_hub(fault, doing);
        self.armed_hub = None;
        self.hub.crash(Cut::ALL[dice.index(4)]);
        self.open_hub()?;
        self.check_receipts(false)
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
            *armed = None;
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
        Kind::PhoneFull | Kind::HubFull => {
            // Every other time hardly anything fits: what writes little meets a full disk too.
            let most = if dice.happens(500) { 16 * 1024 } else { 256 * 1024 };
            (Fault::DiskFull, Faults { room_bytes: Some(dice.below(most)), ..Faults::default() })
        }
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
