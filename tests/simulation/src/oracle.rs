//! What must be true, whatever happened: after each step for a phone, after each death of the hub, and of everything at
//! the end, when the roads are open, the disks are whole and everybody had time.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use yenban_core::sync::{SyncStore, Verdict};
use yenban_hub::store::{ItemName, ListQuery};
use yenban_protocol::chain::{Link, StoredBody};
use yenban_protocol::id::{EntryName, LogId};

use crate::chance::Chance;
use crate::phone::What;
use crate::world::{Holds, Weather, World, broken};

/// Ticks looked at after each step, the newest ones.
const NEWEST: usize = 6;
/// Rounds in which everybody syncs after the faults stopped; a promise says that three are enough, and waits count.
const ROUNDS: usize = 12;
/// Messages in one sync of one phone at most.
const MESSAGES_MAX: usize = 5_000;
/// Rows of one page of the hub.
const PAGE: u32 = 500;

/// A report as the hub lists it.
#[derive(Debug)]
struct Listed {
    from_ms: i64,
    to_ms: i64,
    complete: bool,
}

impl World {
    /// The newest ticks of a phone are still there.
    pub(crate) fn check_ticks(&mut self, who: usize) -> Holds {
        let node = &self.phones[who];
        let Some(phone) = node.phone.as_ref() else { return Ok(()) };
        if self.armed_phone[who].is_some() {
            return Ok(());
        }
        for tick in node.ticked.iter().rev().take(NEWEST).filter(|tick| !tick.rolled_back) {
            match SyncStore::link(phone, tick.name.log, tick.name.seq) {
                Ok(Some(link)) if link == tick.link => {}
                Ok(None) => return broken("I-01", format!("phone {who} ticked {:?} {} and does not have it", tick.what, tick.name)),
                Ok(Some(_)) => return broken("I-14", format!("phone {who} has another entry in the place of {}", tick.name)),
                Err(_) if node.aftermath => {}
                Err(e) => return broken("I-01", format!("phone {who} cannot read {}: {e}", tick.name)),
            }
        }
        Ok(())
    }

