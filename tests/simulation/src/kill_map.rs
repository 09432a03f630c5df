//! Kill maps: one operation, stopped before and after each of its calls to the disk, with each of four outcomes for what
//! was not synced. Afterwards everything is there or nothing of it, and what was acknowledged is there.

use std::path::PathBuf;
use std::sync::Arc;

use yenban_core::clock::{Clock as _, VirtualClock};

use crate::chance::Chance;
use crate::coverage::Doing;
use crate::disk::{Cut, Failure, Faults, Unsynced, When};
use crate::hub::copy_folder;
use crate::phone::{PhoneNode, Ticked, What, place};
use crate::world::{Holds, Violation, World, broken};

/// An operation and the world it happens in.
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// Whose disk fails.
    pub side: Side,
    prepare: fn(&mut World) -> Holds,
    operate: fn(&mut World) -> Holds,
    /// After so many points everybody comes to rest and everything is looked at; after the others what is cheap.
    rest_every: u64,
}

/// A check-in makes fewer calls to the disk.
const CALLS_TO_SYNC: u64 = 40;

/// Whose disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The phone's.
    Phone,
    /// The hub's.
    Hub,
}

/// What a map found.
pub struct Mapped {
    /// Points tried: calls times before and after times outcomes.
    pub points: u64,
    /// Calls to the disk.
    pub calls: u64,
    /// What did not hold, and where.
    pub broken: Vec<(u64, When, Cut, Violation)>,
}

/// Operations with a map.
pub const CASES: &[Case] = &[
    Case { name: "check-in", side: Side::Phone, prepare: on_patrol, operate: check_in, rest_every: 16 },
    Case { name: "urgent report", side: Side::Phone, prepare: on_patrol, operate: urgent, rest_every: 16 },
    Case { name: "photograph", side: Side::Phone, prepare: with_report, operate: photo, rest_every: 16 },
    Case { name: "report with two photographs", side: Side::Phone, prepare: on_patrol, operate: report_with_photos, rest_every: 16 },
    Case { name: "start after a kill in a photograph", side: Side::Phone, prepare: killed_in_photo, operate: start, rest_every: 16 },
    Case { name: "start after a failed sync", side: Side::Phone, prepare: sync_failed, operate: start, rest_every: 8 },
    Case { name: "hand-over", side: Side::Phone, prepare: two_members, operate: hand_over, rest_every: 16 },
    Case { name: "new log after doubt", side: Side::Phone, prepare: without_marker, operate: start, rest_every: 8 },
    Case { name: "sync of words, phone dies", side: Side::Phone, prepare: words_wait, operate: sync, rest_every: 8 },
    Case { name: "sync of files, phone dies", side: Side::Phone, prepare: files_wait, operate: sync, rest_every: 8 },
    Case { name: "sync with a restored hub, phone dies", side: Side::Phone, prepare: hub_restored, operate: sync, rest_every: 8 },
    Case { name: "warnings arrive, phone dies", side: Side::Phone, prepare: warned, operate: sync, rest_every: 8 },
    Case { name: "sync of words, hub dies", side: Side::Hub, prepare: words_wait, operate: sync, rest_every: 4 },
    Case { name: "sync of files, hub dies", side: Side::Hub, prepare: files_wait, operate: sync, rest_every: 4 },
    Case { name: "a phone joins, hub dies", side: Side::Hub, prepare: nothing, operate: join_another, rest_every: 4 },
    Case { name: "a warning, hub dies", side: Side::Hub, prepare: nothing, operate: warn, rest_every: 4 },
    Case { name: "the hub's night", side: Side::Hub, prepare: files_delivered, operate: night, rest_every: 4 },
    Case { name: "the hub starts after a kill in an upload", side: Side::Hub, prepare: hub_killed, operate: hub_starts, rest_every: 4 },
];

