//! Places, people, devices and enrolment codes in the embedded database.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use yenban_protocol::crypto::{Hash, PublicKey};
use yenban_protocol::feed::Scope;
use yenban_protocol::id::{CommuneCode, DeviceId, Epoch, HamletNo, LogId, MemberNo, Role};
use yenban_protocol::text::compare_key;

use super::{HubError, Result, feed, plans, sql};
use crate::limits::{NUMBERS_SKIPPED, OPEN_CODES_MAX};
use crate::store::feed_rows::{ItemDraft, ItemSigner};
use crate::store::people::{
    CodeRow, Device, GroupRow, HamletRow, ImportedPlace, MemberRow, NewCode, People, Redeemed, Redemption, Registration, commune_directory,
    hamlet_directory,
};
use crate::store::{ImportTotals, NOBODY, WHOLE_COMMUNE};

/// Where the first number of this life of the database is kept.
const NUMBERS_FROM: &str = "numbers-from";

fn role(number: u8) -> Result<Role> {
    Role::from_number(number.into()).map_err(|_| HubError::Store("role in the database".to_owned()))
}

const DEVICE_COLUMNS: &str =
    "device, sign_key, seal_key, member, hamlet, role, certificate, enrolled_ms, expires_ms, revoked_ms, lost, waiting";

fn device_row(row: &Row<'_>) -> rusqlite::Result<(Device, u8)> {
    let device = Device {
        id: DeviceId(row.get(0)?),
        sign_key: PublicKey(row.get(1)?),
        seal_key: PublicKey(row.get(2)?),
        member: MemberNo(row.get(3)?),
        hamlet: HamletNo(row.get(4)?),
        role: Role::Member,
        certificate: row.get(6)?,
        enrolled_ms: row.get(7)?,
        expires_ms: row.get(8)?,
        revoked_ms: row.get(9)?,
        lost: row.get(10)?,
        waiting: row.get(11)?,
    };
    Ok((device, row.get(5)?))
}

fn with_role((device, number): (Device, u8)) -> Result<Device> {
    Ok(Device { role: role(number)?, ..device })
}

/// All devices.
pub(super) fn all_devices(c: &Connection) -> Result<Vec<Device>> {
    let mut statement = c.prepare(&format!("SELECT {DEVICE_COLUMNS} FROM device")).map_err(sql)?;
    let rows: Vec<_> = statement.query_map([], device_row).and_then(Iterator::collect).map_err(sql)?;
    rows.into_iter().map(with_role).collect()
}

pub(super) fn device_where(c: &Connection, condition: &str, value: &[u8]) -> Result<Option<Device>> {
    let mut statement = c.prepare_cached(&format!("SELECT {DEVICE_COLUMNS} FROM device WHERE {condition} = ?")).map_err(sql)?;
    statement.query_row([value], device_row).optional().map_err(sql)?.map(with_role).transpose()
}

pub(super) fn put_device(c: &Connection, d: &Device) -> Result<()> {
    c.prepare_cached("INSERT OR REPLACE INTO device VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")
        .and_then(|mut s| {
            s.execute(params![
                d.id.0,
                d.sign_key.0,
                d.seal_key.0,
                d.member.0,
                d.hamlet.0,
                d.role as u8,
                d.certificate,
                d.enrolled_ms,
                d.expires_ms,
                d.revoked_ms,
                d.lost,
                d.waiting
            ])
        })
        .map_err(sql)?;
    Ok(())
}

/// Replaces a device's row; its revocation is never undone by it, nor does it end its waiting.
pub(super) fn renew(c: &Connection, device: &Device) -> Result<Device> {
    let current = device_where(c, "device", &device.id.0)?.ok_or_else(|| HubError::Store("no such device".to_owned()))?;
    let renewed = Device { revoked_ms: current.revoked_ms, lost: current.lost, waiting: current.waiting, ..device.clone() };
    put_device(c, &renewed)?;
    Ok(renewed)
}

