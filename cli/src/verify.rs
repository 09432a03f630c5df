//! `yenban verify`: an evidence bundle is read once, from its first byte to its last, and judged. No hub, no network, no
//! database; nothing is written.

use std::io::Read;
use std::path::Path;

use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::{Value, json};
use yenban_hub::keys::HubVerifier;
use yenban_locales::{Lang, Words};
use yenban_protocol::bundle::tar::{Contents, Scanner};
use yenban_protocol::bundle::{Kind, Line, Report, Trust, Verdict, judge, read_statements};
use yenban_protocol::crypto::Hash;
use yenban_protocol::keys::{KeyHistory, root_hash};
use yenban_protocol::signed::Signed;

use crate::args::Values;
use crate::fault::{Exit, Fault, Result, unreadable};
use crate::files;
use crate::limits::{READ_BYTES, WITNESS_MAX_BYTES};
use crate::output::{Output, clean};
use crate::time::rfc3339;

/// What stands in the first block of every tar archive, and where it ends.
const TAR_MARK: &[u8] = b"ustar";
const TAR_MARK_END: u64 = 262;

/// Judges the bundle that was named.
pub(crate) fn run(values: Values<'_>, out: &Output) -> Result<()> {
    let path = values.need_path("bundle")?;
    let root = values.text("root").map(|typed| root(typed, out.words)).transpose()?;
    let witness = match values.path("witness")? {
        Some(path) => Some((given(&path, out.words)?, path)),
        None => None,
    };
    let heads = match &witness {
        Some((bytes, path)) => read_statements(bytes).map_err(|_| Fault::could_not("error-witness-unreadable").at(path))?,
        None => Vec::new(),
    };
    look_at(&path, out.words)?;
    let (_, report) = judged(&path, root, &heads, out)?;
    out.document(&document(&report))?;
    // A sentence says it all where there is nothing to go through item by item.
    if report.verdict <= Verdict::Erased || !is_none(&path, &report) {
        tell(&report, root.is_some(), !heads.is_empty(), out)?;
    }
    ended(&report, &path, out.words)
}

/// What a bundle holds, and the verdict on it under the root that is trusted, with the heads that a witness kept.
pub(crate) fn judged(path: &Path, root: Option<Hash>, heads: &[&[u8]], out: &Output) -> Result<(Contents, Report)> {
    let contents = scan(path, out)?.finish();
    let report = judge(&contents, Trust { root, witness: heads }, &HubVerifier::default());
    Ok((contents, report))
}

/// Refuses what is surely no bundle before a byte of it is read: a folder, a pipe, a device.
fn look_at(path: &Path, words: Words) -> Result<()> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error, words))?;
    let why = match (metadata.is_dir(), metadata.is_file()) {
        (_, true) => return Ok(()),
        (true, _) => "error-io-folder",
        (false, false) => "error-io-no-file",
    };
    Err(Fault::could_not("error-verify-no-bundle").at(path).with("reason", words.word(why)))
}

/// A file that is given beside the bundle. One that cannot be used ends the command as one that cannot be read does.
fn given(path: &Path, words: Words) -> Result<Vec<u8>> {
    files::read_bounded(path, WITNESS_MAX_BYTES, words).map_err(|mut fault| {
        fault.exit = Exit::Could;
        fault
    })
}

/// Whether the file is something else, not a bundle that was changed: nothing in it was recognised, and it does not
/// begin as a tar archive does either.
fn is_none(path: &Path, report: &Report) -> bool {
    let nothing = report.root.is_none() && report.about.is_none() && report.lines.iter().all(|line| line.kind == Kind::Bundle);
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(TAR_MARK_END).read_to_end(&mut start));
    nothing && read.is_ok() && !start.ends_with(TAR_MARK)
}

/// Reads a bundle once, from its first byte to its last.
fn scan(path: &Path, out: &Output) -> Result<Scanner> {
    let mut file = files::open(path, out.words)?;
    let progress = out.progress();
    let mut scanner = Scanner::default();
    let (mut buffer, mut read_bytes) = (vec![0; READ_BYTES], 0);
    while !scanner.is_over() {
        let n = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(path, &error, out.words)),
        };
        scanner.feed(&buffer[..n]);
        read_bytes += n as u64;
        progress.step(|| out.words.say("verify-progress", &[("size", out.words.size(read_bytes).into())]));
    }
    Ok(scanner)
}

