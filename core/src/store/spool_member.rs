//! The members of this phone: what opens each one's vault, PIN tries, a vault kept open.

use rusqlite::{OptionalExtension, params};

use super::spool::Spool;
use crate::error::{Result, SqlContext};
use crate::keys::PinSlot;

/// A member who can use this phone.
#[derive(Debug, Clone)]
pub(crate) struct MemberRow {
    /// Public half of the vault's sealing key.
    pub vault_key: [u8; 33],
    pub slot: PinSlot,
    pub tries: u32,
    /// Vault secrets wrapped by the key store alone, while "unlocked until locked" holds.
    pub kept_open: Option<Vec<u8>>,
    /// The boot in which that was said.
    pub kept_open_boot: Option<[u8; 8]>,
}

impl Spool {
    /// A member of this phone.
    pub(crate) fn member(&self, member: u32) -> Result<Option<MemberRow>> {
        self.conn()?
            .prepare_cached(
                "SELECT member, vault_key, hardware, salt, sealed, has_pin, tries, kept_open, kept_open_boot
                 FROM member WHERE member = ?1",
            )
            .and_then(|mut s| s.query_row([member], read_member).optional())
            .doing("read a member")
    }

    /// Stores a member, or his new PIN; tries start again.
    pub(crate) fn put_member(&mut self, member: u32, vault_key: &[u8; 33], slot: &PinSlot) -> Result<()> {
        self.transaction("store a member", |tx| {
            tx.prepare_cached(
                "INSERT INTO member(member, vault_key, hardware, salt, sealed, has_pin) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT(member) DO UPDATE SET hardware = ?3, salt = ?4, sealed = ?5, has_pin = ?6, tries = 0,
                     kept_open = NULL, kept_open_boot = NULL",
            )?
            .execute(params![member, vault_key, slot.hardware, slot.salt, slot.sealed, slot.has_pin])?;
            Ok(())
        })?;
        self.forget_old_pages();
        Ok(())
    }

    /// Sets the number of PIN tries, durably, before or after a check.
    pub(crate) fn set_tries(&mut self, member: u32, tries: u32) -> Result<()> {
        self.transaction("count a PIN try", |tx| {
            tx.prepare_cached("UPDATE member SET tries = ?2 WHERE member = ?1")?.execute([member, tries])?;
            Ok(())
        })
    }

    /// Keeps a vault open over the end of the process, or stops doing so.
    pub(crate) fn keep_open(&mut self, member: u32, wrapped: Option<(&[u8], [u8; 8])>) -> Result<()> {
        self.transaction("remember the lock", |tx| {
            tx.prepare_cached("UPDATE member SET kept_open = ?2, kept_open_boot = ?3 WHERE member = ?1")?.execute(params![
                member,
                wrapped.map(|w| w.0),
                wrapped.map(|w| w.1)
            ])?;
            Ok(())
        })?;
        if wrapped.is_none() {
            self.forget_old_pages();
        }
        Ok(())
    }
}

fn read_member(r: &rusqlite::Row<'_>) -> rusqlite::Result<MemberRow> {
    Ok(MemberRow {
        vault_key: r.get(1)?,
        slot: PinSlot { hardware: r.get(2)?, salt: r.get(3)?, sealed: r.get(4)?, has_pin: r.get(5)? },
        tries: r.get(6)?,
        kept_open: r.get(7)?,
        kept_open_boot: r.get(8)?,
    })
}