/// Revokes; `None` when it was revoked before or is not known.
pub(super) fn revoke(c: &Connection, id: DeviceId, at_ms: i64, lost: bool) -> Result<Option<Device>> {
    let Some(mut device) = device_where(c, "device", &id.0)?.filter(|d| d.revoked_ms.is_none()) else { return Ok(None) };
    device.revoked_ms = Some(at_ms);
    device.lost = lost;
    put_device(c, &device)?;
    Ok(Some(device))
}

/// Everything about places and people.
pub(super) fn people(c: &Connection) -> Result<People> {
    Ok(People { hamlets: hamlets(c)?, groups: groups(c)?, members: members(c, None)? })
}

fn hamlet_row(row: &Row<'_>) -> rusqlite::Result<HamletRow> {
    let centre: (Option<i32>, Option<i32>) = (row.get(2)?, row.get(3)?);
    Ok(HamletRow { no: HamletNo(row.get(0)?), name: row.get(1)?, centre_e7: centre.0.zip(centre.1) })
}

fn hamlets(c: &Connection) -> Result<Vec<HamletRow>> {
    let mut statement = c.prepare_cached("SELECT hamlet, name, lat_e7, lon_e7 FROM hamlet ORDER BY hamlet").map_err(sql)?;
    statement.query_map([], hamlet_row).and_then(Iterator::collect).map_err(sql)
}

fn groups(c: &Connection) -> Result<Vec<GroupRow>> {
    let mut statement = c.prepare_cached("SELECT hamlet_group, hamlet, name FROM hamlet_group ORDER BY hamlet_group").map_err(sql)?;
    let rows = statement.query_map([], |row| Ok(GroupRow { no: row.get(0)?, hamlet: HamletNo(row.get(1)?), name: row.get(2)? }));
    rows.and_then(Iterator::collect).map_err(sql)
}

fn members(c: &Connection, of: Option<HamletNo>) -> Result<Vec<MemberRow>> {
    let mut statement = c
        .prepare_cached(match of {
            // Two statements, for one condition that is optional keeps the database from using its index.
            Some(_) => "SELECT member, name, role, hamlet, hamlet_group FROM member WHERE hamlet = ?1 ORDER BY member",
            None => "SELECT member, name, role, hamlet, hamlet_group FROM member WHERE ?1 IS NULL ORDER BY member",
        })
        .map_err(sql)?;
    let rows: Vec<(MemberRow, u8)> = statement
        .query_map([of.map(|h| h.0)], |row| {
            let member = MemberRow {
                no: MemberNo(row.get(0)?),
                name: row.get(1)?,
                role: Role::Member,
                hamlet: HamletNo(row.get(3)?),
                group: row.get(4)?,
            };
            Ok((member, row.get(2)?))
        })
        .and_then(Iterator::collect)
        .map_err(sql)?;
    rows.into_iter().map(|(member, number)| Ok(MemberRow { role: role(number)?, ..member })).collect()
}

fn hamlet_named(c: &Connection, name: &str) -> Result<Option<HamletRow>> {
    let mut statement = c.prepare_cached("SELECT hamlet, name, lat_e7, lon_e7 FROM hamlet WHERE name_key = ?").map_err(sql)?;
    statement.query_row([compare_key(name).as_ref()], hamlet_row).optional().map_err(sql)
}

/// The hamlet of this name, made if it is not there; whether it was made.
fn take_hamlet(c: &Connection, name: &str, centre_e7: Option<(i32, i32)>) -> Result<(HamletRow, bool)> {
    if let Some(hamlet) = hamlet_named(c, name)? {
        return Ok((hamlet, false));
    }
    let next = next_number(c, "SELECT max(hamlet) FROM hamlet")?;
    c.prepare_cached("INSERT INTO hamlet (hamlet, name, name_key, lat_e7, lon_e7) VALUES (?1, ?2, ?3, ?4, ?5)")
        .and_then(|mut s| s.execute(params![next, name, compare_key(name), centre_e7.map(|p| p.0), centre_e7.map(|p| p.1)]))
        .map_err(sql)?;
    let no = u32::try_from(c.last_insert_rowid()).map_err(|_| HubError::Store("hamlet number".to_owned()))?;
    Ok((HamletRow { no: HamletNo(no), name: name.to_owned(), centre_e7 }, true))
}

