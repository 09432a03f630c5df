//! The rules that turn what was found in a bundle into verdicts, line by line, as docs/EVIDENCE.md numbers them.
//!
//! Everything in a bundle may have been made by an adversary who knows these rules: nothing is believed that a
//! signature under the commune's root does not reach, every rule is total, and no order of members or claims of
//! length can make it cost more than the bounds of [`crate::limits`].

mod custody;
mod files;
mod logs;
mod photos;

use crate::crypto::{Hash, PublicKey, Verifier};
use crate::error::Error;
use crate::id::{CommuneCode, Epoch, KeyId};
use crate::keys::{KeyHistory, root_hash};
use crate::signed::{Signed, Statement};

use super::tar::{Contents, End, Member};
use super::{KEYS, MANIFEST, Manifest};

/// What was found, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// As it was signed.
    Intact,
    /// Removed in order, and the record of that is whole.
    Erased,
    /// Something is not there.
    Incomplete,
    /// Something differs from what was signed.
    Altered,
}

impl Verdict {
    /// The word of JSON.
    pub fn code(self) -> &'static str {
        match self {
            Verdict::Intact => "intact",
            Verdict::Erased => "erased",
            Verdict::Incomplete => "incomplete",
            Verdict::Altered => "altered",
        }
    }
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The bundle as a whole.
    Bundle,
    /// A member that belongs to no single photograph or log.
    File,
    /// The heads over all custody chains.
    Custody,
    /// A log.
    Log,
    /// An incident.
    Incident,
    /// A photograph.
    Photo,
    /// A smaller copy.
    Copy,
}

impl Kind {
    /// The word of JSON.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Bundle => "bundle",
            Kind::File => "file",
            Kind::Custody => "custody",
            Kind::Log => "log",
            Kind::Incident => "incident",
            Kind::Photo => "photo",
            Kind::Copy => "copy",
        }
    }
}

/// One line of the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is about, by name.
    pub id: String,
    /// What kind of thing that is.
    pub kind: Kind,
    /// The worst that was found.
    pub verdict: Verdict,
    /// The first reason of that verdict, as a code; `None` when intact.
    pub reason: Option<&'static str>,
    /// The device vouched for it after this hub time, ms (photographs only).
    pub not_before_ms: Option<i64>,
    /// The hub had it at this hub time, ms (photographs only).
    pub not_after_ms: Option<i64>,
}

/// What the signed manifest says of the bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The commune.
    pub commune: CommuneCode,
    /// The hub's name.
    pub hub: String,
    /// The life of the hub's database.
    pub epoch: Epoch,
    /// When it was exported, hub time, ms.
    pub exported_ms: i64,
    /// For which purpose.
    pub purpose: String,
}

/// A whole verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The worst of all lines.
    pub verdict: Verdict,
    /// Fingerprint of the root under which this holds, once its signature was found good.
    pub root: Option<Hash>,
    /// What the manifest says, once its signature was found good.
    pub about: Option<About>,
    /// The lines, in the order of docs/EVIDENCE.md.
    pub lines: Vec<Line>,
}

/// What the one who verifies knows from elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trust<'a> {
    /// Fingerprint of the commune's root ([`root_hash`]).
    pub root: Option<Hash>,
    /// Heads of custody that somebody else kept, each a signed feed item.
    pub witness: &'a [&'a [u8]],
}

/// Findings of one line: the worst, and its first reason.
#[derive(Debug, Clone, Copy)]
struct Findings {
    worst: Verdict,
    reason: Option<&'static str>,
}

impl Default for Findings {
    fn default() -> Self {
        Self { worst: Verdict::Intact, reason: None }
    }
}

impl Findings {
    fn add(&mut self, verdict: Verdict, reason: &'static str) {
        if verdict > self.worst {
            (self.worst, self.reason) = (verdict, Some(reason));
        }
    }

    fn altered(&mut self, reason: &'static str) {
        self.add(Verdict::Altered, reason);
    }

    fn incomplete(&mut self, reason: &'static str) {
        self.add(Verdict::Incomplete, reason);
    }

    fn erased(&mut self, reason: &'static str) {
        self.add(Verdict::Erased, reason);
    }

    /// Neither altered nor incomplete.
    fn is_sound(self) -> bool {
        self.worst < Verdict::Incomplete
    }

    fn line(self, id: impl Into<String>, kind: Kind) -> Line {
        Line { id: id.into(), kind, verdict: self.worst, reason: self.reason, not_before_ms: None, not_after_ms: None }
    }
}

/// How a member stands to the manifest.
enum Standing<'a> {
    /// There, and not listed.
    NotListed,
    /// Not there, whether it is listed or not.
    Missing,
    Differs,
    Counts(&'a Member),
}

