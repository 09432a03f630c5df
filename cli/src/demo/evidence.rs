//! The end of the story: what the hub holds goes into one file, and somebody who trusts neither phone nor hub judges
//! it; then one byte of a photograph is changed, and must be found.

use std::path::{Path, PathBuf};

use yenban_core::sync::SyncStore;
use yenban_hub::exchange::Scope;
use yenban_locales::{Lang, Words};
use yenban_protocol::bundle::tar::Contents;
use yenban_protocol::bundle::{Kind, Report, Verdict, read_statements};
use yenban_protocol::crypto::{Hash, sha256};

use super::Stage;
use super::night::Night;
use crate::fault::{Fault, Result, unreadable, unwritable};
use crate::verify;

const BUNDLE: &str = "bundle.tar";
const ALTERED: &str = "bundle-altered.tar";
/// Bytes of a photograph by which it is found in the bundle.
const PIECE_BYTES: usize = 64;

impl Night<'_> {
    /// Exports everything, verifies it under the root that the phone pinned and the heads that it remembers.
    pub(super) fn verify(&mut self, stage: &Stage) -> Result<()> {
        let bundle = self.dir().join(BUNDLE);
        let scope = Scope { since_ms: None, incident: None };
        // The minute that is made of it is Vietnamese, whatever language the story is told in.
        let purpose = Words::new(Lang::Vi).word("demo-bundle-purpose");
        let written = self.at_the_hub(async |admin| admin.bundle(scope, &bundle, &purpose).await)?;
        // The export's own head reaches the phone with the feed: from now on it is a witness.
        self.sync(0)?;
        let heads = self.with(0, |phone| phone.witness_export())?;
        let size = self.words().size(written.size_bytes);
        self.say("demo-bundle", &[("n", written.originals.into()), ("size", size.into())])?;
        let root = self.with(0, |phone| SyncStore::identity(phone))?.root_hash;
        let (contents, report) = self.judged(&bundle, root, &heads)?;
        let photos = report.lines.iter().filter(|line| line.kind == Kind::Photo && line.verdict == Verdict::Intact).count();
        let same = self.originals_in(&contents, stage)?;
        let n = stage.photos.len();
        let held = report.verdict == Verdict::Intact && photos == n && same == n && !witnessed(&heads)?.is_empty();
        self.prove("verify", held, "demo-proof-verify", &[("n", photos.into())]);
        self.find_a_changed_byte(stage, &bundle, root, &heads)
    }

    fn find_a_changed_byte(&mut self, stage: &Stage, bundle: &Path, root: Hash, heads: &[u8]) -> Result<()> {
        let Some(photo) = stage.photos.first() else { return Ok(()) };
        let piece = self.read(photo)?;
        let piece = piece.get(piece.len() / 2..).map(|rest| &rest[..rest.len().min(PIECE_BYTES)]).unwrap_or_default();
        let mut bytes = self.read(bundle)?;
        let place = bytes.windows(piece.len().max(1)).position(|window| window == piece);
        let altered = self.dir().join(ALTERED);
        if let Some(byte) = place.and_then(|place| bytes.get_mut(place)) {
            *byte ^= 1;
        }
        std::fs::write(&altered, &bytes).map_err(|error| unwritable(&altered, &error, self.words()))?;
        let (_, report) = self.judged(&altered, root, heads)?;
        let found: Vec<_> = report.lines.iter().filter(|line| line.verdict == Verdict::Altered).collect();
        let held = place.is_some() && report.verdict == Verdict::Altered && found.len() == 1 && found[0].kind == Kind::Photo;
        self.say("demo-altered", &[])?;
        self.prove("altered", held, "demo-proof-altered", &[]);
        Ok(())
    }

    fn judged(&self, bundle: &Path, root: Hash, heads: &[u8]) -> Result<(Contents, Report)> {
        verify::judged(bundle, Some(root), &witnessed(heads)?, self.out())
    }

    /// How many of the given photographs lie in the bundle, by the hash of their bytes.
    fn originals_in(&self, contents: &Contents, stage: &Stage) -> Result<usize> {
        let hashes: Vec<Hash> =
            contents.members.iter().filter(|(name, _)| name.starts_with("originals/")).map(|(_, member)| member.sha256).collect();
        let mut found = 0;
        for photo in &stage.photos {
            let hash = sha256(&self.read(photo)?);
            found += usize::from(hashes.contains(&hash));
        }
        Ok(found)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        std::fs::read(path).map_err(|error| unreadable(path, &error, self.words()))
    }

    fn dir(&self) -> PathBuf {
        self.hub_dir().parent().map(Path::to_path_buf).unwrap_or_default()
    }
}

fn witnessed(heads: &[u8]) -> Result<Vec<&[u8]>> {
    read_statements(heads).map_err(|error| Fault::could_not("error-inside").with("reason", error))
}
