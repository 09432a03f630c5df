//! [`HubStore`] for the embedded database: each method hands its work to the writer or to a reader.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use rusqlite::{OptionalExtension as _, params};
use yenban_protocol::crypto::Hash;
use yenban_protocol::feed::Scope;
use yenban_protocol::id::{CommuneCode, DeviceId, EntryName, Epoch, LogId, MemberNo};
use yenban_protocol::planted::{Bug, planted};
use yenban_protocol::wire::{Cursor, ItemRange};

use super::{
    Result, Shared, SqliteStore, alerts, bundle, check, claims, custody, evidence, feed, items, lists, map, objects, people, quarantine,
    runs, scrubbed, sql, totals,
};
use crate::limits::LIST_PAGE_MAX;
use crate::storage::ObjectName;
use crate::store::{
    AlertListing, AlertRow, Arrival, Arrived, AuditRow, Belongings, CapKept, CheckInRow, Claimed, CodeRow, CourierAsked, CustodyHeadRow,
    CustodyLeaves, CustodyNote, CustodyRow, Device, DeviceListing, EntryRow, Erased, Erasure, EvidenceListing, FeedRow, Found, Freed,
    HamletRow, HoldOrder, HubStore, ImportTotals, ImportedPlace, IncidentListing, ItemDraft, ItemHeld, ItemName, ItemRow, ItemSigner,
    ListQuery, LogState, MapQuery, MemberRow, NewClaim, NewCode, NewRun, News, ObjectRow, OnMap, PatrolListing, People, QuarantineListing,
    QuarantinedSegment, Redeemed, Redemption, Reply, ReturnedRow, StreamPage, Taken, Totals, Wrong,
};

impl Shared {
    pub(super) fn remember(&self, device: Device) {
        self.devices.write().unwrap_or_else(PoisonError::into_inner).insert(device.id, Arc::new(device));
    }

    fn forget_people(&self) {
        let mut people = self.people.write().unwrap_or_else(PoisonError::into_inner);
        people.changes += 1;
        people.read = None;
    }
}

impl SqliteStore {
    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    async fn list<T: Send + 'static>(
        &self,
        query: ListQuery,
        work: impl FnOnce(&rusqlite::Connection, &ListQuery, u32, &People) -> Result<Vec<T>> + Send + 'static,
    ) -> Result<Vec<T>> {
        let people = self.people().await?;
        let limit = if query.limit == 0 { LIST_PAGE_MAX } else { query.limit.min(LIST_PAGE_MAX) };
        self.read(move |c| work(c, &query, limit, &people)).await
    }
}