impl Case {
    /// Stops the operation at each call. `seed` makes the world.
    ///
    /// # Errors
    /// When the operation does not even work with nothing the matter.
    pub fn map(&self, root: &std::path::Path, template: &std::path::Path, seed: u64) -> Holds<Mapped> {
        let _ = std::fs::remove_dir_all(root);
        let mut world = World::new(root, template, &mut Chance::new(seed), 1)?;
        world.weather = crate::world::Weather { lost: 0, cut: 0, again: 0, narrow: false };
        (self.prepare)(&mut world)?;
        let kept = Kept::of(&mut world)?;
        (self.operate)(&mut world)?;
        let mut mapped = Mapped { points: 0, calls: 0, broken: Vec::new() };
        'calls: for call in 0.. {
            for when in [When::Before, When::After] {
                for cut in Cut::ALL {
                    kept.put_back(&mut world)?;
                    let died = self.point(&mut world, call, when, cut, &mut mapped);
                    if !died {
                        mapped.calls = call;
                        break 'calls;
                    }
                }
            }
        }
        Ok(mapped)
    }

    /// Whether the operation came as far as the call.
    fn point(&self, world: &mut World, call: u64, when: When, cut: Cut, mapped: &mut Mapped) -> bool {
        let platter = match self.side {
            Side::Phone => world.phones[0].platter.clone(),
            Side::Hub => world.hub.platter.clone(),
        };
        world.cut = cut;
        let deaths = world.deaths;
        match self.side {
            Side::Phone => world.armed_phone[0] = Some(crate::coverage::Fault::Power),
            Side::Hub => world.armed_hub = Some(crate::coverage::Fault::Power),
        }
        platter.set_faults(Faults { dies: Some((call, when)), ..Faults::default() });
        let done = (self.operate)(world);
        platter.set_faults(Faults::default());
        world.mend();
        let died = world.deaths > deaths;
        if !died {
            return false;
        }
        mapped.points += 1;
        let rest = mapped.points.is_multiple_of(self.rest_every);
        let held = done.and_then(|()| if rest { world.come_to_rest() } else { world.look() });
        if let Err(violation) = held {
            mapped.broken.push((call, when, cut, violation));
        }
        true
    }
}

/// A world to come back to.
struct Kept {
    copy: PathBuf,
    ticked: Vec<Vec<Ticked>>,
    incidents: Vec<Vec<String>>,
    alerts: Vec<String>,
    now_ms: i64,
    clocks: Vec<Arc<VirtualClock>>,
    /// What was on no medium: of the hub, then of the phones.
    unsynced: Vec<Unsynced>,
}

impl Kept {
    fn of(world: &mut World) -> Holds<Kept> {
        let copy = world.root.join("kept");
        world.hub.stop();
        copy_folder(&world.hub.dir, &copy.join("hub"));
        for (number, node) in world.phones.iter_mut().enumerate() {
            node.stop();
            copy_folder(&node.dir, &copy.join(number.to_string()));
        }
        let kept = Kept {
            copy,
            ticked: world.phones.iter().map(|node| node.ticked.clone()).collect(),
            incidents: world.phones.iter().map(|node| node.incidents.clone()).collect(),
            alerts: world.alerts.clone(),
            now_ms: world.now_ms,
            unsynced: std::iter::once(&world.hub.platter).chain(world.phones.iter().map(|n| &n.platter)).map(|p| p.unsynced()).collect(),
            clocks: world.phones.iter().map(|node| same_time(&node.clock)).collect(),
        };
        kept.put_back(world)?;
        Ok(kept)
    }

    fn put_back(&self, world: &mut World) -> Holds {
        world.hub.stop();
        put(&self.copy.join("hub"), &world.hub.dir);
        world.hub.platter.replaced_by(&self.unsynced[0]);
        world.alerts.clone_from(&self.alerts);
        world.hub.clock.pass(self.now_ms - world.now_ms);
        world.now_ms = self.now_ms;
        while world.phones.len() > self.ticked.len() {
            if let Some(mut node) = world.phones.pop() {
                node.stop();
                node.platter.stop();
                let _ = std::fs::remove_dir_all(&node.dir);
            }
        }
        world.armed_phone.truncate(self.ticked.len());
        for (number, node) in world.phones.iter_mut().enumerate() {
            node.stop();
            put(&self.copy.join(number.to_string()), &node.dir);
            node.platter.replaced_by(&self.unsynced[number + 1]);
            node.ticked.clone_from(&self.ticked[number]);
            node.incidents.clone_from(&self.incidents[number]);
            node.clock = same_time(&self.clocks[number]);
            node.last = None;
        }
        if !world.hub_sleeps {
            world.open_hub()?;
        }
        let phones = if world.phones_sleep { 0 } else { world.phones.len() };
        (0..phones).try_for_each(|who| world.open_phone(who))
    }
}

