//! What comes back from before, and what goes wrong in a certain order: images, backups, a disk that falters and dies later.

use std::collections::BTreeSet;

use yenban_protocol::id::LogId;

use crate::chance::Chance;
use crate::coverage::{Doing, Fault};
use crate::disk::{Cut, Faults};
use crate::hub::copy_folder;
use crate::phone::Ticked;
use crate::world::{EVENING_MS, Holds, World, broken};

/// So long at least a phone keeps what the hub has signed for.
const PHONES_KEEP_MS: i64 = 12 * 86_400_000;
/// Messages of one sync that a step waits for at most.
const A_WHILE: u64 = 24;

impl World {
    pub(crate) fn back_up(&mut self) {
        let file = self.root.join(format!("backup-{}", self.backups));
        self.backups += 1;
        // A backup that fails is told; the one before stays the newest.
        if self.hub.back_up(&file) {
            self.backup = Some(file);
            self.backed_up_alerts = self.alerts.len();
        }
        self.hub.platter.take_hits();
    }

    /// The operator's two steps are one command: no phone hears of keys that no backup has.
    pub(crate) fn new_keys(&mut self) -> Holds {
        for who in 0..self.phones.len() {
            let doing = self.doing_of(who);
            self.coverage.hit(Fault::NewKeys, doing);
        }
        // An operator waits for a machine that works; what failed before is found out first.
        self.hub.platter.set_faults(Faults::default());
        self.armed_hub = None;
        self.after_hub(Doing::Idle)?;
        if let Err(e) = self.hub.replace_keys() {
            return broken("I-24", format!("the hub's keys cannot be replaced: {e}"));
        }
        self.back_up();
        Ok(())
    }

    pub(crate) fn restore(&mut self) -> Holds {
        let Some(file) = self.backup.clone() else { return Ok(()) };
        self.coverage.hit_hub(Fault::Restore, Doing::Idle);
        self.armed_hub = None;
        let recovery = self.root.join("commune").join("recovery");
        if let Err(e) = self.hub.restore(&file, &recovery) {
            return broken("I-23", format!("a backup does not restore: {e}"));
        }
        self.restored = true;
        self.alerts.truncate(self.backed_up_alerts);
        // What only the hub held is gone with its disk, if the backup is older.
        let lost = |tick: &Ticked| tick.rolled_back && !tick.forgiven;
        let names: BTreeSet<LogId> =
            self.phones.iter().flat_map(|node| &node.ticked).filter(|t| lost(t)).map(|tick| tick.name.log).collect();
        for log in names {
            let held = self.held(log)?;
            let of_log = self.phones.iter_mut().flat_map(|node| &mut node.ticked).filter(|t| lost(t) && t.name.log == log);
            of_log.for_each(|tick| tick.forgiven = !held.contains(&(tick.name.seq, tick.link)));
        }
        Ok(())
    }

    /// A file is gone from the hub's storage; the hub looks, and asks whoever may still have it.
    pub(crate) fn lose_a_file(&mut self, dice: &mut Chance) -> Holds {
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

    pub(crate) fn keep_image(&mut self, who: usize) -> Holds {
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

    /// Puts a phone back to its image. `noticed`: as its own backup does it, which leaves the marker out.
    pub(crate) fn roll_back(&mut self, who: usize, noticed: bool) -> Holds {
        let Some((image, ticks)) = self.phones[who].image.clone() else { return Ok(()) };
        let doing = self.doing_of(who);
        self.coverage.hit(Fault::RollBack, doing);
        // What the hub holds is asked for below; its disk must not answer for the question.
        self.hub.platter.set_faults(Faults::default());
        self.armed_hub = None;
        self.after_hub(Doing::Idle)?;
        self.mark_rolled_back(who, ticks)?;
        let node = &mut self.phones[who];
        node.stop();
        self.armed_phone[who] = None;
        let store = node.dir.join("store");
        std::fs::remove_dir_all(&store).expect("a folder in memory can be removed");
        copy_folder(&image, &store);
        node.platter.replaced();
        let noticed = noticed && std::fs::remove_file(store.join("marker")).is_ok();
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

    /// A phone is put back to how it was a moment ago, and nothing on it tells: both lives write the same places of a log.
    pub(crate) fn two_lives(&mut self, who: usize, dice: &mut Chance) -> Holds {
        self.keep_image(who)?;
        for _ in 0..=dice.below(3) {
            self.act(who, dice)?;
        }
        self.talk_a_while(who, A_WHILE, dice)?;
        self.roll_back(who, false)?;
        for _ in 0..=dice.below(5) {
            self.act(who, dice)?;
        }
        Ok(())
    }

    /// A sync of a phone fails and work goes on; later the power goes.
    pub(crate) fn falter_phone(&mut self, who: usize, dice: &mut Chance) -> Holds {
        if dice.happens(400) {
            self.reboot(who)?;
        }
        self.phones[who].platter.set_faults(Faults { sync_fails: Some(dice.below(3)), ..Faults::default() });
        self.armed_phone[who] = Some(Fault::WriteError);
        for _ in 0..=dice.below(2) {
            self.act(who, dice)?;
        }
        self.phones[who].platter.set_faults(Faults::default());
        self.armed_phone[who] = None;
        for _ in 0..=dice.below(3) {
            self.act(who, dice)?;
        }
        self.check_ticks(who)?;
        self.talk_a_while(who, dice.clone().below(A_WHILE), dice)?;
        self.kill_phone(who, dice)
    }

    /// A sync of the hub fails while phones send; later the power goes.
    pub(crate) fn falter_hub(&mut self, who: usize, dice: &mut Chance) -> Holds {
        self.act(who, dice)?;
        self.hub.platter.set_faults(Faults { sync_fails: Some(dice.below(4)), ..Faults::default() });
        self.armed_hub = Some(Fault::WriteError);
        for _ in 0..A_WHILE {
            self.talk(who, dice)?;
            if self.hub.platter.has_lost() {
                break;
            }
        }
        self.hub.platter.set_faults(Faults::default());
        self.armed_hub = None;
        if dice.happens(500) {
            // The program is ended before it writes anything more: it reads again what is on no medium.
            self.hub.crash(Cut::AllKept);
            self.open_hub()?;
        }
        self.talk_a_while(who, A_WHILE, dice)?;
        self.kill_hub(Fault::Kill, Doing::Idle, dice)
    }

    /// For a while what is large gets lost on a phone's road, and what is small passes.
    pub(crate) fn narrow(&mut self, who: usize, dice: &mut Chance) -> Holds {
        self.act(who, dice)?;
        self.weather.narrow = true;
        for _ in 0..2 * A_WHILE {
            self.talk(who, dice)?;
        }
        self.weather.narrow = false;
        Ok(())
    }

    /// A sync of a phone, to its end or so many messages.
    fn talk_a_while(&mut self, who: usize, messages: u64, dice: &mut Chance) -> Holds {
        self.phones[who].last = None;
        for _ in 0..messages {
            self.talk(who, dice)?;
            if self.phones[who].last.is_some() {
                break;
            }
        }
        Ok(())
    }
}
