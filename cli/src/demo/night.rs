//! The night itself: what happens, in order, and what is read from both sides to prove it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Runtime;
use yenban_core::app::{IfAbsent, Phone, Report, Said};
use yenban_core::sync::{Outcome, Verdict};
use yenban_core::transport::Until;
use yenban_hub::admin::{Admin, EnrolWanted, ListKind};
use yenban_hub::alert::AlertWanted;
use yenban_hub::clock::SystemClock;
use yenban_hub::folder::Folder;
use yenban_hub::init::{self, NewHub};
use yenban_hub::server::{self, Serving};
use yenban_hub::store::{AlertListing, CheckInRow, EvidenceListing, ListQuery};
use yenban_hub::{Hub, HubError};
use yenban_locales::{Arg, Words};

use super::Stage;
use super::proof::{self, Check};
use super::relay::Relay;
use crate::fault::{Fault, Result};
use crate::output::{Output, clean};
use crate::phone::sync::sync;
use crate::phone::{enrol, fault as phone_fault, open, replay};

/// Names of the story.
const HAMLET: &str = "Nà Phòn";
const FIRST: &str = "Lò Văn Páo";
const SECOND: &str = "Hà Thị Liên";
/// Longest a sync of the story may take, milliseconds.
const SYNC_MS: u64 = 20_000;
/// A sync whose road breaks gives up after so long, milliseconds.
const CUT_MS: u64 = 3_000;
const PURPOSE: &str = "demo";
/// Bytes after which the road breaks, beside as many as the photographs have: their smaller copies and what is around
/// them make what goes over it longer than that.
const ROAD_BYTES: u64 = 1_500;
/// Most bytes after which it breaks.
const ROAD_BYTES_MAX: u64 = 120_000;
/// Syncs after a broken road.
const TRIES: usize = 3;
/// Bytes that may be sent twice when the road breaks: what was on it.
const WASTE_BYTES: u64 = 64 * 1024;

/// A hub that serves.
struct Open {
    hub: Arc<Hub>,
    serving: Serving,
}

/// Everything that is there while the story is told.
pub(super) struct Night<'a> {
    runtime: Runtime,
    relay: Relay,
    open: Option<Open>,
    address: SocketAddr,
    dir: PathBuf,
    phones: Vec<(PathBuf, Phone)>,
    codes: Vec<String>,
    checks: Vec<Check>,
    out: &'a Output,
}

impl<'a> Night<'a> {
    /// Makes the hub and starts it.
    pub(super) fn begin(dir: &Path, stage: &Stage, out: &'a Output) -> Result<Self> {
        let inside = |error: std::io::Error| Fault::could_not("error-inside").with("reason", error);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(inside)?;
        let relay = runtime.block_on(Relay::start()).map_err(inside)?;
        let hub_dir = dir.join("hub");
        let new = NewHub {
            dir: hub_dir.clone(),
            commune: stage.commune.code().to_owned(),
            name: format!("Công an {} {}", stage.commune.kind().word().to_lowercase(), stage.commune.name()),
            recovery_file: None,
            officer: String::new(),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut night = Self {
            runtime,
            relay,
            open: None,
            address,
            dir: dir.to_path_buf(),
            phones: Vec::new(),
            codes: Vec::new(),
            checks: Vec::new(),
            out,
        };
        night.say("demo-title", &[("hamlet", HAMLET.into())])?;
        let place = format!("{}, {}", stage.commune.full_name(), stage.commune.province().name());
        night.say("demo-place", &[("place", place.into()), ("path", dir.display().to_string().into())])?;
        let made = night.runtime.block_on(init::init(new, Arc::new(SystemClock))).map_err(|error| night.hub_fault(&error))?;
        night.start_hub()?;
        night.say("demo-hub", &[("address", night.address().into()), ("root", made.root_fingerprint.into())])?;
        Ok(night)
    }

    /// Tells the whole story and gives what was proved.
    pub(super) fn tell(&mut self, stage: &Stage) -> Result<Vec<Check>> {
        self.join(FIRST)?;
        self.join(SECOND)?;
        self.check_joined()?;
        let report = self.walk_in_the_dark(stage)?;
        self.cut_in_the_middle()?;
        self.send_again(stage)?;
        self.check_photos(stage)?;
        self.check_sealed(stage, &report)?;
        self.alert()?;
        self.lose_a_phone()?;
        self.check_chains()?;
        self.verify(stage)?;
        Ok(std::mem::take(&mut self.checks))
    }

    /// The hub's folder.
    pub(super) fn hub_dir(&self) -> PathBuf {
        self.dir.join("hub")
    }

    /// Where the hub listens.
    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// A way into the console.
    pub(super) fn console(&self) -> Result<Option<String>> {
        let Some(open) = &self.open else { return Ok(None) };
        let link = self.runtime.block_on(crate::hub::console(&open.hub, &self.address()));
        link.map(Some).map_err(|error| self.hub_fault(&error))
    }

    /// Keeps the hub running until it is told to stop.
    pub(super) fn stay_open(&mut self) -> Result<()> {
        self.phones.clear();
        self.runtime.block_on(server::signalled()).map_err(|error| self.hub_fault(&error))
    }

    /// Closes everything.
    pub(super) fn end(mut self) -> Result<()> {
        self.phones.clear();
        self.stop_hub()
    }

    /// Where the story is told.
    pub(super) fn out(&self) -> &'a Output {
        self.out
    }