/// The number after the highest, or the first of this life of the database.
fn next_number(c: &Connection, highest: &str) -> Result<i64> {
    let highest: Option<i64> = c.prepare_cached(highest).and_then(|mut s| s.query_row([], |row| row.get(0))).map_err(sql)?;
    let mut first = c.prepare_cached("SELECT value FROM value WHERE name = ?").map_err(sql)?;
    let first: Option<[u8; 8]> = first.query_row([NUMBERS_FROM], |row| row.get(0)).optional().map_err(sql)?;
    Ok((highest.unwrap_or(0) + 1).max(first.map_or(1, i64::from_be_bytes)))
}

/// A database that comes from a backup gives no number and no code a second time: those given since are on phones and in
/// what they send. Members and hamlets go on from a number that the epoch draws, well above all that are known.
pub(super) fn begin_again(c: &Connection, epoch: Epoch) -> Result<()> {
    c.execute("UPDATE code SET expires_ms = 0 WHERE used_by IS NULL", []).map_err(sql)?;
    let highest = "SELECT max((SELECT ifnull(max(member), 0) FROM member), (SELECT ifnull(max(hamlet), 0) FROM hamlet))";
    let highest: i64 = c.query_row(highest, [], |row| row.get(0)).map_err(sql)?;
    let drawn = u16::from_be_bytes([epoch.0[0], epoch.0[1]]);
    let first = highest + NUMBERS_SKIPPED + i64::from(drawn);
    c.execute("INSERT OR REPLACE INTO value VALUES (?1, ?2)", params![NUMBERS_FROM, first.to_be_bytes()]).map_err(sql)?;
    Ok(())
}

/// Appends the directory items that changed.
pub(super) fn publish(c: &Connection, commune: Option<CommuneCode>, changed: &[HamletNo], at_ms: i64, signer: &ItemSigner) -> Result<()> {
    let all = hamlets(c)?;
    let mut drafts = Vec::new();
    if let Some(commune) = commune {
        drafts.push(ItemDraft { scope: Scope::Commune(commune), item: commune_directory(&all), issued_ms: at_ms });
    }
    for hamlet in all.iter().filter(|h| changed.contains(&h.no)) {
        let item = hamlet_directory(hamlet, &members(c, Some(hamlet.no))?, &plans::checkpoints_of(c, hamlet.no)?);
        drafts.push(ItemDraft { scope: Scope::Hamlet(hamlet.no), item, issued_ms: at_ms });
    }
    feed::append(c, &drafts, signer).map(drop)
}

/// Adds a hamlet or finds it.
pub(super) fn add_hamlet(c: &Connection, name: &str, at_ms: i64, commune: CommuneCode, signer: &ItemSigner) -> Result<HamletRow> {
    let (hamlet, made) = take_hamlet(c, name, None)?;
    if made {
        publish(c, Some(commune), &[hamlet.no], at_ms, signer)?;
    }
    Ok(hamlet)
}

