//! Reasons that the hub and the core give in their own words, said in the person's language.
//!
//! They stand in the middle of a sentence. One that is not here is told as it came: better than none.

use yenban_locales::Words;

/// What is told by the inner layers, and its words.
const REASONS: &[(&str, &str)] = &[
    ("is empty", "reason-empty"),
    ("has control characters", "reason-control"),
    ("is too long", "reason-too-long"),
    ("is between one second and 30 days", "reason-life"),
    ("has the form host:port", "reason-address"),
    ("the hub listens on every address of this machine: say with --address which one phones reach", "reason-address-any"),
    ("is the officer who sends: it takes two", "reason-second-same"),
    ("is one line", "reason-one-line"),
    ("is not the recovery key of this backup", "reason-recovery-other"),
    ("is not a recovery key: it is the file that `hub init` wrote beside the folder", "reason-recovery-none"),
    ("exists already: it may be the only key to another hub's backups; name another file", "reason-recovery-exists"),
    ("lies in the hub's own folder, where it protects nothing", "reason-recovery-inside"),
    ("is not a backup of a hub", "reason-backup-none"),
    ("the backup is damaged or was cut short", "reason-backup-damaged"),
    ("is not the identity of a hub; restore a backup", "reason-damaged"),
    ("is damaged; restore a backup", "reason-damaged"),
    ("is damaged", "reason-damaged"),
    ("is not a key of a hub; restore a backup", "reason-key-none"),
    ("it is not a key file", "reason-key-none"),
    ("the spool's wrapped key is missing", "reason-key-lost"),
    ("it does not open with this store's key", "reason-key-other"),
    ("is not a key that the commune root signed; restore a backup", "reason-key-unsigned"),
    ("cannot be read with this hub's key: another hub's database, or damaged; restore a backup", "reason-key-other"),
    ("is missing or empty: restore a backup", "reason-database-lost"),
    ("database disk image is malformed", "reason-damaged"),
];

/// How a text that is too long is told by the hub, around the number.
const LONGER: (&str, &str) = ("is longer than ", " characters");

/// The reason in the person's language; the name of a field in front of it is that of its option.
pub(crate) fn said(reason: &str, words: Words) -> String {
    if let Some(known) = known(reason, words) {
        return known;
    }
    match reason.split_once(": ").map(|(field, rest)| (field, known(rest, words))) {
        Some((field, Some(known))) => format!("--{field} {known}"),
        _ => reason.to_owned(),
    }
}

fn known(reason: &str, words: Words) -> Option<String> {
    if let Some(limit) = reason.strip_prefix(LONGER.0).and_then(|rest| rest.strip_suffix(LONGER.1)) {
        return Some(words.say("reason-longer", &[("limit", limit.into())]));
    }
    REASONS.iter().find(|(inner, _)| *inner == reason).map(|(_, id)| words.word(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use yenban_locales::Lang;

    #[test]
    fn every_reason_has_its_words() {
        for lang in [Lang::Vi, Lang::En] {
            for (_, id) in REASONS {
                assert!(Words::new(lang).has(id), "{id}");
            }
        }
    }

    #[test]
    fn fields_are_told_as_options_and_strangers_as_they_came() {
        let words = Words::new(Lang::Vi);
        assert_eq!(said("headline: is longer than 200 characters", words), "--headline dài quá 200 chữ");
        assert_eq!(said("address: has the form host:port", words), "--address viết theo dạng MÁY:CỔNG, như 192.168.1.10:8443");
        assert_eq!(said("a: new: reason", words), "a: new: reason");
    }
}
