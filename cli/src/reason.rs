//! Reasons that the hub and the core give in their own words, said in the person's language.
//!
//! They stand in the middle of a sentence. One that is not here is what a library or the system said: it is told as
//! theirs, in quotes, which is better than nothing and does not pretend to be ours.

use jiff::Timestamp;
use yenban_locales::{Arg, Words};

use crate::fault::io_reason;

/// What is told by the inner layers, and its words. `{name}` stands for a value that the words repeat.
const REASONS: &[(&str, &str)] = &[
    ("is empty", "reason-empty"),
    ("has control characters", "reason-control"),
    ("is too long", "reason-too-long"),
    ("is longer than {limit} characters", "reason-longer"),
    ("is between one second and 30 days", "reason-life"),
    ("is between now and six months from now; a hold can be renewed", "reason-hold-life"),
    ("has no way into the console", "reason-no-account"),
    ("has the form host:port", "reason-address"),
    ("the hub listens on every address of this machine: say with --address which one phones reach", "reason-address-any"),
    ("not known: start the hub once, or give --address", "reason-address-none"),
    ("is the officer who sends: it takes two", "reason-second-same"),
    ("is the officer who orders: it takes two", "reason-second-orders"),
    ("is missing: it takes two officers of this hub", "reason-two-officers"),
    ("is one line", "reason-one-line"),
    ("speaks of ethnicity, religion or illness: leave that out, or say with --keep why it stays", "reason-sensitive"),
    ("is one line of at most {limit} characters and says why, or for which case", "reason-case-line"),
    ("is a name of the form log:seq, as `hub list evidence` shows it", "reason-item-name"),
    ("is a name of the form log:seq", "reason-entry-name"),
    ("not a name of the form log:seq", "reason-entry-name"),
    ("is 16 hexadecimal digits, as `hub list devices` shows", "reason-device-name"),
    ("is one of {choices}", "reason-one-of"),
    ("did not arrive whole", "reason-not-whole"),
    ("the file did not come whole", "reason-not-whole"),
    ("is a code of five digits, such as 05200", "reason-commune-code"),
    ("is not in the directory of communes in force since 1 July 2025", "reason-commune-unknown"),
    ("is empty: give the hub a name people know, such as \"Công an xã ...\"", "reason-hub-name"),
    ("members and leaders belong to a hamlet: name it", "reason-hamlet-needed"),
    ("needs the alert it takes back", "reason-cancel-what"),
    ("must name every hamlet that had the alert before", "reason-all-places"),
    ("must be as in the alert before: a drill replaces nothing real", "reason-drill-before"),
    ("is kept in the record of everything exported: say what for", "reason-purpose"),
    ("one bundle: export one incident, or less time", "reason-bundle-large"),
    ("is not the recovery key of this backup", "reason-recovery-other"),
    ("is not the root of this commune", "reason-root-other"),
    ("is not a recovery key: it is the file that `hub init` wrote beside the folder", "reason-recovery-none"),
    ("exists already: it may be the only key to another hub's backups; name another file", "reason-recovery-exists"),
    ("lies in the hub's own folder, where it protects nothing", "reason-recovery-inside"),
    ("is not a backup of a hub", "reason-backup-none"),
    ("the backup is damaged or was cut short", "reason-backup-damaged"),
    ("the backup names a file that no hub has", "reason-backup-damaged"),
    ("exists already: a backup never replaces another", "reason-exists"),
    ("exists already: nothing is written over, choose another name", "reason-exists"),
    ("changed while it was copied; try again", "reason-changed"),
    ("a file changed while it was exported; run `hub check`", "reason-changed-export"),
    ("this is no name of a file", "reason-no-file-name"),
    ("is larger than such a file can be", "reason-too-large"),
    ("no hub here: make one with `yenban hub init`", "reason-no-hub"),
    ("is not empty: choose a folder that does not exist yet", "reason-not-empty"),
    ("is a file: choose a folder that does not exist yet", "reason-is-file"),
    ("has layout {found}, this program knows {known}: use a newer program", "reason-layout"),
    ("the file system cannot keep a write-ahead log; put the hub on a local disk", "reason-file-system"),
    ("is not the identity of a hub; restore a backup", "reason-damaged"),
    ("is damaged; restore a backup", "reason-damaged"),
    ("is damaged", "reason-damaged"),
    ("database disk image is malformed", "reason-damaged"),
    ("its bytes are not those that were hashed", "reason-damaged"),
    ("it was altered or cut", "reason-damaged"),
    ("is not a key of a hub; restore a backup", "reason-key-none"),
    ("it is not a key file", "reason-key-none"),
    ("a rescue of it was interrupted: begin the rescue again", "reason-rescue-begun"),
    ("too many damaged stores are kept here", "reason-rescue-many"),
    ("the spool's wrapped key is missing", "reason-key-lost"),
    ("it does not open with this store's key", "reason-key-other"),
    ("cannot be read with this hub's key: another hub's database, or damaged; restore a backup", "reason-key-other"),
    ("is not a key that the commune root signed; restore a backup", "reason-key-unsigned"),
    ("is missing or empty: restore a backup", "reason-database-lost"),
    ("the file is empty, and a log has begun here", "reason-database-lost"),
    ("it is not encrypted", "reason-not-sealed"),
    ("cannot listen on {address}: {why}", "reason-listen"),
    ("{name} is not what was written", "reason-not-written"),
    ("it is not a file", "reason-no-file"),
    ("the file is empty", "reason-file-empty"),
    ("it is larger than {size} bytes", "reason-larger"),
    ("it is no picture but {format}", "reason-no-picture"),
    ("it has too many chunks", "reason-too-large"),
    ("nobody joins and nobody leaves", "reason-crew"),
    ("a report that is not urgent says what happened", "reason-text-needed"),
    ("there is nothing to add", "reason-nothing"),
    ("it is seen, going, cannot or done", "reason-answer"),
    ("it is unstated, seen, heard or think", "reason-basis"),
    ("too many are under way; finish or cancel them first", "reason-captures"),
    ("at most {limit} are taken in together", "reason-photos-together"),
    ("it is less than 36,000 hundredths of a degree", "reason-heading"),
    ("latitude is within ±90, longitude within ±180 degrees", "reason-place"),
    ("south is below north and west is left of east", "reason-box"),
    ("the phone goes to another member", "reason-same-member"),
    ("this store has begun too many logs", "reason-log-full"),
    ("this log is full", "reason-log-full"),
    ("it has no address", "reason-no-address"),
    ("its link is gone, so what follows cannot be sent", "reason-link-gone"),
    ("sealing it stopped", "reason-sealing"),
    ("there is no kind {typed}; nearest: {choices}", "reason-no-kind"),
    ("its signature is not the hub's", "reason-not-hub-signed"),
    ("the item was destroyed at {at}, because its time was over", "reason-destroyed-expired"),
    ("the item was destroyed at {at} by an order: {order}", "reason-destroyed-ordered"),
    ("the item was destroyed at {at} by an order", "reason-destroyed"),
    ("it answers for another log", "reason-other-log"),
    ("{item}: entries from {first} on are missing before it", "reason-check-before"),
    ("{item}: its link does not follow from its content", "reason-check-link"),
    ("{item}: its file {path} was altered", "reason-check-altered"),
    (
        "the log does not name the sealed file {path}: it is kept, and comes into the log as recovered when its bytes are kept nowhere else",
        "reason-check-unnamed",
    ),
    ("the log does not name the sealed file {path}: it stays, because entries may be lost", "reason-check-unnamed-lost"),
    ("is still being written: take it in when the camera has finished", "reason-growing"),
    ("no capture is under way for the clear file {path}", "reason-check-clear"),
    ("the projections cannot be rebuilt: {why}", "reason-check-rebuild"),
    ("the projection {table} has {rows} rows and differs from a rebuild with {again} rows", "reason-check-projection"),
    ("its schema is not known: {why}", "reason-damaged"),
    ("its enrolment: {why}", "reason-damaged"),
    ("it is longer than {limit} bytes", "reason-too-large"),
    ("a PIN has 6 to 12 digits", "reason-pin-digits"),
    ("all the same or in a row is tried first", "reason-pin-row"),
    ("a short pattern repeated is tried first", "reason-pin-pattern"),
    ("a date or a birth year is tried first", "reason-pin-date"),
    ("spool.db is not a file", "reason-not-spool"),
    ("spool.db is too short for a database", "reason-not-spool"),
    ("spool.db is a plain database, not a sealed one", "reason-not-spool"),
    ("the database belongs to something else", "reason-not-spool"),
];

