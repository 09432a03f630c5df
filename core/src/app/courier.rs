//! Couriers: what waits here given along sealed, what others gave along carried, what the hub answered taken.
//!
//! A file of parcels comes from a stick, a share sheet or a cable. This phone reads only what is sealed to it; the rest it
//! carries on, for its own commune alone. Doubled, late and lost parcels change nothing.

use yenban_protocol::crypto::{Hash, Signer as _};
use yenban_protocol::keys::Purpose;
use yenban_protocol::parcel::{Kind, Outer, file, open_answer};

use super::Phone;
use crate::error::{Error, Result};
use crate::sync::{Bounds, Outcome, pack, take_answer};

/// What is to be written out for a courier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CourierOut {
    /// Parcels: own ones first, then what is carried for others.
    pub parcels: Vec<Vec<u8>>,
    /// Own parcels among them.
    pub own: u64,
    /// Entries in the own ones.
    pub entries: u64,
    /// Files in the own ones.
    pub files: u64,
    /// Parcels and answers carried for others.
    pub carried: u64,
    /// More waits here than was packed.
    pub more: bool,
}

/// What became of a file of parcels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CourierIn {
    /// Answers for this phone that were taken.
    pub answers: u64,
    /// Entries that receipts among them newly cover.
    pub received_entries: u64,
    /// Feed items that were new.
    pub items: u64,
    /// Parcels and answers of others, taken along.
    pub carried: u64,
    /// Of others, and here already.
    pub known: u64,
    /// What was refused: where in the file, a code, and a sentence.
    pub refused: Vec<(u64, &'static str, String)>,
}

/// Something carried for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Its name.
    pub name: Hash,
    /// For the hub; else for another phone.
    pub to_hub: bool,
    /// Its length.
    pub size_bytes: u64,
    /// Since when, by this phone's wall clock.
    pub since_ms: i64,
}

/// A parcel to be delivered for another phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedParcel {
    /// Its name.
    pub name: Hash,
    /// The parcel.
    pub bytes: Vec<u8>,
}

impl Phone {
    /// Everything that waits here, sealed to the hub, and everything carried for others. Works while locked.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], [`Error::KeyStore`], or the store cannot be read or written.
    pub fn courier_out(&mut self) -> Result<CourierOut> {
        self.give_along(Bounds::COURIER)
    }

    pub(super) fn give_along(&mut self, bounds: Bounds) -> Result<CourierOut> {
        self.enrolled_or_refuse()?;
        self.log.ready()?;
        let packed = pack(self, bounds)?;
        let own = packed.parcels.len() as u64;
        let mut parcels = packed.parcels;
        let now_ms = self.clock.wall_ms();
        for parcel in &parcels {
            let outer = Outer::of(parcel).map_err(|e| Error::untrusted("own parcel", e))?;
            self.log.spool.know_own(&outer.name(), &outer.key.0, now_ms)?;
        }
        for row in self.log.spool.carried()? {
            parcels.extend(self.log.spool.carried_bytes(&row.name)?);
        }
        let carried = parcels.len() as u64 - own;
        Ok(CourierOut { parcels, own, entries: packed.entries, files: packed.files, carried, more: packed.more })
    }

    /// Takes a file of parcels: answers for this phone at once, the rest along. What is damaged is told and harms nothing
    /// else. Works while locked.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], [`Error::KeyStore`], or not saved. What was taken before stays, and may come again.
    pub fn courier_in(&mut self, bytes: &[u8]) -> Result<CourierIn> {
        self.enrolled_or_refuse()?;
        let mut done = CourierIn::default();
        for found in file(bytes) {
            let at = found.at as u64;
            match found.parcel {
                Ok(outer) => self.take_parcel(&outer, at, &mut done)?,
                Err(e) => done.refused.push((at, "damaged", e.to_string())),
            }
        }
        Ok(done)
    }

    fn take_parcel(&mut self, outer: &Outer<'_>, at: u64, done: &mut CourierIn) -> Result<()> {
        let own = self.seal_key()?;
        let history = &self.enrolled_or_refuse()?.history.value;
        let for_our_hub = history.keys.iter().any(|key| key.purpose == Purpose::Seal && key.key.id() == outer.key);
        match outer.kind {
            Kind::Answer if outer.key == own.public_key().id() => match open_answer(outer, &own) {
                Ok(answer) => {
                    let outcome: Outcome = take_answer(&answer, self)?;
                    done.answers += 1;
                    done.received_entries += outcome.pushed_entries;
                    done.items += outcome.pulled_items;
                    if let Some(reason) = outcome.reason.filter(|_| outcome.verdict == crate::sync::Verdict::Refused) {
                        done.refused.push((at, "untrusted", reason.detail));
                    }
                }
                Err(e) => done.refused.push((at, "untrusted", e.to_string())),
            },
            Kind::ToHub if !for_our_hub => done.refused.push((at, "other_hub", "it is for the hub of another commune".to_owned())),
            Kind::ToHub | Kind::Answer => match self.carry(outer)? {
                true => done.carried += 1,
                false => done.known += 1,
            },
        }
        Ok(())
    }

    fn carry(&mut self, outer: &Outer<'_>) -> Result<bool> {
        let now_ms = self.clock.wall_ms();
        self.log.spool.carry(&outer.name(), outer.kind.number(), &outer.key.0, outer.bytes(), now_ms)
    }

    /// What is carried for others, the oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn carried(&self) -> Result<Vec<Carried>> {
        let rows = self.log.spool.carried()?;
        let shown = |row: crate::store::spool_carried::CarriedRow| Carried {
            name: row.name,
            to_hub: row.kind == Kind::ToHub.number(),
            size_bytes: row.size_bytes,
            since_ms: row.since_ms,
        };
        Ok(rows.into_iter().map(shown).collect())
    }

    /// The next parcel of another phone to be delivered over the network, after the one named `after`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn parcel_to_deliver(&self, after: Option<&Hash>) -> Result<Option<CarriedParcel>> {
        let mut waiting: Vec<Hash> = self.carried()?.into_iter().filter(|c| c.to_hub).map(|c| c.name).collect();
        waiting.sort_unstable();
        let Some(name) = waiting.into_iter().find(|name| after.is_none_or(|after| name > after)) else { return Ok(None) };
        let bytes = self.log.spool.carried_bytes(&name)?.ok_or(Error::Unknown { what: "parcel", name: String::new() })?;
        Ok(Some(CarriedParcel { name, bytes }))
    }

    /// The hub has a parcel: it is carried no longer, the answer for its sender is. An empty answer is none.
    ///
    /// # Errors
    /// [`Error::Untrusted`] for an answer that is no parcel; the parcel then stays. Or not saved.
    pub fn parcel_delivered(&mut self, name: &Hash, answer: &[u8]) -> Result<()> {
        if !answer.is_empty() {
            let outer = Outer::of(answer).map_err(|e| Error::untrusted("answer to a parcel", e))?;
            self.carry(&outer)?;
        }
        self.log.spool.put_down(name)
    }

    /// The hub will never take this parcel: it is carried no longer.
    ///
    /// # Errors
    /// Not saved.
    pub fn parcel_refused(&mut self, name: &Hash) -> Result<()> {
        self.log.spool.put_down(name)
    }
}
