//! Who may look: PIN, lock, unlock, hand-over, and the vault's own life.

use yenban_protocol::crypto::{SecretKey, Signer};
use yenban_protocol::id::MemberNo;
use yenban_protocol::record::Act;
use zeroize::Zeroizing;

use super::{Extra, OpenVault, Phone, follow};
use crate::error::{Error, Result, troubles};
use crate::keys::{Drawn, PinSlot, Secret32, check_pin, new_secret};
use crate::limits::PIN_TRIES;
use crate::patrol::Walk;
use crate::store::marker::Doubt;
use crate::store::spool::HandOver;
use crate::store::spool_member::MemberRow;
use crate::store::vault::Vault;

const KEPT_OPEN_PURPOSE: &str = "yb1/vault-kept-open";

/// How long an unlocked vault stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepOpen {
    /// Until this process ends or locks: what a phone does.
    ThisProcess,
    /// Until `lock`, hand-over or a restart of the machine, over several commands: for the headless
    /// phone. The vault's key then lies under the key store alone meanwhile, as if no PIN were set.
    UntilLocked,
}

/// The two secrets of a vault.
struct VaultSecrets {
    database: Secret32,
    sealing: Secret32,
}

impl VaultSecrets {
    fn to_bytes(&self) -> Zeroizing<[u8; 64]> {
        let mut out = Zeroizing::new([0; 64]);
        out[..32].copy_from_slice(self.database.as_ref());
        out[32..].copy_from_slice(self.sealing.as_ref());
        out
    }

    fn from_bytes(bytes: &[u8]) -> Result<VaultSecrets> {
        let (database, sealing) = bytes.split_first_chunk::<32>().ok_or(Error::KeyMismatch)?;
        let sealing: &[u8; 32] = sealing.try_into().map_err(|_| Error::KeyMismatch)?;
        Ok(VaultSecrets { database: Zeroizing::new(*database), sealing: Zeroizing::new(*sealing) })
    }
}

impl Phone {
    /// Sets or changes the PIN of the member who has the phone. The vault must be open.
    ///
    /// # Errors
    /// [`Error::PinRefused`] for a PIN that is tried first; [`Error::Locked`].
    pub fn set_pin(&mut self, pin: &str) -> Result<()> {
        check_pin(pin)?;
        self.vault()?;
        let row = self.member_row()?;
        let secrets = self.current_secrets()?;
        let slot = PinSlot::seal(self.keys.as_ref(), self.member, Some(pin), secrets.as_ref())?;
        self.log.spool.put_member(self.member, &row.vault_key, &slot)
    }

    /// Whether the member who has the phone has set a PIN.
    pub fn has_pin(&self) -> Result<bool> {
        self.enrolled_or_refuse()?;
        Ok(self.member_row()?.slot.has_pin)
    }

    /// Locks: the vault is closed, its keys are wiped, a new sealing session begins. Capture goes on.
    ///
    /// # Errors
    /// [`Error::NoPin`]: without a PIN the vault would open again by itself.
    pub fn lock(&mut self) -> Result<()> {
        if !self.has_pin()? {
            return Err(Error::NoPin);
        }
        let kept_open = self.member_row()?.kept_open.is_some();
        // A full disk or a key store that fails must not keep the vault open: the head is signed later.
        self.sign_head_if_possible();
        self.close_vault();
        self.log.end_session();
        if kept_open {
            self.log.spool.keep_open(self.member, None)?;
        }
        Ok(())
    }

    /// Unlocks with the PIN. The try is counted on the disk before it is checked, so that pulling the
    /// battery wins nothing; after ten wrong ones the PIN is disabled and nothing is wiped.
    ///
    /// # Errors
    /// [`Error::PinWrong`] with the tries left; [`Error::PinDisabled`].
    pub fn unlock(&mut self, pin: &str, keep: KeepOpen) -> Result<()> {
        self.enrolled_or_refuse()?;
        let row = self.member_row()?;
        if !row.slot.has_pin {
            return self.open_unguarded_vault();
        }
        if row.tries >= PIN_TRIES {
            return Err(Error::PinDisabled);
        }
        self.log.spool.set_tries(self.member, row.tries + 1)?;
        let Some(bytes) = row.slot.open(self.keys.as_ref(), self.member, Some(pin))? else {
            let left = PIN_TRIES - row.tries - 1;
            return Err(if left == 0 { Error::PinDisabled } else { Error::PinWrong { left } });
        };
        self.log.spool.set_tries(self.member, 0)?;
        if keep == KeepOpen::UntilLocked {
            let wrapped = self.keys.wrap(KEPT_OPEN_PURPOSE, &bytes)?;
            self.log.spool.keep_open(self.member, Some((&wrapped, self.clock.boot_id())))?;
        }
        if self.open.is_none() {
            // The locked session ends: what follows is sealed by the one who unlocked.
            self.log.end_session();
            self.open_vault(&VaultSecrets::from_bytes(&bytes)?)?;
            // Clear files that waited for a vault which can tell what they are.
            let _ = self.sweep();
        }
        Ok(())
    }