    pub(super) fn words(&self) -> Words {
        self.out.words
    }

    pub(super) fn say(&self, id: &str, args: &[(&str, Arg<'_>)]) -> Result<()> {
        self.out.say(id, args)
    }

    fn hub_fault(&self, error: &HubError) -> Fault {
        crate::hub::fault::of(error, &self.hub_dir(), self.words())
    }

    pub(super) fn prove(&mut self, name: &'static str, held: bool, id: &str, args: &[(&str, Arg<'_>)]) {
        let said = self.words().say(id, args);
        self.checks.push(Check { name, said, held });
    }

    // ---- the hub ------------------------------------------------------------------------------------------

    fn start_hub(&mut self) -> Result<()> {
        let folder = Folder::new(self.hub_dir());
        let listen = self.address.to_string();
        let opened = self.runtime.block_on(async {
            let hub = Hub::open(folder, Arc::new(SystemClock)).await?;
            let serving = server::serve(Arc::clone(&hub), &listen).await?;
            Ok(Open { hub, serving })
        });
        let opened = opened.map_err(|error: HubError| self.hub_fault(&error))?;
        self.address = opened.serving.address();
        self.relay.lead_to(Some(self.address));
        self.open = Some(opened);
        Ok(())
    }

    fn stop_hub(&mut self) -> Result<()> {
        self.relay.lead_to(None);
        let Some(open) = self.open.take() else { return Ok(()) };
        let closed = self.runtime.block_on(async {
            open.serving.stop().await;
            open.hub.close().await
        });
        closed.map_err(|error| self.hub_fault(&error))
    }

    pub(super) fn at_the_hub<T>(&self, work: impl AsyncFnOnce(&mut Admin) -> yenban_hub::Result<T>) -> Result<T> {
        let open = self.open.as_ref().ok_or_else(|| Fault::could_not("error-hub-stopping"))?;
        let mut admin = Admin::here(Arc::clone(&open.hub));
        self.runtime.block_on(work(&mut admin)).map_err(|error| self.hub_fault(&error))
    }

    fn list<T: serde::de::DeserializeOwned>(&self, what: ListKind) -> Result<Vec<T>> {
        self.at_the_hub(async |admin| admin.list(what, ListQuery::default(), PURPOSE).await)
    }

    fn entries_at_the_hub(&self) -> Result<u64> {
        Ok(self.at_the_hub(async |admin| admin.status().await)?.entries)
    }

    // ---- the phones ---------------------------------------------------------------------------------------

    fn join(&mut self, name: &str) -> Result<()> {
        let wanted = EnrolWanted {
            hamlet: HAMLET.to_owned(),
            create: true,
            role: "member".to_owned(),
            name: name.to_owned(),
            address: Some(self.relay.address().to_string()),
        };
        let made = self.at_the_hub(async |admin| admin.enrol(wanted).await)?;
        let store = self.dir.join(format!("phone-{}", self.phones.len() + 1));
        let mut phone = open(&store, IfAbsent::Create, self.words())?;
        enrol::join(&mut phone, &made.code).map_err(|error| phone_fault::of(&error, &store, self.words()))?;
        let device = phone.identity().map(|identity| identity.device).unwrap_or_default();
        self.phones.push((store, phone));
        self.codes.push(made.code);
        self.say("demo-joined", &[("name", name.into()), ("device", device.into())])
    }