/// What the inner layers put before a reason, and which adds nothing to it.
const PREFIXES: [&str; 2] = ["too large: ", "not understood: "];

/// The reason in the person's language; the name of a field in front of it is that of its option.
pub(crate) fn said(reason: &str, words: Words) -> String {
    let reason = PREFIXES.iter().find_map(|prefix| reason.strip_prefix(prefix)).unwrap_or(reason);
    if let Some(known) = known(reason, words) {
        return known;
    }
    match reason.split_once(": ") {
        Some((name, rest)) if option(name).is_some() => match known(rest, words) {
            Some(known) => format!("{} {known}", named(name, words)),
            None => foreign(reason, words),
        },
        Some((path, rest)) if path.starts_with('/') => format!("{path}: {}", known(rest, words).unwrap_or_else(|| foreign(rest, words))),
        _ => foreign(reason, words),
    }
}

/// One line of what a check found wrong: a name, then what is wrong with it.
pub(crate) fn found(line: &str, words: Words) -> String {
    match (known(line, words), line.split_once(": ")) {
        (Some(known), _) => known,
        (None, Some((name, rest))) => format!("{name}: {}", known(rest, words).unwrap_or_else(|| foreign(rest, words))),
        (None, None) => foreign(line, words),
    }
}

/// A refusal by its code; what was told with it only where the code is a stranger.
pub(crate) fn refused(code: &str, detail: &str, words: Words) -> String {
    let id = format!("why-{}", code.replace('_', "-"));
    if words.has(&id) { words.word(&id) } else { said(detail, words) }
}

