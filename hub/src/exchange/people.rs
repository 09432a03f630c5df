//! Hamlets, groups and members from a spreadsheet saved as CSV, as the commune's decision on the group lists them.
//!
//! Only what that public list holds is read: hamlet, its centre, group, name, role. Columns of telephone or
//! identity numbers are left unread even when the file has them (they are not needed to receive a check-in).
//! The file is taken whole or not at all, and every row that cannot be taken is named by its line, so that a
//! clerk mends the file once and not once a row. Reading the same file again changes nothing.

use std::collections::HashMap;

use yenban_locales::{Arg, Words};
use yenban_protocol::id::Role;
use yenban_protocol::text::degrees::{Axis, parse_degrees};
use yenban_protocol::text::{compare_key, display_safe, fold};

use crate::error::{BadRow, HubError, Refusal, Result};
use crate::limits::{IMPORT_BAD_ROWS_MAX, IMPORT_FILE_MAX_BYTES, IMPORT_ROWS_MAX, NAME_MAX_CHARS};
use crate::store::ImportedPlace;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Column {
    Hamlet,
    Lat,
    Lon,
    Group,
    Member,
    Role,
}

/// Heads of columns, folded (no diacritics, lower case): what clerks write over them.
const HEADS: &[(Column, &[&str])] = &[
    (
        Column::Hamlet,
        &["hamlet", "ban", "thon", "xom", "ten ban", "ten thon", "ten xom", "ban thon xom", "thon ban xom", "ban xom thon", "khu dan cu"],
    ),
    (Column::Lat, &["lat", "latitude", "vi do"]),
    (Column::Lon, &["lon", "lng", "longitude", "kinh do"]),
    (Column::Group, &["group", "to", "ten to", "to an ninh trat tu", "to bao ve an ninh trat tu", "to bao ve antt", "to antt"]),
    (Column::Member, &["member", "name", "ho ten", "ho va ten", "thanh vien", "ten thanh vien", "to vien"]),
    (Column::Role, &["role", "vai tro", "chuc vu", "chuc danh", "nhiem vu"]),
];

/// Roles, folded. Officers, chiefs and auditors are never made by a file: it gives nobody the rights of the police.
const ROLES: &[(Role, &[&str])] = &[
    // A deputy is a member until deputies have a role of their own: two leaders of one group would be untrue.
    (Role::Member, &["member", "to vien", "thanh vien", "vien", "deputy", "to pho", "pho to truong", "pho"]),
    (Role::Leader, &["leader", "to truong", "truong"]),
];

/// A file that was read: its rows, and the columns that were left unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleFile {
    /// Rows in the order of the file.
    pub rows: Vec<ImportedPlace>,
    /// Heads of columns that are not kept, as typed.
    pub unread: Vec<String>,
}

/// Reads a whole file. Sentences about bad rows are in the language of `words`.
///
/// Accepted: UTF-8 with or without a byte order mark; comma, semicolon or tab; English or Vietnamese heads in any
/// order, with or without diacritics. Cells that look like formulas are text like any other.
///
/// # Errors
/// [`Refusal::TooLarge`] beyond [`IMPORT_FILE_MAX_BYTES`], [`Refusal::BadRows`] naming every bad row by line (from
/// 1, the head is the first) up to [`IMPORT_BAD_ROWS_MAX`], the rest as one count.
pub fn read(bytes: &[u8], words: Words) -> Result<PeopleFile> {
    if bytes.len() > IMPORT_FILE_MAX_BYTES {
        let most = words.size(IMPORT_FILE_MAX_BYTES as u64);
        return Err(Refusal::TooLarge(words.say("import-too-large", &[("most", most.into())])).into());
    }
    let text = decode(bytes, words)?;
    let (text, lines_before) = without_separator_line(text);
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(separator(text))
        .has_headers(false)
        .flexible(true)
        .trim(::csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let head = match records.next() {
        Some(Ok(head)) => head,
        _ => return Err(one_bad(1, words.word("import-empty"))),
    };
    let (columns, unread) = columns(&head, words)?;

    let mut lines = Lines::of(text);
    let mut reading = Reading { words, columns, width: head.len(), rows: Vec::new(), bad: Bad::default(), seen: Seen::default() };
    for record in records {
        let Ok(record) = record else {
            return Err(one_bad(1, words.word("import-not-a-table")));
        };
        let line = lines_before + lines.at(record.position().map_or(0, |at| at.byte()));
        if record.iter().all(str::is_empty) {
            continue;
        }
        if reading.rows.len() + reading.bad.count >= IMPORT_ROWS_MAX {
            return Err(one_bad(line, words.say("import-too-many", &[("most", IMPORT_ROWS_MAX.into())])));
        }
        reading.row(line, &record);
    }
    if reading.bad.count > 0 {
        return Err(Refusal::BadRows(reading.bad.named(words)).into());
    }
    if reading.rows.is_empty() {
        return Err(one_bad(1, words.word("import-empty")));
    }
    Ok(PeopleFile { rows: reading.rows, unread })
}

/// The text of the file, or one sentence about the encoding and where it breaks.
fn decode(bytes: &[u8], words: Words) -> Result<&str> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(one_bad(1, words.word("import-not-utf8")));
    }
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(broken) => {
            let good = bytes.get(..broken.valid_up_to()).unwrap_or_default();
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count() as u64;
            Err(one_bad(line, words.word("import-not-utf8")))
        }
    }
}