/// A clock of its own that shows what this one does.
fn same_time(clock: &VirtualClock) -> Arc<VirtualClock> {
    let same = VirtualClock::starting_at(0);
    while same.boot_id() < clock.boot_id() {
        same.reboot();
    }
    same.advance_ms(clock.monotonic_ms().saturating_sub(same.monotonic_ms()));
    same.set_wall_ms(clock.wall_ms());
    same
}

fn put(from: &std::path::Path, to: &std::path::Path) {
    std::fs::remove_dir_all(to).expect("a folder in memory can be removed");
    copy_folder(from, to);
}

/// Runs something a member does; being stopped in it is what this is about.
fn act(world: &mut World, what: What, doing: Doing, work: impl FnOnce(&mut yenban_core::Phone) -> yenban_core::Result<String>) -> Holds {
    let now_ms = world.now_ms;
    if let Err(e) = world.phones[0].act(what, now_ms, work)
        && !world.phones[0].platter.is_dead()
    {
        return broken("I-03", format!("it failed and nothing was the matter: {e}"));
    }
    world.after_phone(0, doing)
}

fn nothing(_: &mut World) -> Holds {
    Ok(())
}

fn on_patrol(world: &mut World) -> Holds {
    act(world, What::Patrol, Doing::Capture, |phone| phone.patrol_start(&[], Some(place(1))))
}

fn check_in(world: &mut World) -> Holds {
    let check_in = yenban_core::app::CheckIn { place: Some(place(20)), ..Default::default() };
    act(world, What::CheckIn, Doing::Capture, |phone| phone.check_in(&check_in))
}

fn report(urgent: bool) -> yenban_core::app::Report {
    let said = yenban_core::app::Said { basis: "seen".into(), text: "Sạt lở ở dốc suối Nánh".into() };
    yenban_core::app::Report { kind: "landslide".into(), urgent, statements: vec![said], place: Some(place(30)), photos: 0 }
}

fn urgent(world: &mut World) -> Holds {
    act(world, What::Urgent, Doing::Capture, |phone| phone.report(&report(true)))
}

fn with_report(world: &mut World) -> Holds {
    act(world, What::Report, Doing::Capture, |phone| phone.report(&report(false)))?;
    let id = world.phones[0].ticked.last().map(|tick| tick.name.to_string());
    world.phones[0].incidents.extend(id);
    Ok(())
}

fn photo(world: &mut World) -> Holds {
    let subject = world.phones[0].incidents.last().cloned();
    let bytes = crate::act::photo(&mut Chance::new(11));
    act(world, What::Photo, Doing::Photo, |phone| crate::act::take_photo(phone, subject.as_deref(), &bytes))
}

fn report_with_photos(world: &mut World) -> Holds {
    let root = world.root.clone();
    let photos: Vec<_> = crate::act::brought(&root, &mut Chance::new(5)).into_iter().take(2).collect();
    act(world, What::Report, Doing::Photo, |phone| phone.report_with_photos(&report(false), &photos).map(|reported| reported.id))
}

/// A photograph whose sealing was cut off in the middle.
fn killed_in_photo(world: &mut World) -> Holds {
    with_report(world)?;
    world.cut = Cut::AllKept;
    world.armed_phone[0] = Some(crate::coverage::Fault::Power);
    world.phones[0].platter.set_faults(Faults { dies: Some((9, When::After)), ..Faults::default() });
    let subject = world.phones[0].incidents.last().cloned();
    let bytes = crate::act::photo(&mut Chance::new(12));
    let now_ms = world.now_ms;
    let done = world.phones[0].act(What::Photo, now_ms, |phone| crate::act::take_photo(phone, subject.as_deref(), &bytes));
    if done.is_ok() {
        return broken("simulation", "the photograph was to be cut off");
    }
    world.phones[0].crash(Cut::AllKept);
    world.phones_sleep = true;
    Ok(())
}

