//! Where everything the hub knows is kept, behind one trait, so that the embedded database of a commune and
//! the PostgreSQL of a province behave alike ([`conformance`] holds both to it).
//!
//! Every method that writes is one transaction: its answer comes after the commit, and an answer that says
//! "no" has changed nothing. Methods are named after what happens in the commune, not after tables.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use yenban_protocol::crypto::Hash;
use yenban_protocol::feed::Scope;
use yenban_protocol::id::{CommuneCode, DeviceId, EntryName, Epoch, HamletNo, LogId, MemberNo};
use yenban_protocol::wire::{Cursor, ItemRange};

use crate::error::Result;
use crate::storage::ObjectName;

pub mod access;
pub mod bundle;
pub mod conformance;
mod courier;
pub mod custody;
mod effect;
mod feed_rows;
pub mod hooks;
pub mod ladder;
mod lists;
pub mod map;
mod objects;
mod people;
pub mod phones;
pub mod plans;
pub mod proposals;
mod run;
pub mod sqlite;
pub mod triage;
mod wrong;

pub use access::{AccessStore, AccountChange, AccountRow, Joined, LinkKind, LinkRow, PasskeyRow, Proofs, SessionRow};
pub use bundle::{Belongings, EntryRow};
pub use courier::{Claimed, CourierAsked, NewClaim};
pub use custody::{CustodyHeadRow, CustodyLeaves, CustodyNote, CustodyRow};
pub use effect::{AnswerRow, Effect, FileNamed, PhotoRow, ReportRow, WhenWhere};
pub use feed_rows::{AlertRow, CapKept, FeedRow, ItemDraft, ItemSigner, News, ReturnedRow, SignedItem, StreamPage};
pub use hooks::{HookEnd, HookRow, HookStore};
pub use lists::{
    AUDIT_DONE, AlertListing, AnswerListing, AuditRow, CheckInRow, DeliveryListing, DeviceListing, EvidenceListing, EvidenceTotals,
    IncidentListing, ListQuery, MissingListing, PatrolListing, PreviewListing, QuarantineListing, StatementListing, Totals,
};
pub use map::{MapCell, MapPin, MapQuery, OnMap};
pub use objects::{
    Arrival, Arrived, Ending, Erased, Erasure, Found, Freed, Hold, HoldOrder, ItemHeld, ItemName, ItemRow, ObjectKind, ObjectRow,
    ObjectState, ReceiptMaker, StoredAs,
};
pub use people::{
    CertificateMaker, CodeRow, Device, GroupRow, HamletRow, ImportedPlace, MemberRow, NewCode, People, Redeemed, Redemption, Registration,
};
pub use phones::{Awaited, PhoneStore};
pub use plans::{CheckpointRow, Coverage, PlanRow, PlanStore, Walked};
pub use proposals::{Decided, ProposalKind, ProposalRow, ProposalStore};
pub use run::{Held, LogState, NewEntry, NewRun, QuarantineReason, QuarantinedSegment, Taken};
pub use triage::{Assigned, FieldWord, IncidentName, NewStep, StepRow, Stepped, Thread, Triage, TriageStore};
pub use wrong::{Wrong, WrongCode};

/// An answer that comes later.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A store shared by everything that serves.
pub type SharedStore = Arc<dyn HubStore>;

/// What the hub keeps. See the module for what every method promises.
pub trait HubStore: AccessStore + HookStore + PhoneStore + PlanStore + ProposalStore + TriageStore {
    // ---- ingest -------------------------------------------------------------------------------------------

    /// Takes a run of entries whose chain and signature were checked: keeps what is new, joins what fits, and
    /// keeps what contradicts as a branch. Entries, range and effects stand or fall together. More runs of one log than a
    /// receipt can name are refused.
    fn take_run(&self, run: NewRun) -> Reply<'_, Taken>;

    /// Keeps a sealed segment that may not be shown as normal. The same bytes are kept once.
    /// `false`: the quota of its sender is used up and it was not kept.
    fn keep_in_quarantine(&self, segment: QuarantinedSegment) -> Reply<'_, bool>;

    /// What is held of a log.
    fn log_state(&self, log: LogId) -> Reply<'_, Option<LogState>>;

    /// What is held of every log of a device, oldest log first.
    fn logs_of(&self, device: DeviceId) -> Reply<'_, Vec<LogState>>;

    // ---- reports by message and couriers ------------------------------------------------------------------

    /// Takes what a verified message claims: a row of its own until the entry is here, a mark on the incident when it is.
    fn take_claim(&self, claim: NewClaim) -> Reply<'_, Claimed>;

    /// Remembers the newest request that a device sent through a courier, and the files that came with it.
    fn note_courier(&self, asked: CourierAsked) -> Reply<'_, ()>;

