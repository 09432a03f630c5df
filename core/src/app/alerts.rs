//! What the feed brought: alerts, the fate of incidents, names; read from items that sync verified.

use std::collections::HashMap;

use yenban_protocol::alert::{Alert, MessageType};
use yenban_protocol::crypto::ENC_BYTES;
use yenban_protocol::feed::{Directory, Fate, FeedItem, Item, Scope};
use yenban_protocol::id::{EntryName, Epoch};
use yenban_protocol::record::Answer;
use yenban_protocol::signed::Signed;

use super::deliver::ITEM_INFO;
use super::{AlertInfo, FeedInfo, Phone};
use crate::alert::states;
use crate::error::{Error, Result};
use crate::store::spool_feed::ItemRow;

const DIRECTORY: u64 = 0;
const ALERT: u64 = 1;
const FATE: u64 = 2;

impl Phone {
    /// An item as the hub signed it. One that cannot be opened now is for another member, or waits for unlock.
    pub(super) fn signed_item(&self, row: ItemRow) -> Option<Vec<u8>> {
        if !row.sealed {
            return Some(row.body);
        }
        let (enc, boxed) = row.body.split_first_chunk::<ENC_BYTES>()?;
        self.open.as_ref()?.opener.open_sealed(enc, ITEM_INFO, b"", boxed).ok().map(|plain| plain.to_vec())
    }

    fn read_item(&self, row: ItemRow) -> Option<FeedItem> {
        self.signed_item(row).and_then(|bytes| Signed::<FeedItem>::trusted(&bytes).ok()).map(|s| s.value)
    }

    fn items(&self, kind: Option<u64>) -> Result<Vec<FeedItem>> {
        let rows = self.log.spool.items(kind)?;
        let mut items: Vec<FeedItem> = rows.into_iter().filter_map(|row| self.read_item(row)).collect();
        // A restored hub begins another epoch, and epochs are random bytes: what their first items say of
        // the time puts them in order, else an old word of a stream would be shown as its newest.
        let mut begun: HashMap<(Scope, Epoch), i64> = HashMap::new();
        for item in &items {
            let first_ms = begun.entry((item.scope, item.epoch)).or_insert(item.issued_ms);
            *first_ms = item.issued_ms.min(*first_ms);
        }
        items.sort_by_key(|item| (item.scope, begun.get(&(item.scope, item.epoch)).copied(), item.epoch, item.number));
        Ok(items)
    }

    /// Alerts, live ones first, real ones before drills, then by severity and the newest. Also while locked: headline and
    /// instruction show on the lock screen; only the answers need the vault. One that was taken back before it came is
    /// not among them.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or the store cannot be read.
    pub fn alerts(&mut self) -> Result<Vec<AlertInfo>> {
        self.enrolled_or_refuse()?;
        // A read that failed is remembered by its connection, and would make a warning unreadable until somebody writes.
        self.log.ready()?;
        let now_ms = self.hub_now_ms();
        // What is read of it below is read on a connection that can be trusted.
        self.sound_vault();
        let items = self.items(Some(ALERT))?;
        let alerts: Vec<(&FeedItem, &Alert)> = items
            .iter()
            .filter_map(|item| match &item.item {
                Item::Alert(alert) => Some((item, alert)),
                _ => None,
            })
            .collect();
        let states = states(&alerts.iter().map(|(_, alert)| *alert).collect::<Vec<_>>(), now_ms);
        let mut ended_ms: HashMap<&str, i64> = HashMap::new();
        for (item, cancel) in alerts.iter().filter(|(_, alert)| alert.message_type == MessageType::Cancel) {
            for reference in &cancel.references {
                let first_ms = ended_ms.entry(reference).or_insert(item.issued_ms);
                *first_ms = item.issued_ms.min(*first_ms);
            }
        }
        let mut seen = HashMap::new();
        let mut shown = Vec::new();
        for (item, alert) in alerts {
            // The same identifier in two streams is one alert.
            if alert.message_type == MessageType::Cancel || seen.insert(alert.identifier.as_str(), ()).is_some() {
                continue;
            }
            let state = states.get(alert.identifier.as_str()).copied().unwrap_or("live");
            if state == "cancelled" && ended_ms.get(alert.identifier.as_str()).is_some_and(|ended_ms| *ended_ms < item.issued_ms) {
                continue;
            }
            shown.push(self.alert_info(item, alert, state)?);
        }
        let rank = |a: &AlertInfo| {
            let severity = ["Extreme", "Severe", "Moderate", "Minor"].iter().position(|s| *s == a.severity);
            (a.state != "live", a.drill, severity.unwrap_or(4), std::cmp::Reverse(a.sent_ms))
        };
        shown.sort_by_key(rank);
        Ok(shown)
    }