/// Numbers of lines as an editor shows them. The table's reader counts line feeds from wherever it stands, which
/// for files with CR LF and for empty lines is not where the row begins.
struct Lines<'t> {
    rest: &'t [u8],
    from: u64,
    line: u64,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Self { rest: text.as_bytes(), from: 0, line: 1 }
    }

    /// The line of the first row at or after this byte. Bytes must not go back.
    fn at(&mut self, byte: u64) -> u64 {
        let ahead = usize::try_from(byte.saturating_sub(self.from)).unwrap_or(usize::MAX).min(self.rest.len());
        let breaks = self.rest.iter().skip(ahead).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let (passed, rest) = self.rest.split_at(ahead + breaks);
        let mut before = 0;
        for byte in passed {
            // CR LF is one break, CR alone one too.
            self.line += u64::from(*byte == b'\r' || (*byte == b'\n' && before != b'\r'));
            before = *byte;
        }
        (self.rest, self.from) = (rest, self.from + passed.len() as u64);
        self.line
    }
}

/// Spreadsheets may write their separator into a first line of its own (`sep=;`).
fn without_separator_line(text: &str) -> (&str, u64) {
    match text.split_once('\n') {
        Some((first, rest)) if first.trim_end().len() == 5 && first.starts_with("sep=") => (rest, 1),
        _ => (text, 0),
    }
}

/// The separator that stands most often in the head, outside quotes.
fn separator(text: &str) -> u8 {
    let head = text.trim_start().lines().next().unwrap_or_default();
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in head.bytes() {
        if byte == b'"' {
            quoted = !quoted;
        } else if !quoted && let Some((_, count)) = counts.iter_mut().find(|(separator, _)| *separator == byte) {
            *count += 1;
        }
    }
    // The first of equals wins with `rev`: a comma when there is no separator at all (a single column).
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(separator, _)| *separator)
}

fn columns(head: &::csv::StringRecord, words: Words) -> Result<(HashMap<Column, usize>, Vec<String>)> {
    let mut columns = HashMap::new();
    let mut unread = Vec::new();
    for (at, typed) in head.iter().enumerate() {
        let plain: String = fold(typed).chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        match HEADS.iter().find(|(_, heads)| heads.contains(&plain.as_str())) {
            Some((column, _)) => {
                if columns.insert(*column, at).is_some() {
                    return Err(one_bad(1, words.say("import-column-twice", &[("column", shown(typed).into())])));
                }
            }
            None if typed.is_empty() => {}
            None => unread.push(shown(typed)),
        }
    }
    if !columns.contains_key(&Column::Hamlet) {
        return Err(one_bad(1, words.word("import-no-hamlet-column")));
    }
    Ok((columns, unread))
}

/// What was met before, to find doubles and contradictions within the file.
#[derive(Default)]
struct Seen {
    centres: HashMap<String, ((i32, i32), u64)>,
    members: HashMap<(String, String, String), u64>,
}

#[derive(Default)]
struct Bad {
    rows: Vec<BadRow>,
    count: usize,
}

impl Bad {
    fn add(&mut self, line: u64, reason: String) {
        self.count += 1;
        if self.rows.len() < IMPORT_BAD_ROWS_MAX {
            self.rows.push(BadRow { line, reason });
        }
    }

    fn named(mut self, words: Words) -> Vec<BadRow> {
        let more = self.count - self.rows.len();
        if more > 0 {
            let line = self.rows.last().map_or(1, |last| last.line);
            self.rows.push(BadRow { line, reason: words.say("import-more-bad-rows", &[("n", more.into())]) });
        }
        self.rows
    }
}

struct Reading {
    words: Words,
    columns: HashMap<Column, usize>,
    width: usize,
    rows: Vec<ImportedPlace>,
    bad: Bad,
    seen: Seen,
}

impl Reading {
    fn row(&mut self, line: u64, record: &::csv::StringRecord) {
        match self.place(line, record) {
            Ok(place) => self.rows.push(place),
            // One row, one sentence, however much is wrong with it.
            Err(reasons) => self.bad.add(line, reasons.join(" ")),
        }
    }