    /// What a phone believes to be at the hub is there.
    pub(crate) fn check_receipts(&mut self) -> Holds {
        let Some(hub_epoch) = self.hub.with(async |hub| hub.epoch()) else { return Ok(()) };
        for (who, node) in self.phones.iter().enumerate() {
            let Some(phone) = node.phone.as_ref().filter(|_| self.armed_phone[who].is_none()) else { continue };
            let Ok(Some(epoch)) = phone.epoch() else { continue };
            if epoch != hub_epoch {
                continue;
            }
            for state in phone.logs().unwrap_or_default() {
                let Ok(received) = phone.received(state.log) else { continue };
                let held = self.held(state.log)?;
                for (first, last) in received.iter() {
                    for seq in first..=last {
                        let Ok(Some(link)) = SyncStore::link(phone, state.log, seq) else { continue };
                        if !held.contains(&(seq, link)) {
                            return broken("I-20", format!("the hub signed for {}:{seq} of phone {who} and does not hold it", state.log));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Every entry of a log that the hub holds, on any branch.
    fn held(&self, log: LogId) -> Holds<BTreeSet<(u64, Link)>> {
        let rows = self.hub.with(async |hub| {
            let (mut rows, mut twice) = (BTreeSet::new(), None);
            let state = hub.store.log_state(log).await?;
            let branches: BTreeSet<u32> = state.iter().flat_map(|s| &s.held).map(|run| run.branch).collect();
            for branch in branches {
                let mut first = 0;
                loop {
                    let page = hub.store.entries(log, branch, first, PAGE).await?;
                    let Some(last) = page.last() else { break };
                    first = last.seq + 1;
                    for row in page {
                        twice = twice.or((!rows.insert((row.seq, row.link))).then_some(row.seq));
                    }
                }
            }
            Ok::<_, yenban_hub::HubError>((rows, twice))
        });
        match rows {
            Some(Ok((_, Some(seq)))) => broken("I-19", format!("the hub holds {log}:{seq} twice")),
            Some(Ok((rows, None))) => Ok(rows),
            Some(Err(e)) => broken("I-20", format!("the hub cannot read log {log}: {e}")),
            None => broken("I-20", "the hub does not run"),
        }
    }

    /// What is about to be put back will not have these.
    pub(crate) fn mark_rolled_back(&mut self, who: usize, ticks: usize) -> Holds {
        let names: Vec<(EntryName, Link)> =
            self.phones[who].ticked[ticks.min(self.phones[who].ticked.len())..].iter().map(|t| (t.name, t.link)).collect();
        let mut held = BTreeMap::new();
        for (name, _) in &names {
            if let Entry::Vacant(log) = held.entry(name.log) {
                log.insert(self.held(name.log)?);
            }
        }
        for tick in &mut self.phones[who].ticked[ticks..] {
            tick.rolled_back = true;
            // Nobody but the lost phone had it.
            tick.forgiven |= !held.get(&tick.name.log).is_some_and(|rows| rows.contains(&(tick.name.seq, tick.link)));
        }
        Ok(())
    }

    /// What is cheap to look at.
    pub(crate) fn look(&mut self) -> Holds {
        (0..self.phones.len()).try_for_each(|who| self.check_ticks(who))?;
        self.check_receipts()
    }

    /// The faults stop; everybody gets time. Then everything must be where it belongs.
    ///
    /// # Errors
    /// When a promise does not hold.
    pub fn come_to_rest(&mut self) -> Holds {
        self.mend();
        self.weather = Weather { lost: 0, cut: 0, again: 0 };
        if self.hub.hub.is_none() {
            self.open_hub()?;
        }
        for who in 0..self.phones.len() {
            self.phones[who].cut_off = false;
            // As a member does who sees that something is odd.
            self.phones[who].stop();
            self.open_phone(who)?;
        }
        // A look at everything that is stored, as every night: what is gone is asked for.
        self.hub.with(async |hub| drop(yenban_hub::scrub::objects(hub, |_| ()).await));
        for _ in 0..ROUNDS {
            for who in 0..self.phones.len() {
                self.sync_once(who)?;
            }
            if self.phones.iter().all(|node| node.last.as_ref().is_some_and(|o| o.verdict == Verdict::UpToDate)) {
                break;
            }
            self.pass(600_000);
        }
        self.check_end()
    }

    pub(crate) fn sync_once(&mut self, who: usize) -> Holds {
        let mut dice = Chance::new(self.now_ms.cast_unsigned());
        self.phones[who].last = None;
        self.phones[who].sync = None;
        self.phones[who].road.clear();
        for _ in 0..MESSAGES_MAX {
            self.talk(who, &mut dice)?;
            if self.phones[who].last.is_some() {
                return Ok(());
            }
        }
        broken("I-21", format!("a sync of phone {who} does not end"))
    }

    fn check_end(&mut self) -> Holds {
        self.check_receipts()?;
        for who in 0..self.phones.len() {
            self.check_drained(who)?;
            self.check_phone(who)?;
            self.check_at_hub(who)?;
        }
        self.check_listings()?;
        self.check_salts()?;
        self.check_hub()
    }

    fn check_drained(&self, who: usize) -> Holds {
        match self.phones[who].last.as_ref() {
            Some(outcome) if outcome.verdict == Verdict::UpToDate && outcome.parked == 0 => Ok(()),
            other => broken("I-21", format!("the outbox of phone {who} does not drain: {other:?}")),
        }
    }

    fn check_phone(&mut self, who: usize) -> Holds {
        let alerts = self.alerts_at_hub()?;
        let rolled_back = self.phones[who].was_rolled_back;
        let node = &mut self.phones[who];
        let Some(phone) = node.phone.as_mut() else { return broken("I-01", format!("phone {who} does not run")) };
        for tick in node.ticked.iter().filter(|tick| !tick.rolled_back) {
            if SyncStore::link(phone, tick.name.log, tick.name.seq).ok().flatten() != Some(tick.link) {
                return broken("I-01", format!("phone {who} ticked {:?} {} and does not have it", tick.what, tick.name));
            }
        }
        let report = phone.check().or_else(|e| broken("I-08", format!("phone {who} cannot check itself: {e}")))?;
        // What an older image does not name may be the end of a log that was lost, and the phone says so.
        if let Some(fault) = report.faults.iter().find(|fault| !(rolled_back && fault.contains("does not name"))) {
            return broken("I-08", format!("phone {who} finds fault with itself: {fault}"));
        }
        let shown = phone.alerts().or_else(|e| broken("I-29", format!("phone {who} cannot show its warnings: {e}")))?;
        let mut seen = BTreeSet::new();
        for alert in &shown {
            if !seen.insert(alert.id.clone()) {
                return broken("I-29", format!("phone {who} shows the warning {} twice", alert.id));
            }
        }
        match alerts.iter().find(|id| !seen.contains(*id)) {
            Some(id) => broken("I-29", format!("phone {who} does not have the warning {id}")),
            None => Ok(()),
        }
    }

    fn alerts_at_hub(&self) -> Holds<Vec<String>> {
        let listed = self.hub.with(async |hub| hub.store.alerts(ListQuery { limit: PAGE, ..ListQuery::default() }).await);
        match listed {
            Some(Ok(rows)) => Ok(rows.into_iter().map(|row| row.id).collect()),
            other => broken("I-29", format!("the hub cannot list its warnings: {other:?}")),
        }
    }

    fn check_at_hub(&self, who: usize) -> Holds {
        let mut held: BTreeMap<LogId, BTreeSet<(u64, Link)>> = BTreeMap::new();
        for tick in self.phones[who].ticked.iter().filter(|tick| !tick.forgiven) {
            let log = tick.name.log;
            if let Entry::Vacant(place) = held.entry(log) {
                place.insert(self.held(log)?);
            }
            if !held.get(&log).is_some_and(|rows| rows.contains(&(tick.name.seq, tick.link))) {
                return broken("I-19", format!("the hub does not hold {:?} {} of phone {who}", tick.what, tick.name));
            }
        }
        Ok(())
    }

    /// Each report once, with its true time; each photograph here, bytes and all.
    fn check_listings(&self) -> Holds {
        let mut query = ListQuery { limit: PAGE, ..ListQuery::default() };
        let mut reports: BTreeMap<String, Listed> = BTreeMap::new();
        let mut photos: BTreeMap<String, String> = BTreeMap::new();
        loop {
            let page = query.clone();
            let rows = self.hub.with(async |hub| (hub.store.incidents(page.clone()).await, hub.store.evidence(page).await));
            let Some((Ok(incidents), Ok(evidence))) = rows else { return broken("I-19", "the hub cannot list what it holds") };
            if incidents.is_empty() && evidence.is_empty() {
                break;
            }
            query.offset += PAGE;
            for row in incidents {
                let at = |text: &str| text.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_millisecond);
                let listed = Listed { from_ms: at(&row.time_earliest), to_ms: at(&row.time_latest), complete: row.complete };
                let name = format!("{}/{}", row.id, row.branch);
                if reports.insert(name, listed).is_some() {
                    return broken("I-19", format!("the hub lists the report {} twice", row.id));
                }
            }
            for row in evidence {
                if photos.insert(format!("{}/{}", row.id, row.branch), row.state).is_some() {
                    return broken("I-16", format!("the hub lists the photograph {} twice", row.id));
                }
            }
        }
        for (who, node) in self.phones.iter().enumerate() {
            for tick in node.ticked.iter().filter(|tick| !tick.forgiven) {
                let branches = |what: &str| format!("phone {who}'s {what} {}", tick.name);
                match tick.what {
                    What::Report | What::Urgent => {
                        let found: Vec<_> = (0..8).filter_map(|b| reports.get(&format!("{}/{b}", tick.name))).collect();
                        if found.is_empty() {
                            return broken("I-19", format!("the hub does not list {}", branches("report")));
                        }
                        if !node.was_rolled_back && !found.iter().any(|listed| listed.complete) {
                            return broken("I-05", format!("{} is not complete", branches("report")));
                        }
                        if !found.iter().any(|listed| (listed.from_ms..=listed.to_ms).contains(&tick.at_ms)) {
                            return broken(
                                "I-18",
                                format!("the true time of {} lies outside {found:?}: {}", branches("report"), tick.at_ms),
                            );
                        }
                    }
                    What::Photo => {
                        let found: Vec<_> = (0..8).filter_map(|b| photos.get(&format!("{}/{b}", tick.name))).collect();
                        // The file of one that was rolled back may have gone with the phone.
                        if !tick.rolled_back && !found.iter().any(|state| *state == "verified") {
                            return broken("I-13", format!("{} is not at the hub: {found:?}", branches("photograph")));
                        }
                        if found.iter().any(|state| *state == "verified") {
                            self.check_custody(tick.name)?;
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// What became of a photograph is on record.
    fn check_custody(&self, entry: EntryName) -> Holds {
        let records = self.hub.with(async |hub| {
            let mut records = 0;
            for branch in 0..8 {
                records += hub.store.custody(ItemName { entry, branch }, i64::MAX).await?.len();
            }
            Ok::<_, yenban_hub::HubError>(records)
        });
        match records {
            Some(Ok(0)) | None => broken("I-14", format!("the hub has no record of how {entry} arrived")),
            Some(Ok(_)) => Ok(()),
            Some(Err(e)) => broken("I-14", format!("the hub cannot read the record of {entry}: {e}")),
        }
    }

    /// No two entries have one salt: two that say the same must not look the same.
    fn check_salts(&self) -> Holds {
        let salts = self.hub.with(async |hub| {
            let (mut salts, mut entries) = (BTreeSet::new(), 0usize);
            for log in hub.store.logs().await? {
                for row in hub.store.entries(log, 0, 0, PAGE).await? {
                    if let Ok(StoredBody::Whole(body)) = StoredBody::from_bytes(&row.body) {
                        entries += 1;
                        salts.insert(body.salt);
                    }
                }
            }
            Ok::<_, yenban_hub::HubError>(entries - salts.len())
        });
        match salts {
            Some(Ok(0)) => Ok(()),
            Some(Ok(more)) => broken("I-32", format!("{more} entries have the salt of another")),
            other => broken("I-20", format!("the hub cannot read its entries: {other:?}")),
        }
    }

    fn check_hub(&self) -> Holds {
        let put_back = self.phones.iter().any(|node| node.was_rolled_back);
        let checked = self.hub.with(async |hub| {
            let chains = hub.store.check_chains().await;
            let custody = hub.store.check_custody().await;
            let objects = yenban_hub::scrub::objects(hub, |_| ()).await;
            (chains, custody, objects)
        });
        match checked {
            // What a phone that was put back had kept for the hub may be gone with its newer image.
            Some((Ok(chains), Ok(custody), Ok(objects))) => {
                match chains.iter().chain(&custody).chain(objects.wrong.iter().filter(|_| !put_back)).next() {
                    Some(wrong) => broken("I-14", format!("the hub finds fault with itself: {wrong}")),
                    None => Ok(()),
                }
            }
            other => broken("I-14", format!("the hub cannot check itself: {other:?}")),
        }
    }
}