    /// What devices asked through couriers since `since_ms`.
    fn courier_asked(&self, since_ms: i64) -> Reply<'_, Vec<CourierAsked>>;

    // ---- objects ------------------------------------------------------------------------------------------

    /// Every row that names one of these sealed files, oldest first.
    fn objects_named(&self, sealed: Vec<Hash>) -> Reply<'_, Vec<ObjectRow>>;

    /// The files of an item, smallest kind first.
    fn objects_of(&self, item: ItemName) -> Reply<'_, Vec<ObjectRow>>;

    /// Notes that an upload was begun, or that what had come of it was dropped.
    fn upload_begun(&self, sealed: Hash, begun: bool) -> Reply<'_, ()>;

    /// Sealed files of which an upload was begun and not ended.
    fn begun_uploads(&self) -> Reply<'_, Vec<Hash>>;

    /// Takes a file that came whole into every row that names it with these hashes: state, key and receipt at once.
    fn object_arrived(&self, arrival: Arrival) -> Reply<'_, Arrived>;

    /// Rows of files that are, or were, in storage, after row `after`, at most `limit`.
    fn stored_objects(&self, after: i64, limit: u32) -> Reply<'_, Vec<ObjectRow>>;

    /// Notes what reading files again found: verified, missing or altered. Only rows that still name the same bytes change.
    fn objects_checked(&self, found: Vec<Found>, at_ms: i64) -> Reply<'_, ()>;

    /// Asks the phones for files that are missing or altered and were not asked for since `asked_before_ms`; how many.
    fn want_objects(&self, now_ms: i64, asked_before_ms: i64, signer: ItemSigner) -> Reply<'_, u64>;

    /// Of these names in storage the ones that no row names.
    fn unnamed(&self, names: Vec<ObjectName>) -> Reply<'_, Vec<ObjectName>>;

    /// Of these names in storage the ones that no row names and that were seen so before `since_ms`; the others that
    /// nothing names are noted as seen at `now_ms`.
    fn orphans(&self, names: Vec<ObjectName>, now_ms: i64, since_ms: i64) -> Reply<'_, Vec<ObjectName>>;

    /// These were removed: they are no orphans any more.
    fn swept(&self, names: Vec<ObjectName>) -> Reply<'_, ()>;

    /// An item.
    fn item(&self, name: ItemName) -> Reply<'_, Option<ItemRow>>;

    /// Puts a hold on an item, replacing the one it has, or takes it off.
    fn hold_item(&self, order: HoldOrder) -> Reply<'_, ItemHeld>;

    /// Destroys an item: its keys, its files' rows and the facts in its entries, whose commitments stay.
    fn erase_item(&self, erasure: Erasure) -> Reply<'_, Erased>;

    /// Items whose time is over and that nothing holds, at most `limit`.
    fn expired_items(&self, now_ms: i64, limit: u32) -> Reply<'_, Vec<ItemName>>;

    /// Destroys copies that came, or were named, before `before_ms` and belong to no photograph of their device, at most
    /// `limit`; how many, and what nothing names now.
    fn expire_strays(&self, before_ms: i64, limit: u32) -> Reply<'_, (u64, Freed)>;

    /// Leaves no older state of the database beside it: a key that was destroyed stands in none of its files. `false`:
    /// somebody reads an older state at this moment; it is to be asked again.
    fn fold(&self) -> Reply<'_, bool>;

    // ---- custody ------------------------------------------------------------------------------------------

    /// Appends records to the chains of their items.
    fn note_custody(&self, notes: Vec<CustodyNote>) -> Reply<'_, ()>;

    /// The chain of an item, up to the record at `place` (`i64::MAX`: all of it).
    fn custody(&self, item: ItemName, place: i64) -> Reply<'_, Vec<CustodyRow>>;

    /// All chains as they stood when the record at `place` was the newest.
    fn custody_leaves(&self, place: i64) -> Reply<'_, CustodyLeaves>;

    /// Signed heads over all chains from number `from` on.
    fn custody_heads(&self, from: u64) -> Reply<'_, Vec<CustodyHeadRow>>;

    /// The newest head.
    fn custody_head(&self) -> Reply<'_, Option<CustodyHeadRow>>;

    /// Appends `notes`, puts all chains under a new head, signs it and sends it out in the stream of `scope`.
    fn make_custody_head(
        &self,
        notes: Vec<CustodyNote>,
        day: u32,
        at_ms: i64,
        scope: Scope,
        signer: ItemSigner,
    ) -> Reply<'_, CustodyHeadRow>;

    /// Erases who did what before `before_ms` (what was done stays), at most `limit` records; how many there were.
    fn erase_custody_names(&self, before_ms: i64, limit: u32) -> Reply<'_, u64>;