/// A refusal as it is kept: its code, then what was told.
pub(crate) fn kept(reason: &str, words: Words) -> String {
    match reason.split_once(": ") {
        Some((code, detail)) => refused(code, detail, words),
        None => refused(reason, reason, words),
    }
}

/// The name of a part of a thing, or of a thing, as the core calls it.
pub(crate) fn field(name: &str, words: Words) -> String {
    let id = format!("field-{}", name.replace(' ', "-"));
    if words.has(&id) { words.word(&id) } else { name.to_owned() }
}

/// A code (a role, a state, a sort) as people say it.
pub(crate) fn code(sort: &str, code: &str, words: Words) -> String {
    let slug: String = code.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let id = format!("code-{sort}-{slug}");
    if words.has(&id) { words.word(&id) } else { code.to_owned() }
}

/// The option that gives a field of the hub, if it looks like one.
fn option(name: &str) -> Option<&str> {
    name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-').then_some(name)
}

fn named(name: &str, words: Words) -> String {
    match name {
        "id" => words.word("field-item"),
        "reason" => words.word("field-reason"),
        "until" => "--for".to_owned(),
        name => format!("--{name}"),
    }
}

/// What others said: what the system said has words, anything else is quoted.
fn foreign(said: &str, words: Words) -> String {
    let number = said.rsplit_once("(os error ").and_then(|(_, rest)| rest.strip_suffix(')')?.parse().ok());
    match number {
        Some(number) => io_reason(&std::io::Error::from_raw_os_error(number), words),
        None => words.say("reason-foreign", &[("said", said.into())]),
    }
}

