//! What screens ask: figures, lists, pages, search. Reads only.

use yenban_protocol::text::fold;

use super::outgoing::Delivery;
use super::{CheckInInfo, IncidentInfo, PatrolInfo, Phone, PinInfo, StatementInfo, Status, StatusPatrol};
use crate::error::{Error, Result};
use crate::limits::PAGE_ROWS;
use crate::store::spool_capture::FileKind;
use crate::store::vault_read::{IncidentView, PatrolView};

const BASES: [&str; 4] = ["unstated", "seen", "heard", "think"];

impl Phone {
    /// The figures of `phone status`; also while locked and before enrolment.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn status(&mut self) -> Result<Status> {
        self.log.ready()?;
        let (mut entries, mut received, mut parked) = (0, 0, 0);
        for (number, ..) in self.log.spool.logs()? {
            let len = self.log.spool.len_of(number)?;
            let held = self.log.spool.received(number)?;
            entries += len;
            received += held.count().min(len);
            parked += self.log.spool.parked(number)?.iter().filter(|(seq, _)| !held.contains(*seq)).count() as u64;
        }
        let (captured, uploaded) = self.log.spool.originals()?;
        let open = self.log.spool.open_files()?;
        let destroyed = open.iter().filter(|file| file.kind == FileKind::Original && file.is_erased()).count() as u64;
        let head = self.log.head().copied();
        let alerts = if self.enrolment.is_some() { self.alerts()? } else { Vec::new() };
        Ok(Status {
            device: self.enrolment.as_ref().map(|e| e.device.to_string()).unwrap_or_default(),
            log: self.log.name().map(|l| l.to_string()).unwrap_or_default(),
            enrolled: self.enrolment.is_some(),
            locked: self.is_locked(),
            member: self.member,
            entries,
            unsent: entries.saturating_sub(received).saturating_sub(parked),
            received,
            parked,
            patrol: self.status_patrol()?,
            alerts_unread: alerts.iter().filter(|a| a.state == "live" && a.answer.is_none()).count() as u64,
            alerts_total: alerts.len() as u64,
            evidence_captured: captured,
            evidence_uploaded: uploaded,
            evidence_destroyed: destroyed,
            space: self.space()?,
            chain_head: head.map(|h| data_encoding::HEXLOWER.encode(&h.link)).unwrap_or_default(),
        })
    }

    fn status_patrol(&mut self) -> Result<Option<StatusPatrol>> {
        if self.enrolment.is_none() {
            return Ok(None);
        }
        let Some(key) = self.open_patrol_key()? else { return Ok(None) };
        let id = self.log.name_of(key)?.to_string();
        let paused = self.patrol_state().1;
        let row = match self.sound_vault() {
            Some(open) => open.vault.patrol(key)?,
            None => None,
        };
        Ok(Some(StatusPatrol {
            id,
            started_ms: row.as_ref().map(|r| r.started_ms),
            check_ins: row.as_ref().map(|r| r.check_ins),
            distance_m: row.as_ref().map(|r| r.distance_m),
            paused,
        }))
    }

    /// Patrols, newest first; `before` is the last name of the page before.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Unknown`] for `before`.
    pub fn patrols(&mut self, before: Option<&str>, limit: u32) -> Result<Vec<PatrolInfo>> {
        let before = before.map(|b| self.find_entry("patrol", b)).transpose()?.map(|(_, key)| key);
        let rows = self.vault()?.vault.patrols(before, limit)?;
        rows.into_iter().map(|row| self.patrol_info(row)).collect()
    }

    /// One patrol by its name.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Unknown`].
    pub fn patrol(&mut self, id: &str) -> Result<PatrolInfo> {
        let (_, key) = self.find_entry("patrol", id)?;
        let row = self.vault()?.vault.patrol(key)?;
        self.patrol_info(row.ok_or_else(|| Error::Unknown { what: "patrol", name: id.to_owned() })?)
    }

    fn patrol_info(&mut self, row: PatrolView) -> Result<PatrolInfo> {
        let crew = self.vault()?.vault.crew(row.key)?;
        Ok(PatrolInfo {
            id: self.log.name_of(row.key)?.to_string(),
            author: row.author,
            state: ["walking", "paused", "finished"].get(usize::from(row.state)).copied().unwrap_or("walking"),
            started_ms: row.started_ms,
            ended_ms: row.ended_ms,
            check_ins: row.check_ins,
            distance_m: row.distance_m,
            last_check_in_ms: row.last_check_in_ms,
            crew,
        })
    }

    /// Check-ins of a patrol in the order in which they were recorded; `after` is the last name of the
    /// page before.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Unknown`].
    pub fn check_ins(&mut self, patrol: &str, after: Option<&str>, limit: u32) -> Result<Vec<CheckInInfo>> {
        let (_, key) = self.find_entry("patrol", patrol)?;
        let after = after.map(|a| self.find_entry("check-in", a)).transpose()?.map(|(_, key)| key);
        let rows = self.vault()?.vault.check_ins(key, after, limit.min(PAGE_ROWS))?;
        rows.into_iter()
            .map(|row| {
                Ok(CheckInInfo {
                    id: self.log.name_of(row.key)?.to_string(),
                    at_ms: row.time.at_ms,
                    earliest_ms: bounded(row.time.earliest_ms),
                    latest_ms: bounded(row.time.latest_ms),
                    lat_e7: row.place.lat_e7,
                    lon_e7: row.place.lon_e7,
                    accuracy_cm: row.place.accuracy_cm,
                    unconfirmed: row.unconfirmed,
                    checkpoint: row.checkpoint,
                    note: row.note,
                })
            })
            .collect()
    }

    /// Incidents, urgent first, then newest; `after` is the last name of the page before.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Unknown`] for `after`.
    pub fn incidents(&mut self, after: Option<&str>, limit: u32) -> Result<Vec<IncidentInfo>> {
        let after = match after {
            Some(name) => {
                let (_, key) = self.find_entry("incident", name)?;
                let row = self.vault()?.vault.incident(key)?;
                let row = row.ok_or_else(|| Error::Unknown { what: "incident", name: name.to_owned() })?;
                Some((row.urgent, row.time.at_ms, key))
            }
            None => None,
        };
        let rows = self.vault()?.vault.incidents(after, limit)?;
        self.incident_infos(rows)
    }

    /// One incident by its name.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Unknown`].
    pub fn incident(&mut self, id: &str) -> Result<IncidentInfo> {
        let (_, key) = self.find_entry("incident", id)?;
        let row = self.vault()?.vault.incident(key)?;
        let found = self.incident_infos(row.into_iter().collect())?.pop();
        found.ok_or_else(|| Error::Unknown { what: "incident", name: id.to_owned() })
    }

    /// What was said of an incident, in order.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Unknown`].
    pub fn statements(&mut self, incident: &str) -> Result<Vec<StatementInfo>> {
        let (_, key) = self.find_entry("incident", incident)?;
        let rows = self.vault()?.vault.statements(key)?;
        rows.into_iter()
            .map(|(entry, basis, text)| {
                let basis = BASES.get(usize::from(basis)).copied().unwrap_or("unstated");
                Ok(StatementInfo { entry: self.log.name_of(entry)?.to_string(), basis, text })
            })
            .collect()
    }

    /// Incidents that have all words of `text`, with or without diacritics: "suoi da ban" finds "suối đá
    /// bạn". Newest first.
    ///
    /// # Errors
    /// [`Error::Locked`].
    pub fn search(&mut self, text: &str, limit: u32) -> Result<Vec<IncidentInfo>> {
        let text = yenban_protocol::text::Limit::QUERY.cut(text);
        let rows = self.vault()?.vault.search(&fold(text), limit)?;
        self.incident_infos(rows)
    }

    /// Pins in a box given in 1e-7 degree, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Invalid`] for a box that is inside out.
    pub fn pins(&mut self, south: i32, west: i32, north: i32, east: i32, limit: u32) -> Result<Vec<PinInfo>> {
        if south > north || west > east {
            return Err(Error::invalid("box", "south is below north and west is left of east"));
        }
        let rows = self.vault()?.vault.pins(south, west, north, east, limit)?;
        rows.into_iter()
            .map(|row| {
                Ok(PinInfo {
                    id: self.log.name_of(row.key)?.to_string(),
                    lat_e7: row.lat_e7,
                    lon_e7: row.lon_e7,
                    kind: row.kind,
                    urgent: row.urgent,
                    at_ms: row.at_ms,
                })
            })
            .collect()
    }

    fn incident_infos(&mut self, rows: Vec<IncidentView>) -> Result<Vec<IncidentInfo>> {
        let fates = self.fates()?;
        let incomplete = self.incomplete_subjects()?;
        let mut deliveries: Vec<(u32, Delivery)> = Vec::new();
        let mut infos = Vec::with_capacity(rows.len());
        for row in rows {
            let name = self.log.name_of(row.key)?;
            let number = row.key.log();
            if !deliveries.iter().any(|(n, _)| *n == number) {
                deliveries.push((number, self.delivery(number)?));
            }
            let delivery = deliveries.iter().find(|(n, _)| *n == number).map(|(_, d)| d);
            let state = match delivery.map_or("unsent", |d| d.state_of(name.seq).state) {
                // A report has arrived when its photographs have.
                "received" if incomplete.contains(&row.key) => "sent",
                state => state,
            };
            let fate = fates.get(&name);
            infos.push(IncidentInfo {
                id: name.to_string(),
                kind: row.kind,
                urgent: row.urgent,
                author: row.author,
                unconfirmed: row.unconfirmed,
                at_ms: row.time.at_ms,
                earliest_ms: bounded(row.time.earliest_ms),
                latest_ms: bounded(row.time.latest_ms),
                lat_e7: row.place.lat_e7,
                lon_e7: row.place.lon_e7,
                accuracy_cm: row.place.accuracy_cm,
                amendments: row.amendments,
                photos: row.photos,
                headline: row.headline,
                state,
                fate: fate.map(|f| f.state.clone()),
                fate_note: fate.map(|f| f.note.clone()).filter(|n| !n.is_empty()),
            });
        }
        Ok(infos)
    }
}

/// A bound that nothing bounds is no bound.
fn bounded(ms: i64) -> Option<i64> {
    (ms != i64::MIN && ms != i64::MAX).then_some(ms)
}
