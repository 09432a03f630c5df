//! Accounts, links, passkeys and sessions in the embedded database.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use yenban_protocol::crypto::Hash;
use yenban_protocol::id::{HamletNo, MemberNo};
use yenban_protocol::text::fold;

use super::{Result, SqliteStore, sql};
use crate::limits::{PASSKEYS_MAX, SESSIONS_PER_MEMBER_MAX, VIEWS_PER_SESSION_MAX};
use crate::store::Reply;
use crate::store::access::{AccessStore, AccountChange, AccountRow, Joined, LinkKind, LinkRow, PasskeyRow, Proofs, SessionRow};

const ACCOUNT_COLUMNS: &str = "member, login, reach, password, totp, failed, failed_ms, made_ms, closed_ms,
  (SELECT count(*) FROM recovery WHERE recovery.member = account.member)";

fn account_row(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        member: MemberNo(row.get(0)?),
        login: row.get(1)?,
        reach: reach_of(&row.get::<_, Vec<u8>>(2)?),
        password: row.get(3)?,
        totp: row.get(4)?,
        failed: row.get(5)?,
        failed_ms: row.get(6)?,
        made_ms: row.get(7)?,
        closed_ms: row.get(8)?,
        recovery_left: row.get(9)?,
    })
}

fn reach_of(bytes: &[u8]) -> Vec<HamletNo> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|no| HamletNo(u32::from_be_bytes(*no))).collect()
}

fn reach_bytes(reach: &[HamletNo]) -> Vec<u8> {
    reach.iter().flat_map(|no| no.0.to_be_bytes()).collect()
}

fn link_row(row: &Row<'_>) -> rusqlite::Result<LinkRow> {
    let join: bool = row.get(2)?;
    let kind = if join { LinkKind::Join } else { LinkKind::Enter };
    Ok(LinkRow { token_hash: row.get(0)?, member: MemberNo(row.get(1)?), kind, expires_ms: row.get(3)? })
}

fn session_row(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow { key: row.get(0)?, member: MemberNo(row.get(1)?), how: row.get(2)?, began_ms: row.get(3)?, seen_ms: row.get(4)? })
}

/// Runs one statement; how many rows it changed.
fn run(c: &Connection, text: &str, values: impl rusqlite::Params) -> Result<usize> {
    c.prepare_cached(text).and_then(|mut s| s.execute(values)).map_err(sql)
}