    /// Does something with a phone.
    pub(super) fn with<T>(&mut self, number: usize, work: impl FnOnce(&mut Phone) -> yenban_core::error::Result<T>) -> Result<T> {
        let words = self.words();
        let (store, phone) = &mut self.phones[number];
        work(phone).map_err(|error| phone_fault::of(&error, store, words))
    }

    pub(super) fn sync(&mut self, number: usize) -> Result<Outcome> {
        self.with(number, |phone| sync(phone, Until::Once, Some(SYNC_MS)))
    }

    // ---- the story ----------------------------------------------------------------------------------------

    fn check_joined(&mut self) -> Result<()> {
        let devices: Vec<yenban_hub::store::DeviceListing> = self.list(ListKind::Devices)?;
        let own: Vec<String> = self.phones.iter().filter_map(|(_, phone)| phone.identity()).map(|identity| identity.device).collect();
        let held = devices.len() == own.len() && own.iter().all(|id| devices.iter().any(|d| d.id == *id && d.state == "active"));
        // Somebody who photographed a code comes too late.
        let store = self.dir.join("phone-of-nobody");
        let mut stranger = open(&store, IfAbsent::Create, self.words())?;
        let refused = self.codes.iter().all(
            |code| matches!(enrol::join(&mut stranger, code), Err(yenban_core::error::Error::Refused { code, .. }) if code == "token_used"),
        );
        let held = held && refused && stranger.identity().is_none();
        drop(stranger);
        // A phone that never joined has no place in the story.
        let _ = std::fs::remove_dir_all(&store);
        self.prove("joined", held, "demo-proof-joined", &[("n", own.len().into())]);
        Ok(())
    }

    fn walk_in_the_dark(&mut self, stage: &Stage) -> Result<String> {
        self.stop_hub()?;
        self.say("demo-dark", &[("name", FIRST.into())])?;
        let (mut check_ins, mut distance_m) = (0_u64, 0_u32);
        for walk in &stage.walks {
            let done = self.with(0, |phone| replay::replay(phone, walk, |_| {}))?;
            check_ins += done.check_ins;
            distance_m += self.with(0, |phone| phone.patrol(&done.patrol))?.distance_m;
        }
        let distance = self.words().distance(f64::from(distance_m));
        self.say("demo-walked", &[("check-ins", check_ins.into()), ("distance", distance.into())])?;
        let text = self.words().word("demo-report-text");
        let said = vec![Said { basis: "seen".to_owned(), text: text.clone() }];
        let report = Report { kind: "landslide".to_owned(), urgent: true, statements: said, place: None, photos: 0 };
        let reported = self.with(0, |phone| {
            let mut reported = phone.report_with_photos(&report, &stage.photos)?;
            // An urgent report goes without what cannot be taken in; this story needs it.
            reported.left_out.pop().map_or(Ok(reported), |left| Err(left.error))
        })?;
        self.say("demo-reported", &[("kind", self.words().kind("landslide").into()), ("text", text.as_str().into())])?;
        for photo in self.with(0, |phone| phone.photos(Some(&reported.id)))?.iter().rev() {
            let name = clean(photo.original_name.as_deref().unwrap_or("–"));
            let size = self.words().size(photo.size_bytes);
            self.say("demo-photo", &[("name", name.into()), ("size", size.into()), ("hash", photo.sha256[..16].into())])?;
        }
        let offline = self.sync(0)?;
        let status = self.with(0, Phone::status)?;
        self.say("demo-offline", &[("unsent", status.unsent.into())])?;
        let held = offline.verdict == Verdict::Offline && status.unsent == status.entries && status.unsent > check_ins;
        self.prove("offline", held, "demo-proof-offline", &[("n", status.unsent.into())]);
        Ok(text)
    }

    /// The hub takes something, and the answer is lost on the way: the phone cannot know.
    fn cut_in_the_middle(&mut self) -> Result<()> {
        self.start_hub()?;
        if let Some(open) = &self.open {
            let hub = Arc::clone(&open.hub);
            self.relay.break_when(Some(Arc::new(move || {
                let hub = Arc::clone(&hub);
                Box::pin(async move { hub.store.totals().await.is_ok_and(|totals| totals.entries > 0) })
            })));
        }
        let cut = self.with(0, |phone| sync(phone, Until::Once, Some(CUT_MS)))?;
        self.relay.break_when(None);
        self.stop_hub()?;
        self.start_hub()?;
        let taken = self.entries_at_the_hub()?;
        let status = self.with(0, Phone::status)?;
        self.say("demo-cut", &[("taken", taken.into()), ("received", status.received.into())])?;
        let held = self.relay.broken() > 0 && taken > 0 && status.received < taken && cut.verdict != Verdict::UpToDate;
        self.prove("cut", held, "demo-proof-cut", &[("taken", taken.into()), ("received", status.received.into())]);
        Ok(())
    }

