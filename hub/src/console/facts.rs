//! Facts of rows as people read them: times with their uncertainty, places with their accuracy, states as shape and
//! word. One place, so that the inbox, the incident and the patrol say the same thing the same way.

use yenban_locales::Words;
use yenban_protocol::text::display_safe;

use crate::exchange::track::millis;
use crate::store::{EvidenceListing, IncidentListing};

/// A moment between two others, with its date: "22/11/2026 21:52", "22/11/2026, khoảng 21:40–21:55".
pub(super) fn between(words: Words, earliest: &str, latest: &str) -> String {
    let (Some(from), Some(to)) = (millis(earliest), millis(latest)) else { return words.word("console-time-unknown") };
    let told = words.between(from, to);
    let same_day = words.date(from) == words.date(to);
    if same_day && words.date_time(from) != words.date_time(to) { format!("{}, {told}", words.date(from)) } else { told }
}

/// A moment: "22/11/2026 21:52".
pub(super) fn moment(words: Words, at: &str) -> String {
    millis(at).map_or_else(|| words.word("console-time-unknown"), |ms| words.date_time(ms))
}

/// Coordinates and accuracy, or that the place is not known.
pub(super) fn place(words: Words, lat: Option<f64>, lon: Option<f64>, accuracy_m: Option<f64>) -> String {
    let (Some(lat), Some(lon)) = (lat, lon) else { return words.word("word-gps-gap") };
    let coordinates = words.coordinates(e7(lat), e7(lon));
    match accuracy_m {
        Some(metres) => format!("{coordinates} · {}", words.say("word-accuracy", &[("distance", words.distance(metres).into())])),
        None => coordinates,
    }
}

/// Lists carry degrees with seven places; on earth they fit 32 bits.
fn e7(degrees: f64) -> i32 {
    (degrees * 1e7).round() as i32
}

/// Name of a person, or that it is not known yet.
pub(super) fn person(words: Words, name: &str, number: u32) -> String {
    if name.trim().is_empty() { words.say("console-member-number", &[("n", number.to_string().into())]) } else { display_safe(name) }
}

/// Name of a hamlet; none stands for the commune.
pub(super) fn hamlet(words: Words, name: &str) -> String {
    if name.trim().is_empty() { words.word("console-commune") } else { display_safe(name) }
}

/// A role, as people call it.
pub(super) fn role(words: Words, role: &str) -> String {
    match role {
        "leader" => words.word("word-group-leader"),
        "officer" => words.word("console-role-officer"),
        "chief" => words.word("console-role-chief"),
        "auditor" => words.word("console-role-auditor"),
        _ => words.word("word-member"),
    }
}

/// Name of a kind of incident; an unknown one from a newer phone is told as such.
pub(super) fn kind(words: Words, code: &str) -> String {
    let id = format!("kind-{code}");
    if code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && words.has(&id) { words.word(&id) } else { words.kind("other") }
}

/// What is here of an incident's photographs: shape first. Photographs that the phone announced and that no entry tells of
/// have a sentence of their own: nobody knows where they are, or that they were ever taken.
pub(super) fn photos(
    words: Words,
    row: &IncidentListing,
    photos: &[EvidenceListing],
    reporter: &str,
    holder: impl Fn(&EvidenceListing) -> String,
) -> String {
    if row.unnamed == 0 {
        return named(words, photos, holder);
    }
    let figures = [("n", row.unnamed.into()), ("all", row.attachments.into()), ("phone", reporter.to_owned().into())];
    let unnamed = words.say("console-photos-unnamed", &figures);
    if photos.is_empty() { unnamed } else { format!("{}. {unnamed}", named(words, photos, holder)) }
}