    fn alert_info(&self, item: &FeedItem, alert: &Alert, state: &'static str) -> Result<AlertInfo> {
        let answer = match &self.open {
            Some(open) => open.vault.answer(&alert.identifier)?,
            None => None,
        };
        let answer = answer.and_then(|(n, _)| Answer::ALL.get(usize::from(n)).map(|a| a.code()));
        Ok(AlertInfo {
            id: alert.identifier.clone(),
            scope: item.scope.to_string(),
            number: item.number,
            sender_name: alert.sender_name.clone(),
            sent_ms: alert.sent_ms,
            expires_ms: alert.expires_ms,
            severity: alert.severity.code(),
            urgency: alert.urgency.code(),
            headline: alert.headline.clone(),
            description: alert.description.clone(),
            instruction: alert.instruction.clone(),
            drill: alert.is_drill(),
            state,
            answer,
            hamlets: alert.hamlets.iter().map(|h| h.0).collect(),
        })
    }

    /// The hub's time now as well as this phone knows it: by the anchor of this boot, else its wall
    /// clock, but never before the newest token.
    fn hub_now_ms(&self) -> i64 {
        let stamp = self.stamp(None);
        let by_clock = match stamp.anchor {
            Some(anchor) => {
                let elapsed = stamp.monotonic_ms.saturating_sub(anchor.monotonic_ms);
                anchor.hub_ms.saturating_add_unsigned(elapsed)
            }
            None => stamp.wall_ms,
        };
        let token_ms = self.enrolment.as_ref().and_then(|e| e.token.as_ref()).map(|t| t.value.hub_time_ms);
        by_clock.max(token_ms.unwrap_or(i64::MIN))
    }

    /// The identifier of an alert that is here, given whole or by its number in a stream.
    pub(super) fn find_alert(&mut self, given: &str) -> Result<String> {
        let alerts = self.alerts()?;
        let by_id = alerts.iter().find(|a| a.id == given);
        let mut by_number = alerts.iter().filter(|a| given.parse() == Ok(a.number));
        let found = by_id.or_else(|| by_number.next().filter(|_| by_number.next().is_none()));
        found.map(|a| a.id.clone()).ok_or_else(|| Error::Unknown { what: "alert", name: given.to_owned() })
    }

    /// Items that should be here and are not, as (stream, first, last): "alert 41 may be missing".
    pub fn feed_gaps(&mut self) -> Result<Vec<(String, u64, u64)>> {
        self.log.spool.refresh()?;
        let gaps = self.log.spool.gaps()?;
        Ok(gaps
            .into_iter()
            .filter_map(|(scope, _, first, last)| Some((Scope::from_bytes(&scope).ok()?.to_string(), first, last)))
            .collect())
    }

    /// Everything the feed brought that can be read now, stream by stream.
    pub fn feed(&mut self) -> Result<Vec<FeedInfo>> {
        self.enrolled_or_refuse()?;
        self.log.spool.refresh()?;
        let items = self.items(None)?;
        Ok(items
            .iter()
            .map(|item| FeedInfo {
                scope: item.scope.to_string(),
                number: item.number,
                kind: item.item.code(),
                issued_ms: item.issued_ms,
                line: line_of(&item.item),
            })
            .collect())
    }

    /// Names and places of the commune and the hamlet, as the newest items say; empty before the first.
    pub fn directory(&mut self) -> Result<Directory> {
        self.log.spool.refresh()?;
        let mut all = Directory::default();
        for item in self.items(Some(DIRECTORY))? {
            // Items come in stream order, so a later one of the same stream replaces.
            if let Item::Directory(directory) = item.item {
                if !directory.hamlets.is_empty() {
                    all.hamlets = directory.hamlets;
                }
                if !directory.members.is_empty() {
                    all.members = directory.members;
                }
                if !directory.checkpoints.is_empty() {
                    all.checkpoints = directory.checkpoints;
                }
            }
        }
        Ok(all)
    }

    /// What became of incidents, by their names; the newest word of each.
    pub(super) fn fates(&self) -> Result<HashMap<EntryName, Fate>> {
        let items = self.items(Some(FATE))?;
        Ok(items
            .into_iter()
            .filter_map(|item| match item.item {
                Item::Fate(fate) => Some((fate.incident, fate)),
                _ => None,
            })
            .collect())
    }

    /// Refuses a member whom the directory does not have; without a directory anyone may be named.
    pub(super) fn check_member_known(&mut self, member: u32) -> Result<()> {
        let members = self.directory()?.members;
        let enrolled_for = self.enrolled_or_refuse()?.member;
        if members.is_empty() || member == enrolled_for || members.iter().any(|m| m.no.0 == member) {
            return Ok(());
        }
        Err(Error::Unknown { what: "member", name: member.to_string() })
    }
}

fn line_of(item: &Item) -> String {
    match item {
        Item::Directory(d) => {
            format!("{} / {} / {}", d.hamlets.len(), d.members.len(), d.checkpoints.len())
        }
        Item::Alert(alert) => alert.headline.clone(),
        Item::Fate(fate) => format!("{} {} {}", fate.incident, fate.state, fate.note).trim_end().to_owned(),
        Item::Revocation { device, .. } => device.to_string(),
        Item::Membership { member, role, .. } => format!("{member} {role}"),
        Item::CustodyHead(head) => format!("{} {}", head.day, data_encoding::HEXLOWER.encode(&head.root[..8])),
        Item::ObjectsWanted { objects } => objects.len().to_string(),
        Item::Unknown { kind } => kind.to_string(),
    }
}