    // ---- evidence bundles ---------------------------------------------------------------------------------

    /// Entries of a log from `first` on, in their order, at most `limit`.
    fn entries(&self, log: LogId, branch: u32, first: u64, limit: u32) -> Reply<'_, Vec<EntryRow>>;

    /// Every log.
    fn logs(&self) -> Reply<'_, Vec<LogId>>;

    /// Every photograph, ascending.
    fn items(&self) -> Reply<'_, Vec<ItemName>>;

    /// What belongs to an incident, on whatever phone it was written; nothing when there is no such incident.
    fn belongings(&self, incident: EntryName) -> Reply<'_, Belongings>;

    /// Recomputes every custody chain and head; names of what does not agree.
    fn check_custody(&self) -> Reply<'_, Vec<Wrong>>;

    // ---- people and devices -------------------------------------------------------------------------------

    /// Keeps a new enrolment code; expired ones are removed on the way. `false`: too many are open.
    fn put_code(&self, code: NewCode) -> Reply<'_, bool>;

    /// The code with this hash, used, expired or open.
    fn code(&self, token_hash: Hash) -> Reply<'_, Option<CodeRow>>;

    /// Uses a code: of any number of concurrent calls with one code exactly one gives [`Redeemed::Registered`].
    fn redeem(&self, redemption: Redemption) -> Reply<'_, Redeemed>;

    /// A device.
    fn device(&self, device: DeviceId) -> Reply<'_, Option<Arc<Device>>>;

    /// All devices.
    fn devices(&self) -> Reply<'_, Vec<Arc<Device>>>;

    /// Replaces the certificate of a device (renewal, role change).
    fn renew(&self, device: Device) -> Reply<'_, ()>;

    /// Revokes a device from this moment and appends `items`; `false`: it was revoked before (nothing is appended).
    fn revoke(&self, device: DeviceId, at_ms: i64, lost: bool, items: Vec<ItemDraft>, signer: ItemSigner) -> Reply<'_, bool>;

    /// All hamlets, groups and members.
    fn people(&self) -> Reply<'_, Arc<People>>;

    /// Adds a hamlet; an equal name (NFC) gives the one there is.
    fn add_hamlet(&self, name: String, at_ms: i64, commune: CommuneCode, signer: ItemSigner) -> Reply<'_, HamletRow>;

    /// Adds a member; the number is given by the store.
    fn add_member(&self, member: MemberRow) -> Reply<'_, MemberRow>;

    /// Takes all rows of an imported file or none; rows that are there already are updated.
    fn import_people(&self, rows: Vec<ImportedPlace>, at_ms: i64, commune: CommuneCode, signer: ItemSigner) -> Reply<'_, ImportTotals>;

    // ---- feed and alerts ----------------------------------------------------------------------------------

    /// Appends items to their streams; each is numbered, chained to the one before it and signed in the transaction.
    fn append(&self, items: Vec<ItemDraft>, signer: ItemSigner) -> Reply<'_, Vec<FeedRow>>;

    /// Keeps an alert and appends its items, or gives `false` when its identifier is there already.
    fn raise_alert(&self, alert: AlertRow, items: Vec<ItemDraft>, signer: ItemSigner) -> Reply<'_, bool>;

    /// The alert with this identifier.
    fn alert(&self, id: String) -> Reply<'_, Option<AlertRow>>;

    /// Identifiers of the alerts that update this one or take it back, whether it is here or not; oldest first.
    fn alerts_referring(&self, id: String) -> Reply<'_, Vec<String>>;

    /// A phone says that it has stored its streams up to these places: the alerts that lie there count as delivered to it,
    /// for ever, whatever it says later. Places beyond a stream's end count for nothing. How many were not known to be there.
    fn note_pulled(&self, device: DeviceId, cursors: Vec<Cursor>, at_ms: i64) -> Reply<'_, u64>;

    /// Keeps a CAP document; the same bytes once, by the newest reason. Too many are refused.
    fn keep_cap(&self, cap: CapKept) -> Reply<'_, ()>;

    /// CAP documents that came with this identifier, newest first.
    fn caps(&self, alert: String) -> Reply<'_, Vec<CapKept>>;

    /// Notes that these members are reminded of an alert; answers with those who were not before.
    fn remind(&self, alert: String, members: Vec<MemberNo>, at_ms: i64) -> Reply<'_, Vec<MemberNo>>;

    /// Who was reminded of an alert and when, by number.
    fn reminded(&self, alert: String) -> Reply<'_, Vec<(MemberNo, i64)>>;

    /// Items of one stream after `after` (`None`, or an epoch not known here: from the start), at most `limit`.
    fn feed_page(&self, scope: Scope, after: Option<(Epoch, u64)>, limit: u32) -> Reply<'_, Vec<FeedRow>>;