/// A check-in whose sync failed; then the program was killed. What it had written can be read and is on no medium.
fn sync_failed(world: &mut World) -> Holds {
    on_patrol(world)?;
    check_in(world)?;
    let now_ms = world.now_ms;
    for call in 0..CALLS_TO_SYNC {
        let node = &mut world.phones[0];
        // And all calls after it: else the phone would write once more what it is not sure of.
        node.platter.set_faults(Faults { fails: Some((call, Failure::Broken)), fails_on: true, ..Faults::default() });
        let done = node.act(What::CheckIn, now_ms, |phone| phone.check_in(&yenban_core::app::CheckIn::default()));
        let lost = node.platter.has_lost();
        node.crash(Cut::AllKept);
        if done.is_err() && lost {
            world.phones_sleep = true;
            return Ok(());
        }
        world.open_phone(0)?;
    }
    broken("simulation", "no sync of a check-in could be made to fail")
}

fn start(world: &mut World) -> Holds {
    world.open_phone(0)
}

/// The phone has heard who else there is.
fn two_members(world: &mut World) -> Holds {
    on_patrol(world)?;
    join_another(world)?;
    sync(world)
}

fn hand_over(world: &mut World) -> Holds {
    let Some(phone) = world.phones[0].phone.as_mut() else { return Ok(()) };
    let to = phone.member() + 1;
    if let Err(e) = phone.hand_over(to)
        && !world.phones[0].platter.is_dead()
    {
        return broken("I-03", format!("the phone did not change hands and nothing was the matter: {e}"));
    }
    world.after_phone(0, Doing::Capture)
}

fn without_marker(world: &mut World) -> Holds {
    on_patrol(world)?;
    world.phones[0].stop();
    let marker = world.phones[0].dir.join("store").join("marker");
    std::fs::remove_file(marker).or_else(|e| broken("simulation", format!("no marker to remove: {e}")))?;
    world.phones_sleep = true;
    Ok(())
}

fn words_wait(world: &mut World) -> Holds {
    on_patrol(world)?;
    (0..3).try_for_each(|_| check_in(world))?;
    urgent(world)
}

fn files_wait(world: &mut World) -> Holds {
    with_report(world)?;
    photo(world)
}

fn files_delivered(world: &mut World) -> Holds {
    files_wait(world)?;
    sync(world)
}

fn sync(world: &mut World) -> Holds {
    world.sync_once(0)
}

fn hub_restored(world: &mut World) -> Holds {
    words_wait(world)?;
    world.back_up();
    sync(world)?;
    world.restore()
}

fn warned(world: &mut World) -> Holds {
    sync(world)?;
    warn(world)?;
    warn(world)
}

fn warn(world: &mut World) -> Holds {
    world.warn(&mut Chance::new(3))
}

fn night(world: &mut World) -> Holds {
    world.pass(24 * 3_600_000);
    world.jobs(&mut Chance::new(4))
}

fn join_another(world: &mut World) -> Holds {
    let number = world.phones.len() as u8;
    let mut node = PhoneNode::new(&world.root.join(format!("phone-{number}")), world.now_ms, &mut Chance::new(77));
    let joined = world.join(&mut node, number);
    let dead = world.hub.platter.is_dead();
    node.stop();
    node.platter.stop();
    let _ = std::fs::remove_dir_all(&node.dir);
    world.after_hub(Doing::Idle)?;
    if dead { Ok(()) } else { joined }
}

fn hub_killed(world: &mut World) -> Holds {
    files_wait(world)?;
    world.cut = Cut::AllKept;
    world.armed_hub = Some(crate::coverage::Fault::Power);
    world.hub.platter.set_faults(Faults { dies: Some((24, When::After)), ..Faults::default() });
    for _ in 0..200 {
        world.talk(0, &mut Chance::new(world.now_ms.cast_unsigned()))?;
        if world.deaths > 0 {
            break;
        }
    }
    world.hub.stop();
    world.hub_sleeps = true;
    Ok(())
}

fn hub_starts(world: &mut World) -> Holds {
    world.open_hub()
}