impl HubStore for SqliteStore {
    fn take_run(&self, run: NewRun) -> Reply<'_, Taken> {
        Box::pin(self.write(move |c| runs::take(c, &run), |_| ()))
    }

    fn keep_in_quarantine(&self, segment: QuarantinedSegment) -> Reply<'_, bool> {
        Box::pin(self.write(move |c| quarantine::keep(c, &segment), |_| ()))
    }

    fn log_state(&self, log: LogId) -> Reply<'_, Option<LogState>> {
        Box::pin(self.read(move |c| runs::state(c, log)))
    }

    fn logs_of(&self, device: DeviceId) -> Reply<'_, Vec<LogState>> {
        Box::pin(self.read(move |c| {
            let mut statement = c.prepare_cached("SELECT log FROM log WHERE device = ? ORDER BY began_ms, log").map_err(sql)?;
            let logs: Vec<LogId> =
                statement.query_map([&device.0[..]], |row| row.get(0).map(LogId)).and_then(Iterator::collect).map_err(sql)?;
            logs.into_iter().map(|log| Ok(LogState { log, device, held: runs::held(c, log)? })).collect()
        }))
    }

    fn take_claim(&self, claim: NewClaim) -> Reply<'_, Claimed> {
        Box::pin(self.write(move |c| claims::take(c, &claim), |_| ()))
    }

    fn note_courier(&self, asked: CourierAsked) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| claims::note_courier(c, &asked), |_| ()))
    }

    fn courier_asked(&self, since_ms: i64) -> Reply<'_, Vec<CourierAsked>> {
        Box::pin(self.read(move |c| claims::courier_asked(c, since_ms)))
    }

    fn objects_named(&self, sealed: Vec<Hash>) -> Reply<'_, Vec<ObjectRow>> {
        Box::pin(self.read(move |c| {
            let rows = sealed.iter().map(|hash| objects::named(c, hash)).collect::<Result<Vec<_>>>()?;
            Ok(rows.into_iter().flatten().collect())
        }))
    }

    fn objects_of(&self, item: ItemName) -> Reply<'_, Vec<ObjectRow>> {
        Box::pin(self.read(move |c| objects::of_item(c, item)))
    }

    fn upload_begun(&self, sealed: Hash, begun: bool) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| objects::begun(c, &sealed, begun), |_| ()))
    }

    fn begun_uploads(&self) -> Reply<'_, Vec<Hash>> {
        Box::pin(self.read(objects::all_begun))
    }

    fn object_arrived(&self, arrival: Arrival) -> Reply<'_, Arrived> {
        Box::pin(self.write(move |c| objects::arrived(c, &arrival), |_| ()))
    }

    fn stored_objects(&self, after: i64, limit: u32) -> Reply<'_, Vec<ObjectRow>> {
        Box::pin(self.read(move |c| scrubbed::stored(c, after, limit)))
    }

    fn objects_checked(&self, found: Vec<Found>, at_ms: i64) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| scrubbed::checked(c, &found, at_ms), |_| ()))
    }

    fn want_objects(&self, now_ms: i64, asked_before_ms: i64, signer: ItemSigner) -> Reply<'_, u64> {
        Box::pin(self.write(move |c| scrubbed::want(c, now_ms, asked_before_ms, &signer), |_| ()))
    }

    fn unnamed(&self, names: Vec<ObjectName>) -> Reply<'_, Vec<ObjectName>> {
        Box::pin(self.read(move |c| scrubbed::unnamed(c, names)))
    }

    fn orphans(&self, names: Vec<ObjectName>, now_ms: i64, since_ms: i64) -> Reply<'_, Vec<ObjectName>> {
        Box::pin(self.write(move |c| scrubbed::orphans(c, &names, now_ms, since_ms), |_| ()))
    }

    fn item(&self, name: ItemName) -> Reply<'_, Option<ItemRow>> {
        Box::pin(self.read(move |c| items::item(c, name)))
    }

    fn expire_strays(&self, before_ms: i64, limit: u32) -> Reply<'_, (u64, Freed)> {
        Box::pin(self.write(move |c| objects::expire_strays(c, before_ms, limit), |_| ()))
    }

    fn fold(&self) -> Reply<'_, bool> {
        Box::pin(self.read(super::settings::fold))
    }

    fn swept(&self, names: Vec<ObjectName>) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| scrubbed::swept(c, &names), |_| ()))
    }

    fn hold_item(&self, order: HoldOrder) -> Reply<'_, ItemHeld> {
        Box::pin(self.write(move |c| items::hold(c, &order), |_| ()))
    }

    fn erase_item(&self, erasure: Erasure) -> Reply<'_, Erased> {
        Box::pin(self.write(move |c| items::erase(c, &erasure), |_| ()))
    }

    fn expired_items(&self, now_ms: i64, limit: u32) -> Reply<'_, Vec<ItemName>> {
        Box::pin(self.read(move |c| items::expired(c, now_ms, limit)))
    }

    fn note_custody(&self, notes: Vec<CustodyNote>) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| custody::append(c, &notes), |_| ()))
    }

    fn custody(&self, item: ItemName, place: i64) -> Reply<'_, Vec<CustodyRow>> {
        Box::pin(self.read(move |c| custody::chain(c, item, place)))
    }

    fn custody_leaves(&self, place: i64) -> Reply<'_, CustodyLeaves> {
        Box::pin(self.read(move |c| custody::leaves(c, place)))
    }

    fn custody_heads(&self, from: u64) -> Reply<'_, Vec<CustodyHeadRow>> {
        Box::pin(self.read(move |c| custody::heads(c, from)))
    }

    fn custody_head(&self) -> Reply<'_, Option<CustodyHeadRow>> {
        Box::pin(self.read(custody::newest))
    }

    fn make_custody_head(
        &self,
        notes: Vec<CustodyNote>,
        day: u32,
        at_ms: i64,
        scope: Scope,
        signer: ItemSigner,
    ) -> Reply<'_, CustodyHeadRow> {
        Box::pin(self.write(move |c| custody::make_head(c, &notes, day, at_ms, scope, &signer), |_| ()))
    }

    fn erase_custody_names(&self, before_ms: i64, limit: u32) -> Reply<'_, u64> {
        Box::pin(self.write(move |c| custody::erase_who(c, before_ms, limit), |_| ()))
    }

    fn entries(&self, log: LogId, branch: u32, first: u64, limit: u32) -> Reply<'_, Vec<EntryRow>> {
        Box::pin(self.read(move |c| bundle::entries(c, log, branch, first, limit)))
    }

    fn logs(&self) -> Reply<'_, Vec<LogId>> {
        Box::pin(self.read(bundle::logs))
    }

    fn items(&self) -> Reply<'_, Vec<ItemName>> {
        Box::pin(self.read(bundle::items))
    }

    fn belongings(&self, incident: EntryName) -> Reply<'_, Belongings> {
        Box::pin(self.read(move |c| bundle::belongings(c, incident)))
    }

    fn check_custody(&self) -> Reply<'_, Vec<Wrong>> {
        Box::pin(self.read(custody::check))
    }

    fn put_code(&self, code: NewCode) -> Reply<'_, bool> {
        Box::pin(self.write(move |c| people::put_code(c, &code), |_| ()))
    }

    fn code(&self, token_hash: Hash) -> Reply<'_, Option<CodeRow>> {
        Box::pin(self.read(move |c| people::code(c, &token_hash)))
    }

    fn redeem(&self, redemption: Redemption) -> Reply<'_, Redeemed> {
        let shared = self.shared();
        Box::pin(self.write(
            move |c| people::redeem(c, &redemption),
            move |redeemed| {
                if let Redeemed::Registered(registration) = redeemed {
                    shared.remember(registration.device.clone());
                    shared.forget_people();
                }
            },
        ))
    }

    fn device(&self, device: DeviceId) -> Reply<'_, Option<Arc<Device>>> {
        let found = self.shared.devices.read().unwrap_or_else(PoisonError::into_inner).get(&device).cloned();
        Box::pin(std::future::ready(Ok(found)))
    }

    fn devices(&self) -> Reply<'_, Vec<Arc<Device>>> {
        let all = self.shared.devices.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        Box::pin(std::future::ready(Ok(all)))
    }

    fn renew(&self, device: Device) -> Reply<'_, ()> {
        let shared = self.shared();
        Box::pin(
            async move { self.write(move |c| people::renew(c, &device), move |renewed| shared.remember(renewed.clone())).await.map(drop) },
        )
    }

    fn revoke(&self, device: DeviceId, at_ms: i64, lost: bool, items: Vec<ItemDraft>, signer: ItemSigner) -> Reply<'_, bool> {
        let shared = self.shared();
        Box::pin(async move {
            let revoked = self.write(
                move |c| {
                    let revoked = people::revoke(c, device, at_ms, lost)?;
                    if revoked.is_some() {
                        feed::append(c, &items, &signer)?;
                    }
                    Ok(revoked)
                },
                move |revoked: &Option<Device>| revoked.iter().for_each(|device| shared.remember(device.clone())),
            );
            Ok(revoked.await?.is_some())
        })
    }

    fn people(&self) -> Reply<'_, Arc<People>> {
        Box::pin(async move {
            let changes = {
                let cached = self.shared.people.read().unwrap_or_else(PoisonError::into_inner);
                if let Some(people) = &cached.read {
                    return Ok(Arc::clone(people));
                }
                cached.changes
            };
            let people = Arc::new(self.read(people::people).await?);
            let mut cached = self.shared.people.write().unwrap_or_else(PoisonError::into_inner);
            // What was read before a change that was committed meanwhile is not kept.
            if cached.changes == changes {
                cached.read = Some(Arc::clone(&people));
            }
            Ok(people)
        })
    }

    fn add_hamlet(&self, name: String, at_ms: i64, commune: CommuneCode, signer: ItemSigner) -> Reply<'_, HamletRow> {
        let shared = self.shared();
        Box::pin(self.write(move |c| people::add_hamlet(c, &name, at_ms, commune, &signer), move |_| shared.forget_people()))
    }

    fn add_member(&self, member: MemberRow) -> Reply<'_, MemberRow> {
        let shared = self.shared();
        Box::pin(self.write(move |c| people::add_member(c, &member), move |_| shared.forget_people()))
    }

    fn import_people(&self, rows: Vec<ImportedPlace>, at_ms: i64, commune: CommuneCode, signer: ItemSigner) -> Reply<'_, ImportTotals> {
        let shared = self.shared();
        Box::pin(self.write(move |c| people::import(c, &rows, at_ms, commune, &signer), move |_| shared.forget_people()))
    }

    fn append(&self, items: Vec<ItemDraft>, signer: ItemSigner) -> Reply<'_, Vec<FeedRow>> {
        Box::pin(self.write(move |c| feed::append(c, &items, &signer), |_| ()))
    }

    fn raise_alert(&self, alert: AlertRow, items: Vec<ItemDraft>, signer: ItemSigner) -> Reply<'_, bool> {
        if planted(Bug::AlertApart) {
            return Box::pin(async move {
                let new = self.write(move |c| alerts::put(c, &alert), |_| ()).await?;
                self.append(items, signer).await?;
                Ok(new)
            });
        }
        Box::pin(self.write(move |c| alerts::raise(c, &alert, &items, &signer), |_| ()))
    }

    fn alert(&self, id: String) -> Reply<'_, Option<AlertRow>> {
        Box::pin(self.read(move |c| alerts::get(c, &id)))
    }

    fn alerts_referring(&self, id: String) -> Reply<'_, Vec<String>> {
        Box::pin(self.read(move |c| alerts::referring(c, &id)))
    }

    fn note_pulled(&self, device: DeviceId, cursors: Vec<Cursor>, at_ms: i64) -> Reply<'_, u64> {
        Box::pin(self.write(move |c| alerts::pulled(c, device, &cursors, at_ms), |_| ()))
    }

    fn keep_cap(&self, cap: CapKept) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| alerts::keep_cap(c, &cap), |()| ()))
    }

    fn caps(&self, alert: String) -> Reply<'_, Vec<CapKept>> {
        Box::pin(self.read(move |c| alerts::caps(c, &alert)))
    }

    fn remind(&self, alert: String, members: Vec<MemberNo>, at_ms: i64) -> Reply<'_, Vec<MemberNo>> {
        Box::pin(self.write(move |c| alerts::remind(c, &alert, &members, at_ms), |_| ()))
    }

    fn reminded(&self, alert: String) -> Reply<'_, Vec<(MemberNo, i64)>> {
        Box::pin(self.read(move |c| alerts::reminded(c, &alert)))
    }

    fn feed_pages(&self, wanted: Vec<(Scope, Option<(Epoch, u64)>)>, limit: u32) -> Reply<'_, Vec<StreamPage>> {
        Box::pin(self.read(move |c| feed::pages(c, &wanted, limit)))
    }

    fn news(&self) -> News {
        self.news.subscribe()
    }

    fn feed_page(&self, scope: Scope, after: Option<(Epoch, u64)>, limit: u32) -> Reply<'_, Vec<FeedRow>> {
        Box::pin(self.read(move |c| feed::page(c, scope, after, limit)))
    }

    fn lost_items(&self, held: Vec<Cursor>) -> Reply<'_, Vec<ItemRange>> {
        Box::pin(self.read(move |c| feed::lost(c, &held)))
    }

    fn not_here(&self, items: Vec<Cursor>) -> Reply<'_, Vec<Cursor>> {
        Box::pin(self.read(move |c| feed::not_here(c, items)))
    }

    fn keep_returned(&self, items: Vec<ReturnedRow>, at_ms: i64) -> Reply<'_, u64> {
        Box::pin(self.write(move |c| feed::keep_returned(c, &items, at_ms), |_| ()))
    }

    fn feed_head(&self, scope: Scope) -> Reply<'_, Option<(Epoch, u64)>> {
        Box::pin(self.read(move |c| feed::head(c, scope)))
    }

    fn totals(&self) -> Reply<'_, Totals> {
        Box::pin(self.read(totals::totals))
    }

    fn incidents(&self, query: ListQuery) -> Reply<'_, Vec<IncidentListing>> {
        Box::pin(self.list(query, lists::incidents))
    }

    fn on_map(&self, query: MapQuery) -> Reply<'_, OnMap> {
        Box::pin(self.read(move |c| map::on_map(c, &query)))
    }

    fn patrols(&self, query: ListQuery) -> Reply<'_, Vec<PatrolListing>> {
        Box::pin(self.list(query, lists::patrols))
    }

    fn check_ins(&self, query: ListQuery) -> Reply<'_, Vec<CheckInRow>> {
        Box::pin(self.list(query, |c, query, limit, _| lists::check_ins(c, query, limit)))
    }

    fn evidence(&self, query: ListQuery) -> Reply<'_, Vec<EvidenceListing>> {
        Box::pin(self.list(query, evidence::list))
    }

    fn alerts(&self, query: ListQuery) -> Reply<'_, Vec<AlertListing>> {
        Box::pin(self.list(query, alerts::list))
    }

    fn device_list(&self, query: ListQuery, now_ms: i64) -> Reply<'_, Vec<DeviceListing>> {
        Box::pin(self.list(query, move |c, query, limit, people| lists::devices(c, query, limit, now_ms, people)))
    }

    fn quarantine(&self, query: ListQuery) -> Reply<'_, Vec<QuarantineListing>> {
        Box::pin(self.list(query, |c, query, limit, _| quarantine::list(c, query, limit)))
    }

    fn audit(&self, query: ListQuery) -> Reply<'_, Vec<AuditRow>> {
        Box::pin(self.list(query, |c, query, limit, _| lists::audit(c, query, limit)))
    }

    fn note_audit(&self, row: AuditRow) -> Reply<'_, i64> {
        Box::pin(self.write(move |c| lists::note_audit(c, &row), |_| ()))
    }

    fn end_audit(&self, row: i64, outcome: String) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| lists::end_audit(c, row, &outcome), |_| ()))
    }

    fn begin_epoch(&self, epoch: Epoch, at_ms: i64) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| feed::begin_epoch(c, epoch, at_ms), |_| ()))
    }

    fn epoch(&self) -> Reply<'_, Option<Epoch>> {
        Box::pin(self.read(feed::epoch))
    }

    fn value(&self, name: &'static str) -> Reply<'_, Option<Vec<u8>>> {
        Box::pin(self.read(move |c| {
            c.prepare_cached("SELECT value FROM value WHERE name = ?")
                .and_then(|mut s| s.query_row([name], |row| row.get(0)).optional())
                .map_err(sql)
        }))
    }

    fn set_value(&self, name: &'static str, value: Vec<u8>) -> Reply<'_, ()> {
        let work = move |c: &rusqlite::Connection| {
            c.prepare_cached("INSERT OR REPLACE INTO value VALUES (?1, ?2)")
                .and_then(|mut s| s.execute(params![name, value]))
                .map_err(sql)?;
            Ok(())
        };
        Box::pin(self.write(work, |_| ()))
    }

    fn check_chains(&self) -> Reply<'_, Vec<Wrong>> {
        Box::pin(self.read(check::chains))
    }

    fn copy_to(&self, path: PathBuf) -> Reply<'_, ()> {
        let key = self.shared.key.clone();
        Box::pin(self.read(move |c| check::copy(c, &path, &key)))
    }

    fn close(&self) -> Reply<'_, ()> {
        Box::pin(self.stop())
    }
}