/// Adds a member under the next number.
pub(super) fn add_member(c: &Connection, member: &MemberRow) -> Result<MemberRow> {
    let next = next_number(c, "SELECT max(member) FROM member")?;
    let key = compare_key(&member.name);
    c.prepare_cached("INSERT INTO member (member, name, name_key, role, hamlet, hamlet_group) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .and_then(|mut s| s.execute(params![next, member.name, key, member.role as u8, member.hamlet.0, member.group]))
        .map_err(sql)?;
    let no = u32::try_from(c.last_insert_rowid()).map_err(|_| HubError::Store("member number".to_owned()))?;
    Ok(MemberRow { no: MemberNo(no), ..member.clone() })
}

/// Keeps a new code; `false`: too many are open.
pub(super) fn put_code(c: &Connection, code: &NewCode) -> Result<bool> {
    // Used codes stay a day, so that a second use is told from an unknown token.
    const KEPT_MS: i64 = 24 * 3_600_000;
    c.prepare_cached("DELETE FROM code WHERE expires_ms < ?").and_then(|mut s| s.execute([code.made_ms - KEPT_MS])).map_err(sql)?;
    let open: u32 = c
        .prepare_cached("SELECT count(*) FROM code WHERE used_by IS NULL AND expires_ms >= ?")
        .and_then(|mut s| s.query_row([code.made_ms], |row| row.get(0)))
        .map_err(sql)?;
    if open >= OPEN_CODES_MAX {
        return Ok(false);
    }
    c.prepare_cached(
        "INSERT INTO code (token_hash, hamlet, hamlet_name, role, name, made_ms, expires_ms, waits, member)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .and_then(|mut s| {
        s.execute(params![
            code.token_hash,
            code.hamlet.0,
            code.hamlet_name,
            code.role as u8,
            code.name,
            code.made_ms,
            code.expires_ms,
            code.waits,
            code.member.0
        ])
    })
    .map_err(sql)?;
    Ok(true)
}

/// The code with this hash.
pub(super) fn code(c: &Connection, token_hash: &Hash) -> Result<Option<CodeRow>> {
    let mut statement = c.prepare_cached(&format!("SELECT {CODE_COLUMNS} FROM code WHERE token_hash = ?")).map_err(sql)?;
    statement.query_row([&token_hash[..]], code_row).optional().map_err(sql)?.map(code_with_role).transpose()
}

/// Codes made at `since_ms` or after it, newest first.
pub(super) fn codes(c: &Connection, since_ms: i64) -> Result<Vec<CodeRow>> {
    let text = format!("SELECT {CODE_COLUMNS} FROM code WHERE made_ms >= ? ORDER BY made_ms DESC, token_hash");
    let rows: Vec<_> = c.prepare_cached(&text).and_then(|mut s| s.query_map([since_ms], code_row)?.collect()).map_err(sql)?;
    rows.into_iter().map(code_with_role).collect()
}

const CODE_COLUMNS: &str = "token_hash, hamlet, hamlet_name, role, name, made_ms, expires_ms, used_by, used_ms, waits, member";

fn code_row(row: &Row<'_>) -> rusqlite::Result<(CodeRow, u8)> {
    let code = NewCode {
        token_hash: row.get(0)?,
        hamlet: HamletNo(row.get(1)?),
        hamlet_name: row.get(2)?,
        role: Role::Member,
        name: row.get(4)?,
        member: MemberNo(row.get(10)?),
        waits: row.get(9)?,
        made_ms: row.get(5)?,
        expires_ms: row.get(6)?,
    };
    let used: (Option<[u8; 8]>, Option<i64>) = (row.get(7)?, row.get(8)?);
    Ok((CodeRow { code, used: used.0.map(DeviceId).zip(used.1) }, row.get(3)?))
}

fn code_with_role((row, number): (CodeRow, u8)) -> Result<CodeRow> {
    Ok(CodeRow { code: NewCode { role: role(number)?, ..row.code }, used: row.used })
}