    /// Confirms what this member recorded while the phone was locked; duty counts it then. Returns how
    /// many entries were confirmed.
    pub fn confirm_locked_captures(&mut self) -> Result<u64> {
        self.vault()?;
        self.ready()?;
        let Some(head) = self.log.head().copied() else { return Ok(0) };
        let from = self.vault()?.vault.confirmed_to(head.log)?.map_or(0, |last| last + 1);
        let open = self.log.spool.unconfirmed(head.log, self.member, from)?;
        let (Some(first_seq), Some(last_seq)) = (open.first().copied(), open.last().copied()) else {
            return Ok(0);
        };
        let act = Act::AuthorConfirmed { first_seq, last_seq };
        self.write(act, None, self.patrol_state(), Extra::default())?;
        Ok(open.len() as u64)
    }

    /// Gives the phone to the next member of the shift. Nothing is erased; the next one cannot read
    /// what this one wrote, and the open patrol goes on.
    ///
    /// # Errors
    /// [`Error::Locked`]: only who has the phone can give it away.
    pub fn hand_over(&mut self, to: u32) -> Result<()> {
        self.vault()?;
        if to == 0 || to == self.member {
            return Err(Error::invalid("member", "the phone goes to another member"));
        }
        self.check_member_known(to)?;
        self.ready()?;
        self.ensure_member(to)?;
        let act = Act::PhoneHandedOver { to: MemberNo(to) };
        let handover = HandOver { from: self.member, to };
        self.write(act, None, self.patrol_state(), Extra { handover: Some(handover), ..Extra::default() })?;
        self.log.spool.forget_old_pages();
        self.close_vault();
        self.log.end_session();
        self.load_member()?;
        self.open_unguarded_vault()
    }

    /// Brings the vault to the end of the log and commits it; for a shell that goes to the background.
    pub fn settle(&mut self) -> Result<()> {
        let member = self.member;
        let Phone { log, open, .. } = self;
        match open {
            Some(open) => follow(log, member, open).and_then(|()| open.vault.commit()),
            None => Ok(()),
        }
    }

    /// Derives the vault anew from the log: in place, or in a new file when this one is damaged. Killed
    /// half-way, the next opening goes on from there.
    pub fn rebuild(&mut self) -> Result<()> {
        let member = self.member;
        if let Some(damaged) = self.open.take_if(|open| !open.vault.is_whole()) {
            let secrets = VaultSecrets::from_bytes(damaged.secrets.as_ref())?;
            drop(damaged);
            self.set_vault_aside(&self.folder.vault(member))?;
            return self.open_vault(&secrets);
        }
        let log = &self.log;
        let open = self.open.as_mut().ok_or(Error::Locked)?;
        open.walk.forget();
        open.vault.clear()?;
        follow(log, member, open)?;
        open.vault.commit()
    }

    pub(super) fn member_row(&self) -> Result<MemberRow> {
        self.log.spool.member(self.member)?.ok_or(Error::Unknown { what: "member", name: self.member.to_string() })
    }

    /// Makes a member's vault keys, once.
    pub(super) fn ensure_member(&mut self, member: u32) -> Result<()> {
        if self.log.spool.member(member)?.is_some() {
            return Ok(());
        }
        let sealing = SecretKey::generate(&mut Drawn::new(self.keys.as_ref())?);
        let secrets = VaultSecrets { database: new_secret(self.keys.as_ref())?, sealing: sealing.scalar().clone() };
        let slot = PinSlot::seal(self.keys.as_ref(), member, None, secrets.to_bytes().as_ref())?;
        self.log.spool.put_member(member, &sealing.public_key().0, &slot)
    }