    fn send_again(&mut self, stage: &Stage) -> Result<()> {
        // The road breaks once more when text has gone and photographs are on their way.
        let (broken, before) = (self.relay.broken(), self.entries_at_the_hub()?);
        self.relay.break_after(proof::size_of(&stage.photos).saturating_add(ROAD_BYTES).min(ROAD_BYTES_MAX));
        let mut sent = self.sync(0)?;
        for _ in 0..TRIES {
            if sent.verdict != Verdict::UpToDate {
                sent = sent.then(self.sync(0)?);
            }
        }
        let cuts = u64::from(self.relay.broken() - broken);
        let new = self.entries_at_the_hub()? - before;
        let second = self.sync(1)?;
        let figures = [("receipted", before.into()), ("pushed", new.into()), ("requests", sent.requests.into())];
        self.say("demo-sent", &figures)?;
        let (files, again) = (self.words().size(sent.evidence_bytes), self.words().size(sent.resent_bytes));
        self.say("demo-files-sent", &[("size", files.into()), ("again", again.as_str().into())])?;
        let totals = self.at_the_hub(async |admin| admin.status().await)?.evidence;
        let whole = totals.verified == stage.photos.len() as u64 && totals.expected + totals.missing == 0;
        let held = whole && cuts > 0 && sent.resent_bytes <= cuts * WASTE_BYTES;
        self.prove("resumed", held, "demo-proof-resumed", &[("n", totals.verified.into()), ("again", again.into())]);
        let mut entries = 0;
        let mut unsent = 0;
        for number in 0..self.phones.len() {
            let status = self.with(number, Phone::status)?;
            entries += status.entries;
            unsent += status.unsent + status.parked;
        }
        let at_the_hub = self.entries_at_the_hub()?;
        let rows: Vec<CheckInRow> = self.list(ListKind::CheckIns)?;
        let all_sent = sent.verdict == Verdict::UpToDate && second.verdict == Verdict::UpToDate && unsent == 0;
        let once = all_sent && at_the_hub == entries && proof::once(&rows);
        self.prove("once", once, "demo-proof-once", &[("n", at_the_hub.into())]);
        let exact = proof::exact(&rows, &stage.walks);
        self.prove("exact", exact, "demo-proof-exact", &[("n", rows.len().into())]);
        let honest = proof::honest(&rows) && !rows.is_empty();
        self.prove("honest", honest, "demo-proof-honest", &[]);
        let again = self.sync(0)?;
        let quiet = again.pushed_entries == 0 && self.entries_at_the_hub()? == at_the_hub;
        self.prove("quiet", quiet, "demo-proof-quiet", &[]);
        Ok(())
    }

    fn check_photos(&mut self, stage: &Stage) -> Result<()> {
        let listed: Vec<EvidenceListing> = self.list(ListKind::Evidence)?;
        let known = self.with(0, |phone| phone.photos(None))?;
        let mut held = listed.len() == stage.photos.len() && known.len() == stage.photos.len();
        for path in &stage.photos {
            let bytes = std::fs::read(path).map_err(|error| crate::fault::unreadable(path, &error, self.words()))?;
            let hash = data_encoding::HEXLOWER.encode(&yenban_protocol::crypto::sha256(&bytes));
            let mine = known.iter().find(|photo| photo.sha256 == hash);
            let theirs = listed.iter().find(|photo| photo.sha256 == hash && photo.size_bytes == bytes.len() as u64);
            let (Some(mine), Some(_)) = (mine, theirs) else {
                held = false;
                continue;
            };
            // Opened from its sealed file, the picture is the one that was taken.
            let mut opened = Vec::new();
            let id = mine.id.clone();
            self.with(0, |phone| phone.open_photo(&id, &mut opened))?;
            held &= opened == bytes;
        }
        self.prove("photos", held, "demo-proof-photos", &[("n", stage.photos.len().into())]);
        Ok(())
    }