/// Uses a code, in the writer's transaction: of many at once the first one wins.
pub(super) fn redeem(c: &Connection, r: &Redemption) -> Result<Redeemed> {
    let Some(CodeRow { code, used }) = code(c, &r.token_hash)? else { return Ok(Redeemed::Unknown) };
    if let Some((by, _)) = used {
        // The same phone asking again has lost the answer: it proved that it holds the key.
        let device = device_where(c, "device", &by.0)?.filter(|d| d.sign_key == r.sign_key && d.revoked_ms.is_none());
        return match device {
            Some(device) => registration(c, device),
            None => Ok(Redeemed::Used),
        };
    }
    if r.now_ms > code.expires_ms {
        return Ok(Redeemed::Expired);
    }
    if r.role != code.role {
        return Ok(Redeemed::Altered("the role"));
    }
    if r.hamlet_name != code.hamlet_name {
        return Ok(Redeemed::Altered("the hamlet"));
    }
    if device_where(c, "sign_key", &r.sign_key.0)?.is_some() || log_is_known(c, r.log)? {
        return Ok(Redeemed::KeyInUse);
    }
    let member = member_for(c, &code)?;
    let device = Device {
        id: r.device,
        sign_key: r.sign_key,
        seal_key: r.seal_key,
        member: member.no,
        hamlet: code.hamlet,
        role: code.role,
        certificate: (r.certificate)(member.no, code.hamlet, code.role)?,
        enrolled_ms: r.now_ms,
        expires_ms: r.certificate_expires_ms,
        revoked_ms: None,
        lost: false,
        waiting: code.waits,
    };
    put_device(c, &device)?;
    c.prepare_cached("UPDATE code SET used_by = ?2, used_ms = ?3 WHERE token_hash = ?1")
        .and_then(|mut s| s.execute(params![r.token_hash, r.device.0, r.now_ms]))
        .map_err(sql)?;
    // Who waits is named to nobody.
    if code.hamlet != WHOLE_COMMUNE && !code.waits {
        publish(c, None, &[code.hamlet], r.now_ms, &r.signer)?;
    }
    registration(c, device)
}

fn log_is_known(c: &Connection, log: LogId) -> Result<bool> {
    c.prepare_cached("SELECT 1 FROM log WHERE log = ?").and_then(|mut s| s.exists([&log.0[..]])).map_err(sql)
}