/// What is here of the photographs that entries tell of, in one sentence.
fn named(words: Words, photos: &[EvidenceListing], holder: impl Fn(&EvidenceListing) -> String) -> String {
    let all = photos.len();
    let count = |state: &str| photos.iter().filter(|photo| photo.state == state).count();
    let (here, erased, altered) = (count("verified"), count("erased"), count("altered"));
    if all == 0 {
        return words.word("console-no-photos");
    }
    let part = |id: &str, n: usize| (n > 0).then(|| words.say(id, &[("n", n.into()), ("all", all.into())]));
    let away: Vec<&EvidenceListing> =
        photos.iter().filter(|photo| !["verified", "erased", "altered"].contains(&photo.state.as_str())).collect();
    let mut phones: Vec<String> = away.iter().map(|photo| holder(photo)).collect();
    phones.sort();
    phones.dedup();
    let missing = words.say("console-photos-missing", &[("n", away.len().into()), ("phone", phones.join(", ").into())]);
    let parts = [
        part("console-photos-altered", altered),
        (!away.is_empty()).then_some(missing),
        part("console-photos-here", here),
        part("console-photos-erased", erased),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The state of one photograph.
pub(super) fn photo_state(words: Words, state: &str) -> String {
    match state {
        "verified" => words.word("console-photo-verified"),
        "partial" => words.word("console-photo-partial"),
        "missing" => words.word("console-photo-missing"),
        "altered" => words.word("console-photo-altered"),
        "erased" => words.word("console-photo-erased"),
        _ => words.word("console-photo-expected"),
    }
}

/// Shape of an incident in lists: a template's word for its symbol.
pub(super) fn incident_shape(row: &IncidentListing) -> &'static str {
    if row.urgent { "octagon" } else { "square" }
}

/// That so far only a message tells of an incident.
pub(super) fn by_message(words: Words, row: &IncidentListing) -> Option<String> {
    match row.report.as_str() {
        "to_come" => Some(words.word("console-sms-to-come")),
        "contradicted" => Some(words.word("console-sms-contradicted")),
        _ => None,
    }
}

/// CAP's severity as shape and word.
pub(super) fn severity(words: Words, code: &str) -> (&'static str, String) {
    match code {
        "Extreme" => ("octagon", words.word("word-severity-extreme")),
        "Severe" => ("triangle", words.word("word-severity-severe")),
        "Moderate" => ("square", words.word("word-severity-moderate")),
        "Minor" => ("circle", words.word("word-severity-minor")),
        _ => ("dashed", words.word("word-severity-unknown")),
    }
}

/// A device by its short name: the first four digits, as phones show it.
pub(super) fn short_device(device: &str) -> &str {
    device.get(..4).unwrap_or(device)
}

#[cfg(test)]
mod tests {
    use yenban_locales::Lang;

    use super::*;

    const VI: fn() -> Words = || Words::new(Lang::Vi);

    #[test]
    fn times_carry_their_date_and_their_doubt() {
        let at = |time: &str| format!("2026-11-22T{time}+07:00");
        assert_eq!(between(VI(), &at("21:52:01"), &at("21:52:59")), "22/11/2026 21:52");
        assert_eq!(between(VI(), &at("21:40:00"), &at("21:55:00")), "22/11/2026, khoảng 21:40–21:55");
        assert_eq!(between(VI(), &at("21:40:00"), "2026-11-23T01:00:00+07:00"), "khoảng 22/11/2026 21:40–23/11/2026 01:00");
        assert_eq!(between(VI(), "", &at("21:55:00")), VI().word("console-time-unknown"));
    }

    #[test]
    fn places_say_how_sure_they_are() {
        assert_eq!(place(VI(), Some(20.66012), Some(105.08345), Some(12.0)), "20.66012, 105.08345 · Sai số khoảng 12 m");
        assert_eq!(place(VI(), None, Some(1.0), None), "Không rõ vị trí");
    }

    #[test]
    fn kinds_that_are_not_known_are_other_kinds() {
        assert_eq!(kind(VI(), "landslide"), "Sạt lở");
        for code in ["", "do-fire", "{$x}", "novel_kind"] {
            assert_eq!(kind(VI(), code), "Việc khác", "{code}");
        }
    }
}