    fn check_sealed(&mut self, stage: &Stage, report: &str) -> Result<()> {
        for number in 0..self.phones.len() {
            self.with(number, Phone::settle)?;
        }
        let mut secrets = vec![report.as_bytes().to_vec(), FIRST.as_bytes().to_vec()];
        for path in &stage.photos {
            let bytes = std::fs::read(path).map_err(|error| crate::fault::unreadable(path, &error, self.words()))?;
            secrets.extend(proof::telling(&bytes).map(<[u8]>::to_vec));
        }
        let hub = self.hub_dir();
        let folders: Vec<&Path> = self.phones.iter().map(|(store, _)| store.as_path()).chain([hub.as_path()]).collect();
        let held = proof::nowhere_in_clear(&folders, &secrets);
        self.prove("sealed", held, "demo-proof-sealed", &[]);
        Ok(())
    }

    fn alert(&mut self) -> Result<()> {
        let headline = self.words().word("demo-alert-headline");
        let wanted = AlertWanted {
            headline: headline.clone(),
            description: self.words().word("demo-alert-description"),
            instruction: self.words().kind_advice("landslide"),
            severity: "Extreme".to_owned(),
            hamlets: vec![HAMLET.to_owned()],
            ..AlertWanted::default()
        };
        let sent = self.at_the_hub(async |admin| admin.alert(wanted).await)?;
        let level = self.words().word("word-severity-extreme");
        self.say("demo-alert", &[("level", level.into()), ("headline", headline.as_str().into())])?;
        let mut reached = 0_usize;
        for (number, answers) in [&["seen", "going"][..], &["seen"]].into_iter().enumerate() {
            self.sync(number)?;
            let alerts = self.with(number, Phone::alerts)?;
            let there = alerts.iter().any(|alert| alert.id == sent.id && alert.headline == headline && alert.state == "live");
            reached += usize::from(there);
            for answer in answers {
                self.with(number, |phone| phone.answer_alert(&sent.id, answer))?;
            }
            self.sync(number)?;
        }
        self.prove("alert", reached == self.phones.len(), "demo-proof-alert", &[("n", reached.into())]);
        let listed: Vec<AlertListing> = self.list(ListKind::Alerts)?;
        let answers = listed.iter().find(|alert| alert.id == sent.id).map(|alert| alert.answers.clone()).unwrap_or_default();
        let count = |member: &str, answer: &str| answers.iter().filter(|row| row.member == member && row.answer == answer).count();
        self.say("demo-answered", &[("going", FIRST.into()), ("seen", SECOND.into())])?;
        let held = count(FIRST, "going") == 1 && count(SECOND, "seen") == 1;
        self.prove("answers", held, "demo-proof-answers", &[("n", answers.len().into())]);
        Ok(())
    }

    fn lose_a_phone(&mut self) -> Result<()> {
        let device = self.phones[1].1.identity().map(|identity| identity.device).unwrap_or_default();
        let before = self.at_the_hub(async |admin| admin.status().await)?;
        self.at_the_hub(async |admin| admin.revoke(&device, true).await)?;
        let said = vec![Said { basis: "unstated".to_owned(), text: self.words().word("demo-lost-text") }];
        let report = Report { kind: "other".to_owned(), urgent: false, statements: said, place: None, photos: 0 };
        self.with(1, |phone| phone.report(&report))?;
        let refused = self.sync(1)?;
        let after = self.at_the_hub(async |admin| admin.status().await)?;
        self.say("demo-lost", &[("name", SECOND.into())])?;
        let kept = self.with(1, |phone| phone.incidents(None, 10))?.len();
        let held = after.quarantine == before.quarantine + 1
            && after.incidents == before.incidents
            && after.revoked == before.revoked + 1
            && refused.verdict != Verdict::UpToDate
            && kept == 1;
        self.prove("lost", held, "demo-proof-lost", &[]);
        Ok(())
    }

    fn check_chains(&mut self) -> Result<()> {
        let mut held = true;
        let mut verified = 0;
        for number in 0..self.phones.len() {
            let report = self.with(number, Phone::check)?;
            held &= report.faults.is_empty() && report.verified > 0;
            verified += report.verified;
        }
        let hub = self.at_the_hub(async |admin| admin.check().await)?;
        held &= hub.ok && hub.entries > 0;
        self.prove("chains", held, "demo-proof-chains", &[("phones", verified.into()), ("hub", hub.entries.into())]);
        Ok(())
    }
}