/// The member a code is for: the one of that name in that hamlet (imported before), or a new one.
fn member_for(c: &Connection, code: &NewCode) -> Result<MemberRow> {
    if code.member != NOBODY {
        return Ok(MemberRow { no: code.member, name: code.name.clone(), role: code.role, hamlet: code.hamlet, group: 0 });
    }
    if !code.name.is_empty() {
        let mut statement = c
            .prepare_cached("SELECT member, hamlet_group FROM member WHERE hamlet = ?1 AND name_key = ?2 AND role = ?3 ORDER BY member")
            .map_err(sql)?;
        let found: Option<(u32, u32)> = statement
            .query_row(params![code.hamlet.0, compare_key(&code.name), code.role as u8], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(sql)?;
        if let Some((no, group)) = found {
            return Ok(MemberRow { no: MemberNo(no), name: code.name.clone(), role: code.role, hamlet: code.hamlet, group });
        }
    }
    add_member(c, &MemberRow { no: MemberNo(0), name: code.name.clone(), role: code.role, hamlet: code.hamlet, group: 0 })
}

fn registration(c: &Connection, device: Device) -> Result<Redeemed> {
    let member_name = c
        .prepare_cached("SELECT name FROM member WHERE member = ?")
        .and_then(|mut s| s.query_row([device.member.0], |row| row.get(0)).optional())
        .map_err(sql)?;
    let hamlet_name = c
        .prepare_cached("SELECT name FROM hamlet WHERE hamlet = ?")
        .and_then(|mut s| s.query_row([device.hamlet.0], |row| row.get(0)).optional())
        .map_err(sql)?;
    let registration = Registration { device, member_name: member_name.unwrap_or_default(), hamlet_name: hamlet_name.unwrap_or_default() };
    Ok(Redeemed::Registered(Box::new(registration)))
}

/// Takes all rows of an imported file; a row that is there already counts as unchanged.
pub(super) fn import(
    c: &Connection,
    rows: &[ImportedPlace],
    at_ms: i64,
    commune: CommuneCode,
    signer: &ItemSigner,
) -> Result<ImportTotals> {
    let mut totals = ImportTotals::default();
    let (mut changed, mut centres) = (std::collections::BTreeSet::new(), false);
    for row in rows {
        let before = totals;
        let (hamlet, made) = take_hamlet(c, &row.hamlet, row.centre_e7)?;
        totals.hamlets += u32::from(made);
        if let Some((lat, lon)) = row.centre_e7.filter(|centre| hamlet.centre_e7 != Some(*centre)) {
            centres = true;
            changed.insert(hamlet.no);
            c.prepare_cached("UPDATE hamlet SET lat_e7 = ?2, lon_e7 = ?3 WHERE hamlet = ?1")
                .and_then(|mut s| s.execute(params![hamlet.no.0, lat, lon]))
                .map_err(sql)?;
        }
        let group = row.group.as_deref().map(|name| take_group(c, hamlet.no, name, &mut totals)).transpose()?.unwrap_or(0);
        if let Some((name, role)) = &row.member {
            take_member(c, hamlet.no, group, name, *role, &mut totals)?;
        }
        if totals == before {
            totals.unchanged += 1;
        } else {
            changed.insert(hamlet.no);
        }
    }
    let changed: Vec<HamletNo> = changed.into_iter().collect();
    publish(c, (totals.hamlets > 0 || centres).then_some(commune), &changed, at_ms, signer)?;
    Ok(totals)
}

fn take_group(c: &Connection, hamlet: HamletNo, name: &str, totals: &mut ImportTotals) -> Result<u32> {
    let key = compare_key(name);
    let found = c
        .prepare_cached("SELECT hamlet_group FROM hamlet_group WHERE hamlet = ?1 AND name_key = ?2")
        .and_then(|mut s| s.query_row(params![hamlet.0, key], |row| row.get(0)).optional())
        .map_err(sql)?;
    if let Some(group) = found {
        return Ok(group);
    }
    c.prepare_cached("INSERT INTO hamlet_group (hamlet, name, name_key) VALUES (?1, ?2, ?3)")
        .and_then(|mut s| s.execute(params![hamlet.0, name, key]))
        .map_err(sql)?;
    totals.groups += 1;
    u32::try_from(c.last_insert_rowid()).map_err(|_| HubError::Store("group number".to_owned()))
}

fn take_member(c: &Connection, hamlet: HamletNo, group: u32, name: &str, role: Role, totals: &mut ImportTotals) -> Result<()> {
    let key = compare_key(name);
    // Who joined by a code before the list came has no group yet: the same person, who is put into it.
    let there: Option<(u32, u8, u32)> = c
        .prepare_cached(
            "SELECT member, role, hamlet_group FROM member WHERE hamlet = ?1 AND name_key = ?2 AND hamlet_group IN (?3, 0)
             ORDER BY hamlet_group = 0, member",
        )
        .and_then(|mut s| s.query_row(params![hamlet.0, key, group], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional())
        .map_err(sql)?;
    let Some((member, held, in_group)) = there else {
        add_member(c, &MemberRow { no: MemberNo(0), name: name.to_owned(), role, hamlet, group })?;
        totals.members += 1;
        return Ok(());
    };
    // A table says who leads a group; it makes nobody an officer, and takes it from nobody.
    let of_the_group = |role: u8| role == Role::Member as u8 || role == Role::Leader as u8;
    let role = if of_the_group(held) && of_the_group(role as u8) { role as u8 } else { held };
    if (role, group) != (held, in_group) {
        c.prepare_cached("UPDATE member SET role = ?2, hamlet_group = ?3 WHERE member = ?1")
            .and_then(|mut s| s.execute(params![member, role, group]))
            .map_err(sql)?;
        totals.updated += 1;
    }
    Ok(())
}