    /// Opens the vault where nothing but the key store guards it.
    pub(super) fn open_unguarded_vault(&mut self) -> Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        let row = self.member_row()?;
        let kept = row.kept_open.as_ref().filter(|_| row.kept_open_boot == Some(self.clock.boot_id()));
        let bytes = match kept {
            Some(wrapped) => self.keys.unwrap(KEPT_OPEN_PURPOSE, wrapped)?,
            None if row.slot.has_pin => return Ok(()),
            None => row.slot.open(self.keys.as_ref(), self.member, None)?.ok_or(Error::KeyMismatch)?,
        };
        self.open_vault(&VaultSecrets::from_bytes(&bytes)?)
    }

    fn open_vault(&mut self, secrets: &VaultSecrets) -> Result<()> {
        let path = self.folder.vault(self.member);
        self.open = match self.followed_vault(&path, secrets)? {
            Some(open) => Some(open),
            // Derived, so a damaged one is set aside, never deleted, and made again.
            None => {
                self.set_vault_aside(&path)?;
                let why = || "it was damaged and could not be made again".to_owned();
                Some(self.followed_vault(&path, secrets)?.ok_or_else(|| Error::StoreDamaged { path, why: why() })?)
            }
        };
        self.doubt_a_spool_behind_its_vault()
    }

    /// A vault follows what is on the disk, so one that is ahead proves that the spool was set back to an
    /// older copy beside an untouched marker: its next numbers were used already.
    fn doubt_a_spool_behind_its_vault(&mut self) -> Result<()> {
        let (Some(open), Some(head)) = (&self.open, self.log.head()) else { return Ok(()) };
        if open.vault.watermark(head.log) <= head.next_seq || self.doubt.is_some() {
            return Ok(());
        }
        self.raise_doubt(Doubt::MarkerDiffers)
    }

    /// The vault at `path`, brought to the end of the log; `None` when its file is damaged.
    fn followed_vault(&self, path: &std::path::Path, secrets: &VaultSecrets) -> Result<Option<OpenVault>> {
        let vault = match Vault::open(path, &secrets.database) {
            Err(Error::StoreDamaged { .. } | Error::NotAStore { .. }) => return Ok(None),
            other => other?,
        };
        let opener = SecretKey::from_scalar(&secrets.sealing).map_err(|_| Error::KeyMismatch)?;
        let mut open = OpenVault { vault, opener, walk: Walk::default(), troubles: troubles(), secrets: secrets.to_bytes(), session: None };
        match follow(&self.log, self.member, &mut open).and_then(|()| open.vault.commit()) {
            Ok(()) => Ok(Some(open)),
            // The error may be the spool's, so it is the vault that says whether it is to blame.
            Err(Error::Sql { .. }) if !open.vault.is_whole() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn set_vault_aside(&self, path: &std::path::Path) -> Result<()> {
        let suffix = format!("damaged-{}", self.clock.wall_ms());
        for ending in ["", "-wal"] {
            let mut from = path.as_os_str().to_owned();
            from.push(ending);
            let from = std::path::PathBuf::from(from);
            if from.exists() {
                let mut to = from.as_os_str().to_owned();
                to.push(format!(".{suffix}"));
                std::fs::rename(&from, &to).map_err(|e| Error::io("set aside", &from, e))?;
            }
        }
        Ok(())
    }

    fn close_vault(&mut self) {
        if let Some(mut open) = self.open.take() {
            // A failure leaves the vault behind the log; it follows at the next opening.
            let _ = open.vault.settle();
        }
    }

    /// After a failure while following: closes and opens again with the keys at hand.
    pub(super) fn reopen_vault(&mut self) {
        let Some(open) = self.open.take() else { return };
        drop(open);
        // If this fails the phone is as good as locked: capture goes on, showing waits for unlock.
        let _ = self.open_unguarded_vault();
    }

    fn current_secrets(&self) -> Result<Zeroizing<Vec<u8>>> {
        let row = self.member_row()?;
        if !row.slot.has_pin {
            return row.slot.open(self.keys.as_ref(), self.member, None)?.ok_or(Error::KeyMismatch);
        }
        self.open.as_ref().map_or(Err(Error::Locked), |open| Ok(Zeroizing::new(open.secrets.to_vec())))
    }
}