/// What every rule needs.
struct Court<'a> {
    contents: &'a Contents,
    manifest: &'a Manifest,
    history: &'a KeyHistory,
    verifier: &'a dyn Verifier,
}

impl<'a> Court<'a> {
    fn standing(&self, name: &str) -> Standing<'a> {
        let found = self.contents.members.get(name);
        let Some(listed) = self.manifest.file(name) else {
            return if found.is_some() { Standing::NotListed } else { Standing::Missing };
        };
        match found {
            None => Standing::Missing,
            Some(found) if found.size_bytes == listed.size_bytes && found.sha256 == listed.sha256 => Standing::Counts(found),
            Some(_) => Standing::Differs,
        }
    }

    /// The content of a member that counts and is kept.
    fn content(&self, name: &str) -> Option<&'a [u8]> {
        match self.standing(name) {
            Standing::Counts(member) => member.bytes.as_deref(),
            _ => None,
        }
    }

    /// A statement that the hub signed at the time it tells.
    fn by_hub<T: Statement>(&self, bytes: &[u8], time: impl Fn(&T) -> i64) -> Option<T> {
        by_hub(self.history, self.verifier, bytes, time).ok()
    }
}

fn by_hub<T: Statement>(history: &KeyHistory, verifier: &dyn Verifier, bytes: &[u8], time: impl Fn(&T) -> i64) -> Result<T, Error> {
    let key_of = |value: &T, id: KeyId| -> Option<PublicKey> { history.signing_key_at(id, time(value)) };
    Signed::verify(bytes, verifier, key_of).map(|signed| signed.value)
}

/// Judges what was found in a bundle. Never fails: what cannot be understood is a finding.
pub fn judge(contents: &Contents, trust: Trust<'_>, verifier: &dyn Verifier) -> Report {
    let mut bundle = Findings::default();
    match contents.end {
        End::Whole => {}
        End::Cut => bundle.incomplete("cut"),
        End::Form { .. } => bundle.altered("form"),
    }
    let ends = |bundle: Findings, root: Option<Hash>| Report {
        verdict: bundle.worst,
        root,
        about: None,
        lines: vec![bundle.line("bundle", Kind::Bundle)],
    };
    let kept = |name: &str| contents.members.get(name).and_then(|member| member.bytes.as_deref());
    let (manifest, keys) = (kept(MANIFEST), kept(KEYS));
    let (Some(manifest), Some(keys)) = (manifest, keys) else {
        bundle.incomplete(if manifest.is_none() { "manifest_missing" } else { "keys_missing" });
        return ends(bundle, None);
    };
    let Some(history) = good_history(keys, verifier) else {
        bundle.altered("keys");
        return ends(bundle, None);
    };
    let root = root_hash(&history.root);
    if trust.root.is_some_and(|told| told != root) {
        bundle.altered("other_root");
        return ends(bundle, Some(root));
    }
    let manifest = match by_hub(&history, verifier, manifest, |manifest: &Manifest| manifest.exported_ms) {
        Ok(manifest) => manifest,
        Err(error) => {
            bundle.altered(if matches!(error, Error::Version { .. }) { "version" } else { "manifest" });
            return ends(bundle, Some(root));
        }
    };
    if manifest.commune != history.commune {
        bundle.altered("commune");
        return ends(bundle, Some(root));
    }
    let court = Court { contents, manifest: &manifest, history: &history, verifier };
    let mut lines = vec![bundle.line("bundle", Kind::Bundle)];
    judge_members(&court, trust, &mut lines);
    let about = About {
        commune: manifest.commune,
        hub: manifest.hub.clone(),
        epoch: manifest.epoch,
        exported_ms: manifest.exported_ms,
        purpose: manifest.purpose.clone(),
    };
    let verdict = lines.iter().map(|line| line.verdict).max().unwrap_or(Verdict::Altered);
    Report { verdict, root: Some(root), about: Some(about), lines }
}

/// The key history, if the root that it names signed it.
fn good_history(bytes: &[u8], verifier: &dyn Verifier) -> Option<KeyHistory> {
    let root = root_hash(&Signed::<KeyHistory>::trusted(bytes).ok()?.value.root);
    KeyHistory::verify(bytes, verifier, &root).ok().map(|signed| signed.value)
}

fn judge_members(court: &Court<'_>, trust: Trust<'_>, lines: &mut Vec<Line>) {
    let papers = files::judge(court, lines);
    let heads = custody::judge_heads(court, trust.witness, lines);
    let logs = logs::judge(court, &papers.certificates, lines);
    logs::judge_incidents(court, &logs, lines);
    let known = photos::judge(court, &logs, &papers.receipts, &heads, lines);
    photos::judge_copies(court, &logs, &known, lines);
}