/// The root that the person trusts: a fingerprint, or a file with a fingerprint or a commune's keys.
fn root(typed: &str, words: Words) -> Result<Hash> {
    if let Some(hash) = fingerprint(typed) {
        return Ok(hash);
    }
    let path = Path::new(typed);
    let bytes = given(path, words)?;
    let written = std::str::from_utf8(&bytes).ok().and_then(fingerprint);
    let keys = || Signed::<KeyHistory>::trusted(&bytes).ok().map(|history| root_hash(&history.value.root));
    written.or_else(keys).ok_or_else(|| Fault::could_not("error-root-unreadable").told("value", typed))
}

/// 64 hexadecimal digits, however they are grouped.
fn fingerprint(text: &str) -> Option<Hash> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, ':' | '-')).collect();
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?.try_into().ok()
}

fn hex(hash: &Hash) -> String {
    HEXLOWER_PERMISSIVE.encode(hash)
}

/// A time that whoever signed may have made up: `None` outside of the years 1 to 9998, as docs/EVIDENCE.md says.
fn moment(time_ms: i64) -> Option<String> {
    const YEARS_MS: std::ops::Range<i64> = -62_135_596_800_000..253_370_764_800_000;
    YEARS_MS.contains(&time_ms).then(|| rfc3339(time_ms))
}

fn document(report: &Report) -> Value {
    let item = |line: &Line| {
        json!({
            "id": line.id, "kind": line.kind.code(), "verdict": line.verdict.code(), "reason": line.reason,
            "not_before": line.not_before_ms.and_then(moment), "not_after": line.not_after_ms.and_then(moment),
        })
    };
    let about = report.about.as_ref();
    json!({
        "verdict": report.verdict.code(), "root": report.root.as_ref().map(hex),
        "commune": about.map(|about| about.commune.to_string()), "hub": about.map(|about| about.hub.as_str()),
        "exported_at": about.and_then(|about| moment(about.exported_ms)), "purpose": about.map(|about| about.purpose.as_str()),
        "items": report.lines.iter().map(item).collect::<Vec<_>>(),
    })
}

fn reason(line: &Line, words: Words) -> String {
    line.reason.map(|code| words.word(&format!("verify-reason-{}", code.replace('_', "-")))).unwrap_or_default()
}

fn tell(report: &Report, compared: bool, witnessed: bool, out: &Output) -> Result<()> {
    let words = out.words;
    out.line(&words.word(&format!("verify-verdict-{}", report.verdict.code())))?;
    if let Some(about) = &report.about {
        let figures = [
            ("hub", clean(&about.hub).into()),
            ("commune", about.commune.to_string().into()),
            ("at", words.date_time(about.exported_ms).into()),
            ("purpose", purpose(&about.purpose, words).into()),
        ];
        out.say("verify-about", &figures)?;
    }
    if let Some(root) = &report.root {
        let other = report.lines.iter().any(|line| line.reason == Some("other_root"));
        let id = match (compared, other) {
            (false, _) => "verify-under-root-unknown",
            (true, false) => "verify-under-root",
            (true, true) => "verify-under-root-other",
        };
        out.say(id, &[("root", hex(root).into())])?;
    }
    let photos = || report.lines.iter().filter(|line| line.kind == Kind::Photo);
    let intact = photos().filter(|line| line.verdict == Verdict::Intact).count();
    out.say("verify-figures", &[("photos", photos().count().into()), ("intact", intact.into())])?;
    for line in report.lines.iter().filter(|line| line.kind == Kind::Photo || line.verdict > Verdict::Intact) {
        out.line(&told(line, words))?;
    }
    if !witnessed && report.about.is_some() {
        out.say("verify-witness-none", &[])?;
    }
    Ok(())
}

/// What the export was for; that nobody said is told in the reader's language.
fn purpose(purpose: &str, words: Words) -> String {
    if purpose == Words::new(Lang::Vi).word("cli-purpose-none") { words.word("cli-purpose-none") } else { clean(purpose) }
}

fn told(line: &Line, words: Words) -> String {
    let mark = match line.verdict {
        Verdict::Intact => "✓",
        Verdict::Erased => "◌",
        Verdict::Incomplete => "!",
        Verdict::Altered => "✗",
    };
    let verdict = words.word(&format!("verify-line-{}", line.verdict.code()));
    let mut text = format!("  {mark} {} · {verdict}", name(line, words));
    if line.reason.is_some() {
        text.push_str(": ");
        text.push_str(&reason(line, words));
    }
    let to = line.not_after_ms.map(|ms| words.date_time_seconds(ms));
    let times = match (line.not_before_ms.map(|ms| words.date_time_seconds(ms)), to) {
        (Some(from), Some(to)) => Some(words.say("verify-times", &[("from", from.into()), ("to", to.into())])),
        (None, Some(to)) => Some(words.say("verify-time-after", &[("to", to.into())])),
        _ => None,
    };
    // They are those of the bytes that were signed, which an altered photograph is not.
    let times = match line.verdict {
        Verdict::Altered => times.map(|times| words.say("verify-times-signed", &[("times", times.into())])),
        _ => times,
    };
    if let Some(times) = times {
        text.push_str(" · ");
        text.push_str(&times);
    }
    text
}