    /// Of the items up to each of these places the ones that are neither here nor were given back, at most `MAX_STREAMS`
    /// ranges. Places in the current epoch name nothing that could be lost.
    fn lost_items(&self, held: Vec<Cursor>) -> Reply<'_, Vec<ItemRange>>;

    /// Of these items the ones that are neither here nor were given back.
    fn not_here(&self, items: Vec<Cursor>) -> Reply<'_, Vec<Cursor>>;

    /// Keeps items that were given back; how many of them were not here.
    fn keep_returned(&self, items: Vec<ReturnedRow>, at_ms: i64) -> Reply<'_, u64>;
    /// Of each of these streams its head and at most `limit` items after the place beside it, in one read.
    fn feed_pages(&self, wanted: Vec<(Scope, Option<(Epoch, u64)>)>, limit: u32) -> Reply<'_, Vec<StreamPage>>;

    /// Tells of every commit that appended to streams, after it. Whoever reads too slowly hears that something was missed.
    fn news(&self) -> News;

    /// Newest epoch and number of a stream.
    fn feed_head(&self, scope: Scope) -> Reply<'_, Option<(Epoch, u64)>>;

    // ---- reading by people --------------------------------------------------------------------------------

    /// The figures of `hub status`.
    fn totals(&self) -> Reply<'_, Totals>;

    /// Incidents, urgent first, then newest.
    fn incidents(&self, query: ListQuery) -> Reply<'_, Vec<IncidentListing>>;

    /// Incidents in a box: by themselves, or counted by squares where they are many.
    fn on_map(&self, query: MapQuery) -> Reply<'_, OnMap>;

    /// Patrols, newest first.
    fn patrols(&self, query: ListQuery) -> Reply<'_, Vec<PatrolListing>>;

    /// Check-ins in the order of their logs.
    fn check_ins(&self, query: ListQuery) -> Reply<'_, Vec<CheckInRow>>;

    /// Photographs that entries name.
    fn evidence(&self, query: ListQuery) -> Reply<'_, Vec<EvidenceListing>>;

    /// Alerts and how they were answered, newest first.
    fn alerts(&self, query: ListQuery) -> Reply<'_, Vec<AlertListing>>;

    /// Devices with their logs' figures; `now_ms` tells an expired certificate.
    fn device_list(&self, query: ListQuery, now_ms: i64) -> Reply<'_, Vec<DeviceListing>>;

    /// Quarantined segments, newest first.
    fn quarantine(&self, query: ListQuery) -> Reply<'_, Vec<QuarantineListing>>;

    /// The record of who read and did what, newest first.
    fn audit(&self, query: ListQuery) -> Reply<'_, Vec<AuditRow>>;

    /// Appends to the record of who read and did what; the row's number.
    fn note_audit(&self, row: AuditRow) -> Reply<'_, i64>;

    /// Notes how something ended that was noted without an outcome.
    fn end_audit(&self, row: i64, outcome: String) -> Reply<'_, ()>;

    // ---- itself -------------------------------------------------------------------------------------------

    /// Begins a new epoch: later items are numbered in it, from 1.
    fn begin_epoch(&self, epoch: Epoch, at_ms: i64) -> Reply<'_, ()>;

    /// The epoch that is current.
    fn epoch(&self) -> Reply<'_, Option<Epoch>>;

    /// A small value of the hub itself (commune, last address).
    fn value(&self, name: &'static str) -> Reply<'_, Option<Vec<u8>>>;

    /// Sets a small value of the hub itself.
    fn set_value(&self, name: &'static str, value: Vec<u8>) -> Reply<'_, ()>;

    /// Recomputes every chain from the stored bodies; what does not agree.
    fn check_chains(&self) -> Reply<'_, Vec<Wrong>>;

    /// Writes a consistent copy of the whole database to `path`, readable with the same key.
    fn copy_to(&self, path: std::path::PathBuf) -> Reply<'_, ()>;

    /// Finishes what is queued and closes. Later calls answer [`crate::error::HubError::Stopping`].
    fn close(&self) -> Reply<'_, ()>;
}

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ImportTotals {
    /// Hamlets added.
    pub hamlets: u32,
    /// Groups added.
    pub groups: u32,
    /// Members added.
    pub members: u32,
    /// Members whose role is another than before.
    #[serde(default)]
    pub updated: u32,
    /// Rows that were there already.
    pub unchanged: u32,
}

/// Number of a hamlet that stands for the whole commune.
pub const WHOLE_COMMUNE: HamletNo = HamletNo(0);

/// Number of no member.
pub const NOBODY: MemberNo = MemberNo(0);
