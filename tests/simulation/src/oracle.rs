//! What must be true, whatever happened: after each step for a phone, after each death of the hub, and of everything at
//! the end, when the roads are open, the disks are whole and everybody had time.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use yenban_core::app::{Report, Said};
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
    /// The newest ticks of a phone are still there. A disk that fails while they are read has its say, no other one.
    pub(crate) fn check_ticks(&mut self, who: usize) -> Holds {
        let node = &mut self.phones[who];
        let Some(phone) = node.phone.as_ref() else { return Ok(()) };
        for tick in node.ticked.iter().rev().take(NEWEST).filter(|tick| !tick.rolled_back) {
            match SyncStore::link(phone, tick.name.log, tick.name.seq) {
                Ok(Some(link)) if link == tick.link => {}
                Ok(None) => return broken("I-01", format!("phone {who} ticked {:?} {} and does not have it", tick.what, tick.name)),
                Ok(Some(_)) => return broken("I-14", format!("phone {who} has another entry in the place of {}", tick.name)),
                Err(_) if node.aftermath || node.platter.hits() > 0 || node.platter.is_dead() => {}
                Err(e) => return broken("I-01", format!("phone {who} cannot read {}: {e}", tick.name)),
            }
        }
        Ok(())
    }

    /// What a phone believes to be at the hub is there. `strict`: nothing may keep this from being seen.
    pub(crate) fn check_receipts(&mut self, strict: bool) -> Holds {
        let Some(hub_epoch) = self.hub.with(async |hub| hub.epoch()) else {
            return if strict { broken("I-20", "the hub does not run") } else { Ok(()) };
        };
        for (who, node) in self.phones.iter().enumerate() {
            let unread = |what: &str| {
                let seen = || format!("phone {who} cannot tell {what}");
                if strict { broken("I-20", seen()) } else { Ok(()) }
            };
            let Some(phone) = node.phone.as_ref() else {
                unread("anything: it does not run")?;
                continue;
            };
            match phone.epoch() {
                Ok(Some(epoch)) if epoch == hub_epoch => {}
                _ => {
                    unread("the life of the hub that it knows")?;
                    continue;
                }
            }
            let Ok(logs) = phone.logs() else {
                unread("its logs")?;
                continue;
            };
            for state in logs {
                let Ok(received) = phone.received(state.log) else {
                    unread("what was received")?;
                    continue;
                };
                let held = self.held(state.log)?;
                for seq in received.iter().flat_map(|(first, last)| first..=last) {
                    match SyncStore::link(phone, state.log, seq) {
                        Ok(Some(link)) if held.contains(&(seq, link)) => {}
                        Ok(Some(_)) => {
                            return broken("I-20", format!("the hub signed for {}:{seq} of phone {who} and does not hold it", state.log));
                        }
                        _ => unread("an entry that was received")?,
                    }
                }
            }
        }
        Ok(())
    }

    /// Every entry of a log that the hub holds, on any branch.
    pub(crate) fn held(&self, log: LogId) -> Holds<BTreeSet<(u64, Link)>> {
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
        self.check_receipts(false)
    }

    /// The faults stop; everybody gets time. Then everything must be where it belongs.
    ///
    /// # Errors
    /// When a promise does not hold.
    pub fn come_to_rest(&mut self) -> Holds {
        self.mend();
        self.weather = Weather { lost: 0, cut: 0, again: 0, narrow: false };
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
        if self.restored {
            // What the last phone gave back to the hub is news for the first.
            (0..self.phones.len()).try_for_each(|who| self.sync_once(who))?;
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
        self.check_receipts(true)?;
        for who in 0..self.phones.len() {
            self.check_drained(who)?;
            self.check_phone(who)?;
            self.check_at_hub(who)?;
        }
        self.check_listings()?;
        self.check_salts()?;
        self.check_hub()?;
        (0..self.phones.len()).try_for_each(|who| self.check_next_log(who))
    }

    /// A log that the hub holds more of, or otherwise, is written no more: the next entry begins another one.
    fn check_next_log(&mut self, who: usize) -> Holds {
        let Some(newest) = self.phones[who].phone.as_ref().and_then(|phone| phone.logs().ok()?.pop()) else { return Ok(()) };
        let rows = self.held(newest.log)?;
        let numbers: BTreeSet<u64> = rows.iter().map(|(seq, _)| *seq).collect();
        if numbers.len() == rows.len() && numbers.last().is_none_or(|last| *last < newest.len) {
            return Ok(());
        }
        let said = vec![Said { basis: "seen".into(), text: "Nước đã rút".into() }];
        let report = Report { kind: "flood".into(), urgent: false, statements: said, place: None, photos: 0 };
        let Some(phone) = self.phones[who].phone.as_mut() else { return Ok(()) };
        match phone.report(&report).map(|id| id.parse::<EntryName>().map(|name| name.log)) {
            Ok(Ok(log)) if log != newest.log => Ok(()),
            other => broken("I-14", format!("phone {who} was put back and goes on in its old log {}: {other:?}", newest.log)),
        }
    }

    fn check_drained(&self, who: usize) -> Holds {
        match self.phones[who].last.as_ref() {
            Some(outcome) if outcome.verdict == Verdict::UpToDate && outcome.parked == 0 => Ok(()),
            other => broken("I-21", format!("the outbox of phone {who} does not drain: {other:?}")),
        }
    }

    fn check_phone(&mut self, who: usize) -> Holds {
        let alerts = self.alerts_at_hub()?;
        if let Some(id) = self.alerts.iter().find(|id| !alerts.contains(id)) {
            return broken("I-29", format!("an officer was told that the warning {id} is sent, and the hub does not have it"));
        }
        let rolled_back = self.phones[who].was_rolled_back;
        let node = &mut self.phones[who];
        let Some(phone) = node.phone.as_mut() else { return broken("I-01", format!("phone {who} does not run")) };
        for tick in node.ticked.iter().filter(|tick| !tick.rolled_back) {
            if SyncStore::link(phone, tick.name.log, tick.name.seq).ok().flatten() != Some(tick.link) {
                return broken("I-01", format!("phone {who} ticked {:?} {} and does not have it", tick.what, tick.name));
            }
        }
        let report = phone.check().or_else(|e| broken("I-08", format!("phone {who} cannot check itself: {e}")))?;
        // What an older image does not name may be the end of a log that was lost, and the phone says so; it says it too
        // where it doubted its log and began another one.
        let doubted = rolled_back || phone.logs().is_ok_and(|logs| logs.len() > 1);
        if let Some(fault) = report.faults.iter().find(|fault| !(doubted && fault.contains("does not name"))) {
            return broken("I-08", format!("phone {who} finds fault with itself: {fault}"));
        }
        for tick in node.ticked.iter().filter(|tick| !tick.rolled_back && matches!(tick.what, What::Report | What::Urgent)) {
            phone
                .incident(&tick.name.to_string())
                .or_else(|e| broken("I-07", format!("phone {who} does not show the report {}: {e}", tick.name)))?;
        }
        let mut check_ins = BTreeSet::new();
        let patrols = phone.patrols(None, PAGE).or_else(|e| broken("I-07", format!("phone {who} cannot show its patrols: {e}")))?;
        for patrol in patrols {
            let rows = phone.check_ins(&patrol.id, None, PAGE);
            let rows = rows.or_else(|e| broken("I-07", format!("phone {who} cannot show the patrol {}: {e}", patrol.id)))?;
            if rows.len() as u64 != patrol.check_ins {
                return broken("I-07", format!("phone {who} counts {} check-ins and shows {}", patrol.check_ins, rows.len()));
            }
            check_ins.extend(rows.into_iter().map(|row| row.id));
        }
        for tick in node.ticked.iter().filter(|tick| !tick.rolled_back && tick.what == What::CheckIn) {
            if !check_ins.contains(&tick.name.to_string()) {
                return broken("I-07", format!("phone {who} does not show the check-in {}", tick.name));
            }
        }
        let shown = phone.alerts().or_else(|e| broken("I-29", format!("phone {who} cannot show its warnings: {e}")))?;
        let mut seen = BTreeSet::new();
        for alert in &shown {
            if !seen.insert(alert.id.clone()) {
                return broken("I-29", format!("phone {who} shows the warning {} twice", alert.id));
            }
        }
        if let Some(id) = seen.iter().find(|id| !alerts.contains(*id)) {
            return broken("I-23", format!("phone {who} shows the warning {id}, and the hub does not have it"));
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
        // Ticked or not: what the hub holds of a report comes with its photographs. A phone that was put back may have lost some.
        if let Some((name, _)) = reports.iter().find(|(name, listed)| !listed.complete && !self.is_put_back(name)) {
            return broken("I-05", format!("the hub lists the report {name} without all of its photographs"));
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
                        // Its photographs went with the newer image, if they were added after the older one. Of two lives the
                        // hub lists what is missing of either under the one name that both gave their report. A photograph that
                        // was recovered after a death belongs to it too, and nobody saw its tick.
                        let lost = tick.rolled_back || node.was_rolled_back || found.len() > 1;
                        if !lost && !found.iter().any(|listed| listed.complete) {
                            return broken("I-05", format!("{} is not complete: {found:?}", branches("report")));
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

    /// Whether this names something in a log of a phone that was put back: with the newer image went more than what was
    /// ticked, a capture that was recovered after a death for one.
    fn is_put_back(&self, named: &str) -> bool {
        self.phones.iter().filter(|node| node.was_rolled_back).any(|node| {
            let logs = node.phone.as_ref().and_then(|phone| phone.logs().ok()).unwrap_or_default();
            let logs = logs.into_iter().map(|state| state.log).chain(node.ticked.iter().map(|tick| tick.name.log));
            logs.into_iter().any(|log| named.contains(&log.to_string()))
        })
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
        // What a phone that was put back had kept for the hub may be gone with its newer image: what that log named.
        let excused = |wrong: &String| self.is_put_back(wrong);
        let checked = self.hub.with(async |hub| {
            let chains = hub.store.check_chains().await;
            let custody = hub.store.check_custody().await;
            let objects = yenban_hub::scrub::objects(hub, |_| ()).await;
            (chains, custody, objects)
        });
        match checked {
            Some((Ok(chains), Ok(custody), Ok(objects))) => {
                let objects: Vec<String> = objects.wrong.iter().map(ToString::to_string).filter(|wrong| !excused(wrong)).collect();
                match chains.iter().chain(&custody).map(ToString::to_string).chain(objects).next() {
                    Some(wrong) => broken("I-14", format!("the hub finds fault with itself: {wrong}")),
                    None => Ok(()),
                }
            }
            other => broken("I-14", format!("the hub cannot check itself: {other:?}")),
        }
    }
}