fn known(reason: &str, words: Words) -> Option<String> {
    REASONS.iter().find_map(|(pattern, id)| {
        let values = values_of(pattern, reason)?;
        let values: Vec<(&str, Arg<'_>)> = values.into_iter().map(|(name, value)| (name, told(name, value, words))).collect();
        Some(words.say(id, &values))
    })
}

/// A value of a reason as people say it, by its name in the pattern.
fn told(name: &str, value: &str, words: Words) -> Arg<'static> {
    match (name, value.parse::<u32>()) {
        ("file" | "state" | "format", _) => code(name, value, words).into(),
        ("size", Ok(bytes)) => words.size(bytes.into()).into(),
        ("order", _) => value.to_owned().into(),
        ("at", _) => value.parse::<Timestamp>().map_or_else(|_| value.to_owned(), |at| words.date_time(at.as_millisecond())).into(),
        ("why", _) => known(value, words).unwrap_or_else(|| foreign(value, words)).into(),
        (_, Ok(number)) => number.into(),
        _ => value.to_owned().into(),
    }
}

/// The values of a pattern in a text that has its form.
fn values_of<'p, 't>(pattern: &'p str, text: &'t str) -> Option<Vec<(&'p str, &'t str)>> {
    let mut values = Vec::new();
    let (first, mut pattern) = pattern.split_once('{').map_or((pattern, None), |(first, rest)| (first, Some(rest)));
    let mut text = text.strip_prefix(first)?;
    while let Some(rest) = pattern {
        let (name, after) = rest.split_once('}')?;
        let (literal, next) = after.split_once('{').map_or((after, None), |(literal, next)| (literal, Some(next)));
        // The last value takes everything, unless something stands behind it.
        let end = if literal.is_empty() { text.len() } else { text.find(literal)? };
        values.push((name, &text[..end]));
        text = &text[end + literal.len()..];
        pattern = next;
    }
    text.is_empty().then_some(values)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use yenban_locales::Lang;

    const VI: fn() -> Words = || Words::new(Lang::Vi);

    #[test]
    fn every_reason_has_its_words() {
        for lang in [Lang::Vi, Lang::En] {
            for (pattern, id) in REASONS {
                assert!(Words::new(lang).has(id), "{id}");
                let text = pattern.replace(['{', '}'], "");
                let told = known(&text, Words::new(lang)).unwrap_or_else(|| panic!("{pattern}"));
                assert!(!told.contains("{ $") && !told.contains("{$"), "{pattern}: {told}");
            }
        }
    }

    #[test]
    fn fields_are_told_as_options_and_strangers_in_quotes() {
        assert_eq!(said("headline: is longer than 200 characters", VI()), "--headline dài quá 200 chữ");
        assert_eq!(said("address: has the form host:port", VI()), "--address viết theo dạng MÁY:CỔNG, như 192.168.1.10:8443");
        assert_eq!(said("until: is between now and six months from now; a hold can be renewed", VI()).split(' ').next(), Some("--for"));
        assert_eq!(said("a: new: reason", VI()), "chương trình báo “a: new: reason”");
        assert_eq!(said("too large: one bundle: export one incident, or less time", VI()), VI().word("reason-bundle-large"));
    }

    #[test]
    fn values_are_told_as_people_say_them() {
        assert_eq!(said("it is no picture but SVG", VI()), "đây là tệp SVG, không phải ảnh");
        assert_eq!(said("it is no picture but script", VI()), "đây là tệp đoạn lệnh, không phải ảnh");
        assert_eq!(said("it is larger than 268435456 bytes", VI()), "lớn hơn 268,4 MB");
        assert_eq!(said("/no/b: No such file or directory (os error 2)", VI()), "/no/b: không có");
        assert_eq!(
            said("cannot listen on 1.2.3.4:1: Permission denied (os error 13)", VI()),
            "không nghe được ở 1.2.3.4:1: không được phép"
        );
        let at = "2026-11-22T21:52:00+07:00";
        let destroyed = |why: &str| said(&format!("the item was destroyed at {at}{why}"), VI());
        assert_eq!(destroyed(" by an order: 015"), "hủy lúc 22/11/2026 21:52 theo quyết định: 015");
        assert_eq!(destroyed(" by an order"), "hủy lúc 22/11/2026 21:52 theo quyết định");
        assert_eq!(destroyed(", because its time was over"), "hủy lúc 22/11/2026 21:52 vì hết thời hạn giữ");
        assert_eq!(found("0a:7: entries from 3 on are missing before it", VI()), "0a:7: thiếu các mục từ 3 tới trước nó");
        assert_eq!(found("0a:7: open photo x: No such file or directory (os error 2)", VI()), "0a:7: không có");
    }

    #[test]
    fn refusals_are_told_by_their_code() {
        assert_eq!(kept("storage_full: the hub has no room", VI()), "máy xã hết chỗ cho tệp");
        assert_eq!(refused("new_code", "is empty", VI()), "là trống");
        assert_eq!(code("action", "enrol refused: token used", VI()), "từ chối mã vào tổ đã dùng");
        assert_eq!(code("state", "something new", VI()), "something new");
    }

    /// Sources of the inner layers without tests, the console (which has its own words) and the server (which speaks to
    /// programs).
    fn inner_sources() -> Vec<(PathBuf, String)> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut open = vec![workspace.join("hub/src"), workspace.join("core/src")];
        let mut sources = Vec::new();
        while let Some(folder) = open.pop() {
            for item in std::fs::read_dir(folder).unwrap() {
                let path = item.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if path.is_dir() {
                    if !["console", "server", "tests"].contains(&name.as_str()) {
                        open.push(path);
                    }
                } else if name.ends_with(".rs") && !name.contains("test") && !name.contains("conformance") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    sources.push((path, text.split("#[cfg(test)]").next().unwrap().to_owned()));
                }
            }
        }
        sources
    }

    /// The string literals of the call that begins at `text`.
    fn literals(text: &str) -> Vec<String> {
        let (mut found, mut depth, mut chars) = (Vec::new(), 1, text.chars());
        while let Some(c) = chars.next() {
            match c {
                '(' | '{' => depth += 1,
                ')' | '}' | ';' if depth == 1 => break,
                ')' | '}' => depth -= 1,
                '"' => {
                    let mut literal = String::new();
                    while let Some(c) = chars.next().filter(|c| *c != '"') {
                        literal.push(if c == '\\' { chars.next().unwrap_or_default() } else { c });
                    }
                    found.push(literal);
                }
                _ => {}
            }
        }
        found
    }

    #[test]
    fn every_reason_of_hub_and_core_can_be_said() {
        let mut silent = Vec::new();
        let mut seen = 0;
        for (path, text) in inner_sources() {
            // The last literal is the reason; one that stands before it names the field.
            for call in [" invalid(", "Error::invalid(", "HubError::folder(", "Refusal::Invalid {", "refuse(\"", "StoreDamaged {"] {
                for (at, _) in text.match_indices(call) {
                    let start = at + call.trim_end_matches('"').len();
                    let all = literals(&text[start..]);
                    // One literal in front is the field: the reason is computed.
                    let Some(reason) = all.last().filter(|_| all.len() > 1 || !text[start..].starts_with('"')) else { continue };
                    seen += 1;
                    if known(reason, VI()).is_none() && reason.contains(' ') && reason != ", " {
                        silent.push(format!("{}: {reason}", path.display()));
                    }
                }
            }
            let refusals = if path.ends_with("hub/src/error.rs") { text.match_indices(" => \"").collect() } else { Vec::new() };
            for (at, call) in text.match_indices("Reason::new(\"").chain(refusals) {
                let code = text[at + call.len()..].split('"').next().unwrap();
                // The titles of a problem document stand there too.
                if code.starts_with(char::is_uppercase) {
                    continue;
                }
                if !VI().has(&format!("why-{}", code.replace('_', "-"))) {
                    silent.push(format!("{}: code {code}", path.display()));
                }
            }
        }
        assert!(seen > 60, "{seen}");
        assert!(silent.is_empty(), "these have no words in locales/*/reasons.ftl or codes.ftl:\n{}", silent.join("\n"));
    }
}