fn one<T>(c: &Connection, text: &str, values: impl rusqlite::Params, read: fn(&Row<'_>) -> rusqlite::Result<T>) -> Result<Option<T>> {
    c.prepare_cached(text).and_then(|mut s| s.query_row(values, read).optional()).map_err(sql)
}

fn many<T>(c: &Connection, text: &str, values: impl rusqlite::Params, read: fn(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>> {
    c.prepare_cached(text).and_then(|mut s| s.query_map(values, read)?.collect()).map_err(sql)
}

const LINK: &str = "SELECT token_hash, member, is_join, expires_ms FROM link WHERE token_hash = ?1 AND expires_ms > ?2";

fn put_link(c: &Connection, link: &LinkRow, now_ms: i64) -> Result<()> {
    let join = link.kind == LinkKind::Join;
    run(c, "DELETE FROM link WHERE expires_ms <= ?1 OR (member = ?2 AND is_join = ?3)", params![now_ms, link.member.0, join])?;
    run(c, "INSERT INTO link VALUES (?1, ?2, ?3, ?4)", params![link.token_hash, link.member.0, join, link.expires_ms])?;
    Ok(())
}

/// Takes an open link of this kind away and gives it.
fn take_link(c: &Connection, token_hash: &Hash, kind: LinkKind, now_ms: i64) -> Result<Option<LinkRow>> {
    let found = one(c, LINK, params![token_hash, now_ms], link_row)?.filter(|link| link.kind == kind);
    if found.is_some() {
        run(c, "DELETE FROM link WHERE token_hash = ?1", [&token_hash[..]])?;
    }
    Ok(found)
}

fn join(c: &Connection, token_hash: &Hash, proofs: &Proofs, now_ms: i64) -> Result<Joined> {
    let Some(link) = one(c, LINK, params![token_hash, now_ms], link_row)?.filter(|link| link.kind == LinkKind::Join) else {
        return Ok(Joined::NoLink);
    };
    let login_key = fold(&proofs.login);
    let other = one(c, "SELECT member FROM account WHERE login_key = ?1", [&login_key], |row| row.get::<_, u32>(0))?;
    if other.is_some_and(|other| other != link.member.0) {
        return Ok(Joined::LoginTaken);
    }
    let member = link.member.0;
    for table in ["passkey", "recovery", "session"] {
        c.execute(&format!("DELETE FROM {table} WHERE member = ?1"), [member]).map_err(sql)?;
    }
    run(c, "DELETE FROM link WHERE member = ?1", [member])?;
    run(
        c,
        "INSERT INTO account (member, login, login_key, reach, password, totp, totp_step, failed, failed_ms, made_ms)
           VALUES (?1, ?2, ?3, x'', ?4, ?5, ?6, 0, 0, ?7)
           ON CONFLICT (member) DO UPDATE SET login = ?2, login_key = ?3, password = ?4, totp = ?5, totp_step = ?6, failed = 0,
             made_ms = ?7, closed_ms = NULL",
        params![member, proofs.login, login_key, proofs.password, proofs.totp, proofs.totp_step, now_ms],
    )?;
    put_recovery(c, member, &proofs.recovery)?;
    Ok(Joined::Open(link.member))
}

fn put_recovery(c: &Connection, member: u32, codes: &[Hash]) -> Result<()> {
    run(c, "DELETE FROM recovery WHERE member = ?1", [member])?;
    for code in codes {
        run(c, "INSERT INTO recovery VALUES (?1, ?2)", params![member, code])?;
    }
    Ok(())
}

fn change(c: &Connection, member: MemberNo, change: &AccountChange) -> Result<bool> {
    let no = member.0;
    let open = one(c, "SELECT 1 FROM account WHERE member = ?1 AND closed_ms IS NULL", [no], |row| row.get::<_, i64>(0))?.is_some();
    if !open {
        return Ok(false);
    }
    let changed = match change {
        AccountChange::Reach(reach) => {
            run(c, "DELETE FROM session WHERE member = ?1", [no])?;
            run(c, "UPDATE account SET reach = ?2 WHERE member = ?1", params![no, reach_bytes(reach)])?
        }
        AccountChange::Password(phc, keep) => {
            run(c, "DELETE FROM session WHERE member = ?1 AND session <> ?2", params![no, keep])?;
            run(c, "UPDATE account SET password = ?2 WHERE member = ?1", params![no, phc])?
        }
        AccountChange::Totp(secret, step) => {
            run(c, "UPDATE account SET totp = ?2, totp_step = ?3 WHERE member = ?1", params![no, secret, step])?
        }
        AccountChange::TotpUsed(step) => {
            run(c, "UPDATE account SET totp_step = ?2 WHERE member = ?1 AND totp_step < ?2", params![no, step])?
        }
        AccountChange::Recovery(codes) => {
            put_recovery(c, no, codes)?;
            1
        }
        AccountChange::RecoveryUsed(code) => run(c, "DELETE FROM recovery WHERE member = ?1 AND code = ?2", params![no, code])?,
        AccountChange::Failed(at_ms) => {
            run(c, "UPDATE account SET failed = min(failed + 1, 1000), failed_ms = ?2 WHERE member = ?1", params![no, at_ms])?
        }
        AccountChange::Succeeded => run(c, "UPDATE account SET failed = 0 WHERE member = ?1", [no])?,
        AccountChange::Passkey(key) => run(
            c,
            "INSERT OR IGNORE INTO passkey SELECT ?2, ?1, ?3, ?4, ?5, NULL
               WHERE (SELECT count(*) FROM passkey WHERE member = ?1) < ?6",
            params![no, key.id, key.label, key.body, key.made_ms, PASSKEYS_MAX],
        )?,
        AccountChange::PasskeyUsed(id, body, at_ms) => {
            run(c, "UPDATE passkey SET body = ?3, used_ms = ?4 WHERE member = ?1 AND passkey = ?2", params![no, id, body, at_ms])?
        }
        AccountChange::PasskeyGone(id) => run(c, "DELETE FROM passkey WHERE member = ?1 AND passkey = ?2", params![no, id])?,
        AccountChange::Closed(at_ms) => {
            for table in ["passkey", "recovery", "session", "link"] {
                c.execute(&format!("DELETE FROM {table} WHERE member = ?1"), [no]).map_err(sql)?;
            }
            run(
                c,
                "UPDATE account SET closed_ms = ?2, login = '', login_key = NULL, password = NULL, totp = NULL WHERE member = ?1",
                params![no, at_ms],
            )?
        }
    };
    Ok(changed > 0)
}

fn begin_session(c: &Connection, session: &SessionRow, expired_ms: i64) -> Result<()> {
    run(c, "DELETE FROM session WHERE began_ms < ?1", [expired_ms])?;
    // One more than the bound: the oldest goes, whoever comes now is here now.
    run(
        c,
        "DELETE FROM session WHERE member = ?1 AND session NOT IN
           (SELECT session FROM session WHERE member = ?1 ORDER BY seen_ms DESC LIMIT ?2)",
        params![session.member.0, SESSIONS_PER_MEMBER_MAX - 1],
    )?;
    run(
        c,
        "INSERT INTO session VALUES (?1, ?2, ?3, ?4, ?5)",
        params![session.key, session.member.0, session.how, session.began_ms, session.seen_ms],
    )?;
    Ok(())
}

fn open_view(c: &Connection, session: &Hash, subject: &str, purpose: &str, until_ms: i64) -> Result<()> {
    let inside = one(c, "SELECT 1 FROM session WHERE session = ?1", [&session[..]], |row| row.get::<_, i64>(0))?;
    if inside.is_none() {
        return Ok(());
    }
    run(c, "INSERT OR REPLACE INTO view VALUES (?1, ?2, ?3, ?4)", params![session, subject, purpose, until_ms])?;
    run(
        c,
        "DELETE FROM view WHERE session = ?1 AND subject NOT IN
           (SELECT subject FROM view WHERE session = ?1 ORDER BY until_ms DESC, subject LIMIT ?2)",
        params![session, VIEWS_PER_SESSION_MAX],
    )?;
    Ok(())
}

fn accounts_where(c: &Connection, condition: &str, value: impl rusqlite::Params) -> Result<Vec<AccountRow>> {
    many(c, &format!("SELECT {ACCOUNT_COLUMNS} FROM account {condition}"), value, account_row)
}

const SESSION: &str = "SELECT session, member, how, began_ms, seen_ms FROM session";

impl AccessStore for SqliteStore {
    fn put_link(&self, link: LinkRow, now_ms: i64) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| put_link(c, &link, now_ms), |_| ()))
    }

    fn link(&self, token_hash: Hash, now_ms: i64) -> Reply<'_, Option<LinkRow>> {
        Box::pin(self.read(move |c| one(c, LINK, params![token_hash, now_ms], link_row)))
    }

    fn use_link(&self, token_hash: Hash, now_ms: i64) -> Reply<'_, Option<LinkRow>> {
        Box::pin(self.write(move |c| take_link(c, &token_hash, LinkKind::Enter, now_ms), |_| ()))
    }

    fn join(&self, token_hash: Hash, proofs: Proofs, now_ms: i64) -> Reply<'_, Joined> {
        Box::pin(self.write(move |c| join(c, &token_hash, &proofs, now_ms), |_| ()))
    }

    fn plan_account(&self, member: MemberNo, reach: Vec<HamletNo>, now_ms: i64) -> Reply<'_, ()> {
        let text = "INSERT INTO account (member, login, reach, totp_step, failed, failed_ms, made_ms) VALUES (?1, '', ?2, 0, 0, 0, ?3)
           ON CONFLICT (member) DO UPDATE SET reach = ?2, closed_ms = NULL";
        Box::pin(self.write(move |c| run(c, text, params![member.0, reach_bytes(&reach), now_ms]).map(drop), |_| ()))
    }

    fn accounts(&self) -> Reply<'_, Vec<AccountRow>> {
        Box::pin(self.read(|c| accounts_where(c, "ORDER BY member", [])))
    }

    fn account(&self, member: MemberNo) -> Reply<'_, Option<AccountRow>> {
        Box::pin(self.read(move |c| Ok(accounts_where(c, "WHERE member = ?1", [member.0])?.pop())))
    }

    fn account_called(&self, login: String) -> Reply<'_, Option<AccountRow>> {
        Box::pin(self.read(move |c| Ok(accounts_where(c, "WHERE login_key = ?1", [fold(&login)])?.pop())))
    }

    fn change_account(&self, member: MemberNo, what: AccountChange) -> Reply<'_, bool> {
        Box::pin(self.write(move |c| change(c, member, &what), |_| ()))
    }

    fn passkeys(&self, member: MemberNo) -> Reply<'_, Vec<PasskeyRow>> {
        Box::pin(self.read(move |c| {
            let text = "SELECT passkey, label, body, made_ms, used_ms FROM passkey WHERE member = ?1 ORDER BY made_ms, passkey";
            many(c, text, [member.0], |row| {
                Ok(PasskeyRow { id: row.get(0)?, label: row.get(1)?, body: row.get(2)?, made_ms: row.get(3)?, used_ms: row.get(4)? })
            })
        }))
    }

    fn begin_session(&self, session: SessionRow, expired_ms: i64) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| begin_session(c, &session, expired_ms), |_| ()))
    }

    fn session(&self, key: Hash) -> Reply<'_, Option<(SessionRow, Vec<HamletNo>)>> {
        let text =
            "SELECT session, s.member, how, began_ms, seen_ms, reach FROM session s LEFT JOIN account USING (member) WHERE session = ?1";
        Box::pin(self.read(move |c| {
            one(c, text, [&key[..]], |row| Ok((session_row(row)?, reach_of(&row.get::<_, Option<Vec<u8>>>(5)?.unwrap_or_default()))))
        }))
    }

    fn sessions_of(&self, member: MemberNo) -> Reply<'_, Vec<SessionRow>> {
        Box::pin(self.read(move |c| many(c, &format!("{SESSION} WHERE member = ?1 ORDER BY began_ms DESC"), [member.0], session_row)))
    }

    fn session_seen(&self, key: Hash, at_ms: i64) -> Reply<'_, ()> {
        let text = "UPDATE session SET seen_ms = ?2 WHERE session = ?1";
        Box::pin(self.write(move |c| run(c, text, params![key, at_ms]).map(drop), |_| ()))
    }

    fn end_session(&self, key: Hash) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| run(c, "DELETE FROM session WHERE session = ?1", [&key[..]]).map(drop), |_| ()))
    }

    fn open_view(&self, session: Hash, subject: String, purpose: String, until_ms: i64) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| open_view(c, &session, &subject, &purpose, until_ms), |_| ()))
    }

    fn view(&self, session: Hash, subject: String, now_ms: i64) -> Reply<'_, Option<String>> {
        let text = "SELECT purpose FROM view WHERE session = ?1 AND subject = ?2 AND until_ms > ?3";
        Box::pin(self.read(move |c| one(c, text, params![session, subject, now_ms], |row| row.get(0))))
    }
}