/// What a line is about. There is one bundle and one list of heads: their kind says it all.
fn name(line: &Line, words: Words) -> String {
    let kind = words.word(&format!("verify-kind-{}", line.kind.code()));
    if matches!(line.kind, Kind::Bundle | Kind::Custody) { kind } else { format!("{kind} {}", clean(&line.id)) }
}

/// The sentence and the exit code: erased in order is no fault of the bundle.
fn ended(report: &Report, path: &Path, words: Words) -> Result<()> {
    if report.verdict <= Verdict::Erased {
        return Ok(());
    }
    let worst = report.lines.iter().find(|line| line.verdict == report.verdict);
    if is_none(path, report) {
        let empty = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0);
        let why = if empty { words.word("reason-file-empty") } else { worst.map(|line| reason(line, words)).unwrap_or_default() };
        return Err(Fault::no("error-verify-no-bundle").at(path).with("reason", why).coded(report.verdict.code()));
    }
    let id = if report.verdict == Verdict::Altered { "error-verify-altered" } else { "error-verify-incomplete" };
    let why = worst.map(|line| format!("{}: {}", name(line, words), reason(line, words))).unwrap_or_default();
    let advice = words.word(advice(worst.and_then(|line| line.reason), report.verdict));
    Err(Fault::no(id).at(path).with("reason", why).with("advice", advice).coded(report.verdict.code()))
}

/// What to do about the worst line. Asking for the same file again helps only where this copy of it lacks something
/// that the hub gave out.
fn advice(reason: Option<&str>, verdict: Verdict) -> &'static str {
    match (reason.unwrap_or_default(), verdict) {
        ("altered_at_hub" | "missing_at_hub", _) => "verify-advice-at-hub",
        ("not_received" | "attachments", _) => "verify-advice-not-yet",
        ("restored", _) => "verify-advice-restored",
        ("other_root", _) => "verify-advice-root",
        ("witness", _) => "verify-advice-witness",
        (_, Verdict::Altered) => "verify-advice-altered",
        _ => "verify-advice-incomplete",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: Kind, id: &str, verdict: Verdict, reason: &'static str) -> Line {
        Line { id: id.to_owned(), kind, verdict, reason: Some(reason), not_before_ms: Some(0), not_after_ms: Some(1_795_359_123_999) }
    }

    #[test]
    fn the_bundle_and_its_heads_are_named_once() {
        let say = |line: &Line, lang| super::told(&Line { not_after_ms: None, ..line.clone() }, Words::new(lang));
        let bundle = line(Kind::Bundle, "bundle", Verdict::Altered, "manifest");
        assert_eq!(say(&bundle, Lang::Vi), "  ✗ Cả gói · bị thay đổi: bản kê không do máy xã ký");
        assert_eq!(say(&bundle, Lang::En), "  ✗ Whole bundle · altered: the manifest is not signed by the hub");
        let heads = line(Kind::Custody, "heads", Verdict::Altered, "head");
        assert_eq!(say(&heads, Lang::Vi), "  ✗ Bản ký sổ lưu giữ · bị thay đổi: chữ ký không đúng");
    }

    #[test]
    fn times_beyond_the_calendar_are_not_told() {
        assert_eq!(moment(-62_135_596_800_000).as_deref(), Some("0001-01-01T00:00:00.000Z"));
        assert_eq!(moment(253_370_764_799_999).as_deref(), Some("9998-12-31T23:59:59.999Z"));
        assert_eq!([i64::MIN, -62_135_596_800_001, 253_370_764_800_000, i64::MAX].map(moment), [None, None, None, None]);
    }

    #[test]
    fn times_have_seconds_and_are_not_told_of_altered_bytes() {
        let say = |verdict, reason| super::told(&line(Kind::Photo, "a:1", verdict, reason), Words::new(Lang::Vi));
        let times = "có trên thiết bị sau 01/01/1970 07:00:00, tới máy xã trước 22/11/2026 21:52:03 (giờ VN)";
        assert!(say(Verdict::Erased, "parts_erased").ends_with(&format!(" · {times}")));
        assert!(say(Verdict::Altered, "bytes").ends_with(&format!(" · ảnh đã được ký, không phải những byte này: {times}")));
    }
}