    fn place(&mut self, line: u64, record: &::csv::StringRecord) -> std::result::Result<ImportedPlace, Vec<String>> {
        let mut wrong = Vec::new();
        if record.iter().skip(self.width).any(|cell| !cell.is_empty()) {
            wrong.push(self.say("import-too-many-cells", &[]));
        }
        let hamlet = self.name(record, Column::Hamlet, &mut wrong).unwrap_or_default();
        if hamlet.is_empty() && wrong.is_empty() {
            wrong.push(self.say("import-no-hamlet", &[]));
        }
        let centre_e7 = self.centre(record, &mut wrong);
        let group = self.name(record, Column::Group, &mut wrong);
        let member = self.name(record, Column::Member, &mut wrong);
        let role = self.role(record, &mut wrong);
        if member.is_none() && role.is_some() {
            wrong.push(self.say("import-role-without-name", &[]));
        }
        if let Some(centre) = centre_e7 {
            let (first, at) = *self.seen.centres.entry(key(&hamlet)).or_insert((centre, line));
            if first != centre {
                wrong.push(self.say("import-centre-differs", &[("line", at.into())]));
            }
        }
        if let Some(name) = &member {
            let who = (key(&hamlet), group.as_deref().map(key).unwrap_or_default(), key(name));
            let first = *self.seen.members.entry(who).or_insert(line);
            if first != line {
                wrong.push(self.say("import-member-twice", &[("line", first.into())]));
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let member = member.map(|name| (name, role.unwrap_or(Role::Member)));
        Ok(ImportedPlace { hamlet, centre_e7, group, member })
    }

    fn say(&self, id: &str, args: &[(&str, Arg<'_>)]) -> String {
        self.words.say(id, args)
    }

    fn cell<'r>(&self, record: &'r ::csv::StringRecord, column: Column) -> &'r str {
        self.columns.get(&column).and_then(|at| record.get(*at)).unwrap_or_default()
    }

    /// A name as typed; `None` for an empty cell or one that cannot be a name (which is told).
    fn name(&self, record: &::csv::StringRecord, column: Column, wrong: &mut Vec<String>) -> Option<String> {
        let typed = self.cell(record, column);
        if typed.is_empty() {
            return None;
        }
        if typed.chars().count() > NAME_MAX_CHARS {
            wrong.push(self.say("import-name-too-long", &[("most", NAME_MAX_CHARS.into())]));
            return None;
        }
        // A line break, a control character or a hidden one would rearrange every screen that shows the name.
        if typed.chars().any(char::is_control) || display_safe(typed).contains('\u{FFFD}') {
            wrong.push(self.say("import-hidden-characters", &[("name", shown(typed).into())]));
            return None;
        }
        Some(typed.to_owned())
    }

    fn centre(&self, record: &::csv::StringRecord, wrong: &mut Vec<String>) -> Option<(i32, i32)> {
        let (lat, lon) = (self.cell(record, Column::Lat), self.cell(record, Column::Lon));
        match (lat.is_empty(), lon.is_empty()) {
            (true, true) => return None,
            (false, false) => {}
            _ => {
                wrong.push(self.say("import-half-a-place", &[]));
                return None;
            }
        }
        let read = |text: &str, axis| parse_degrees(&text.replacen(',', ".", 1), axis).ok();
        let (read_lat, read_lon) = (read(lat, Axis::Latitude), read(lon, Axis::Longitude));
        match (read_lat, read_lon) {
            (Some(lat), Some(lon)) => Some((lat, lon)),
            (None, _) => {
                wrong.push(self.say("import-bad-latitude", &[("value", shown(lat).into())]));
                None
            }
            (_, None) => {
                wrong.push(self.say("import-bad-longitude", &[("value", shown(lon).into())]));
                None
            }
        }
    }

    fn role(&self, record: &::csv::StringRecord, wrong: &mut Vec<String>) -> Option<Role> {
        let typed = self.cell(record, Column::Role);
        if typed.is_empty() {
            return None;
        }
        let plain = fold(typed);
        let known = ROLES.iter().find(|(_, names)| names.contains(&plain.as_str())).map(|(role, _)| *role);
        if known.is_none() {
            wrong.push(self.say("import-unknown-role", &[("role", shown(typed).into())]));
        }
        known
    }
}

/// Names are the same when readers see the same: NFC.
fn key(name: &str) -> String {
    compare_key(name).into_owned()
}

/// A cell inside a sentence: safe, and never a page long.
fn shown(typed: &str) -> String {
    const SHOWN_CHARS: usize = 60;
    let safe = display_safe(typed);
    if safe.chars().count() <= SHOWN_CHARS { safe } else { safe.chars().take(SHOWN_CHARS).chain(['…']).collect() }
}

fn one_bad(line: u64, reason: String) -> HubError {
    Refusal::BadRows(vec![BadRow { line, reason }]).into()
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
