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
use crate::fault::{Fault, Result, unreadable};
use crate::files;
use crate::limits::{READ_BYTES, WITNESS_MAX_BYTES};
use crate::output::{Output, clean};
use crate::time::{rfc3339, rfc3339_opt};

/// What stands in the first block of every tar archive, and where it ends.
const TAR_MARK: &[u8] = b"ustar";
const TAR_MARK_END: u64 = 262;

/// Judges the bundle that was named.
pub(crate) fn run(values: Values<'_>, out: &Output) -> Result<()> {
    let path = values.need_path("bundle")?;
    let root = values.text("root").map(|typed| root(typed, out.words)).transpose()?;
    let witness = match values.path("witness")? {
        Some(path) => Some((files::read_bounded(&path, WITNESS_MAX_BYTES, out.words)?, path)),
        None => None,
    };
    let heads = match &witness {
        Some((bytes, path)) => read_statements(bytes).map_err(|_| Fault::usage("error-witness-unreadable").at(path))?,
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
    Err(Fault::usage("error-verify-no-bundle").at(path).with("reason", words.word(why)))
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
    let bytes = files::read_bounded(path, WITNESS_MAX_BYTES, words)?;
    let written = std::str::from_utf8(&bytes).ok().and_then(fingerprint);
    let keys = || Signed::<KeyHistory>::trusted(&bytes).ok().map(|history| root_hash(&history.value.root));
    written.or_else(keys).ok_or_else(|| Fault::usage("error-root-unreadable").told("value", typed))
}

/// 64 hexadecimal digits, however they are grouped.
fn fingerprint(text: &str) -> Option<Hash> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, ':' | '-')).collect();
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?.try_into().ok()
}

fn hex(hash: &Hash) -> String {
    HEXLOWER_PERMISSIVE.encode(hash)
}

fn document(report: &Report) -> Value {
    let item = |line: &Line| {
        json!({
            "id": line.id, "kind": line.kind.code(), "verdict": line.verdict.code(), "reason": line.reason,
            "not_before": rfc3339_opt(line.not_before_ms), "not_after": rfc3339_opt(line.not_after_ms),
        })
    };
    let about = report.about.as_ref();
    json!({
        "verdict": report.verdict.code(), "root": report.root.as_ref().map(hex),
        "commune": about.map(|about| about.commune.to_string()), "hub": about.map(|about| about.hub.as_str()),
        "exported_at": about.map(|about| rfc3339(about.exported_ms)), "purpose": about.map(|about| about.purpose.as_str()),
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
    let kind = words.word(&format!("verify-kind-{}", line.kind.code()));
    let verdict = words.word(&format!("verify-line-{}", line.verdict.code()));
    let mut text = format!("  {mark} {kind} {} · {verdict}", clean(&line.id));
    if line.reason.is_some() {
        text.push_str(": ");
        text.push_str(&reason(line, words));
    }
    let to = line.not_after_ms.map(|ms| words.date_time(ms));
    let times = match (line.not_before_ms.map(|ms| words.date_time(ms)), to) {
        (Some(from), Some(to)) => Some(words.say("verify-times", &[("from", from.into()), ("to", to.into())])),
        (None, Some(to)) => Some(words.say("verify-time-after", &[("to", to.into())])),
        _ => None,
    };
    if let Some(times) = times {
        text.push_str(" · ");
        text.push_str(&times);
    }
    text
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
    let name = |line: &Line| if line.kind == Kind::Bundle { words.word("verify-kind-bundle") } else { clean(&line.id) };
    let why = worst.map(|line| format!("{}: {}", name(line), reason(line, words))).unwrap_or_default();
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
