//! The tables of the embedded database, as numbered migrations that are never changed once released.
//!
//! What decides the rate of ingest is how many pages a commit touches: an entry is one row in one tree, and what
//! lists need beside it (patrols, incidents, photographs, answers) is written only by the few entries that bear it.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::{HubError, Result, alerts};

const FIRST: &str = "
CREATE TABLE value (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE epoch (place INTEGER PRIMARY KEY, epoch BLOB NOT NULL UNIQUE, began_ms INTEGER NOT NULL);

-- Places and people.
CREATE TABLE hamlet (
  hamlet INTEGER PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE, lat_e7 INTEGER, lon_e7 INTEGER);
CREATE TABLE hamlet_group (
  hamlet_group INTEGER PRIMARY KEY, hamlet INTEGER NOT NULL REFERENCES hamlet, name TEXT NOT NULL, name_key TEXT NOT NULL,
  UNIQUE (hamlet, name_key));
CREATE TABLE member (
  member INTEGER PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL, role INTEGER NOT NULL, hamlet INTEGER NOT NULL,
  hamlet_group INTEGER NOT NULL DEFAULT 0);
CREATE INDEX member_of_hamlet ON member (hamlet, name_key);
CREATE TABLE device (
  device BLOB PRIMARY KEY, sign_key BLOB NOT NULL UNIQUE, seal_key BLOB NOT NULL, member INTEGER NOT NULL, hamlet INTEGER NOT NULL,
  role INTEGER NOT NULL, certificate BLOB NOT NULL, enrolled_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
  revoked_ms INTEGER, lost INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE code (
  token_hash BLOB PRIMARY KEY, hamlet INTEGER NOT NULL, hamlet_name TEXT NOT NULL, role INTEGER NOT NULL, name TEXT NOT NULL,
  made_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, used_by BLOB, used_ms INTEGER) WITHOUT ROWID;

-- Logs. A run is a stretch without a gap; branch 0 is the log as first seen, others contradict it.
CREATE TABLE log (
  log BLOB PRIMARY KEY, device BLOB NOT NULL, began_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, entries INTEGER NOT NULL,
  loose_check_ins INTEGER NOT NULL, receipts INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX log_of_device ON log (device);
CREATE TABLE run (
  log BLOB NOT NULL, branch INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, previous BLOB NOT NULL,
  last_link BLOB NOT NULL, PRIMARY KEY (log, branch, first)) WITHOUT ROWID;
-- In order of arrival with a small index by name: keyed by the random name itself, every push would split pages in the
-- middle of the tree and write each entry several times over.
CREATE TABLE entry (
  entry INTEGER PRIMARY KEY, log BLOB NOT NULL, branch INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL,
  received_ms INTEGER NOT NULL, link BLOB NOT NULL, body BLOB NOT NULL, head BLOB, UNIQUE (log, branch, seq));

-- What entries bear.
CREATE TABLE patrol (
  log BLOB NOT NULL, branch INTEGER NOT NULL, seq INTEGER NOT NULL, device BLOB NOT NULL, hamlet INTEGER NOT NULL,
  author INTEGER NOT NULL DEFAULT 0, started_ms INTEGER, finished_ms INTEGER, distance_m INTEGER, check_ins INTEGER NOT NULL DEFAULT 0,
  last_ms INTEGER, paused_seq INTEGER, resumed_seq INTEGER, PRIMARY KEY (log, branch, seq)) WITHOUT ROWID;
CREATE INDEX patrol_newest ON patrol (started_ms DESC);
CREATE TABLE patrol_member (
  log BLOB NOT NULL, branch INTEGER NOT NULL, seq INTEGER NOT NULL, member INTEGER NOT NULL,
  PRIMARY KEY (log, branch, seq, member)) WITHOUT ROWID;
CREATE TABLE incident (
  incident INTEGER PRIMARY KEY, log BLOB NOT NULL, branch INTEGER NOT NULL, seq INTEGER NOT NULL, device BLOB NOT NULL,
  hamlet INTEGER NOT NULL, author INTEGER NOT NULL, kind TEXT NOT NULL, urgent INTEGER NOT NULL, lat_e7 INTEGER, lon_e7 INTEGER,
  accuracy_cm INTEGER, best_ms INTEGER NOT NULL, earliest_ms INTEGER NOT NULL, latest_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL,
  UNIQUE (log, branch, seq));
CREATE INDEX incident_order ON incident (urgent DESC, best_ms DESC);
CREATE INDEX incident_pin ON incident (lat_e7, lon_e7, best_ms, urgent, kind);
-- What was said on an incident, by the report (same name) or an amendment; the words stand in the entry alone.
CREATE TABLE report (
  report INTEGER PRIMARY KEY, incident_log BLOB NOT NULL, incident_branch INTEGER NOT NULL, incident_seq INTEGER NOT NULL,
  log BLOB NOT NULL, branch INTEGER NOT NULL, seq INTEGER NOT NULL, UNIQUE (log, branch, seq));
CREATE INDEX report_of_incident ON report (incident_log, incident_branch, incident_seq);
CREATE VIRTUAL TABLE report_text USING fts5 (folded, content='', contentless_delete=1, tokenize=\"unicode61 remove_diacritics 0\");
INSERT INTO report_text (report_text, rank) VALUES ('secure-delete', 1);
CREATE TABLE photo (
  log BLOB NOT NULL, branch INTEGER NOT NULL, seq INTEGER NOT NULL, device BLOB NOT NULL, subject_log BLOB, subject_seq INTEGER,
  sha256 BLOB NOT NULL, size_bytes INTEGER NOT NULL, sealed_sha256 BLOB NOT NULL, sealed_size_bytes INTEGER NOT NULL,
  media_type TEXT NOT NULL, original_name TEXT, state TEXT NOT NULL DEFAULT 'expected', best_ms INTEGER NOT NULL,
  PRIMARY KEY (log, branch, seq)) WITHOUT ROWID;
CREATE INDEX photo_of_subject ON photo (subject_log, subject_seq);
CREATE INDEX photo_sealed ON photo (sealed_sha256);
CREATE TABLE hand_over (
  log BLOB NOT NULL, branch INTEGER NOT NULL, seq INTEGER NOT NULL, best_ms INTEGER NOT NULL, from_member INTEGER NOT NULL,
  to_member INTEGER NOT NULL, PRIMARY KEY (log, branch, seq)) WITHOUT ROWID;

-- Alerts and the feed.
CREATE TABLE alert (
  alert TEXT PRIMARY KEY, sent_ms INTEGER NOT NULL, body BLOB NOT NULL, officer TEXT NOT NULL, second TEXT) WITHOUT ROWID;
CREATE INDEX alert_newest ON alert (sent_ms DESC);
CREATE TABLE answer (
  alert TEXT NOT NULL, log BLOB NOT NULL, branch INTEGER NOT NULL, seq INTEGER NOT NULL, device BLOB NOT NULL, member INTEGER NOT NULL,
  answer INTEGER NOT NULL, best_ms INTEGER NOT NULL, PRIMARY KEY (alert, log, branch, seq)) WITHOUT ROWID;
CREATE TABLE item (
  scope BLOB NOT NULL, epoch INTEGER NOT NULL REFERENCES epoch (place), number INTEGER NOT NULL, hash BLOB NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (scope, epoch, number)) WITHOUT ROWID;

-- What may not be shown as normal, and who read what.
CREATE TABLE quarantine (
  quarantine INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, reason TEXT NOT NULL, device BLOB NOT NULL, log BLOB NOT NULL,
  first INTEGER NOT NULL, count INTEGER NOT NULL, received_ms INTEGER NOT NULL, sealed BLOB NOT NULL);
CREATE INDEX quarantine_of_device ON quarantine (device, reason);
CREATE TABLE audit (
  audit INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
  purpose TEXT NOT NULL);
";

/// Files by what names them: a photograph is an item of evidence and bears three files (the original and two smaller
/// copies), each named by an entry and delivered for itself. The key that opens a stored file stands in its row alone:
/// a destroyed row makes every copy of the bytes unreadable. Retention runs from the last file that came (366 days:
/// no twelve months are longer).
const SECOND: &str = "
ALTER TABLE incident ADD COLUMN attachments INTEGER NOT NULL DEFAULT 0;
-- kind: 0 thumbnail, 1 preview, 2 original. state: expected, partial, verified, missing, altered, erased.
CREATE TABLE object (
  object INTEGER PRIMARY KEY, log BLOB NOT NULL, branch INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL,
  device BLOB NOT NULL, photo_log BLOB NOT NULL, photo_branch INTEGER NOT NULL, photo_seq INTEGER NOT NULL,
  sealed_sha256 BLOB NOT NULL, sealed_size_bytes INTEGER NOT NULL, sha256 BLOB NOT NULL, size_bytes INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'expected', stored TEXT, content_key BLOB, stored_size_bytes INTEGER, receipt BLOB,
  received_ms INTEGER, checked_ms INTEGER, asked_ms INTEGER, UNIQUE (log, branch, seq, sealed_sha256));
CREATE INDEX object_sealed ON object (sealed_sha256);
CREATE INDEX object_of_photo ON object (photo_log, photo_seq, photo_branch, kind);
CREATE INDEX object_stored ON object (stored) WHERE stored IS NOT NULL;
CREATE INDEX object_lost ON object (asked_ms) WHERE state IN ('missing', 'altered');
INSERT INTO object (log, branch, seq, kind, device, photo_log, photo_branch, photo_seq, sealed_sha256, sealed_size_bytes, sha256, size_bytes)
  SELECT log, branch, seq, 2, device, log, branch, seq, sealed_sha256, sealed_size_bytes, sha256, size_bytes FROM photo;
DROP INDEX photo_sealed;
ALTER TABLE photo DROP COLUMN state;
ALTER TABLE photo DROP COLUMN sealed_sha256;
ALTER TABLE photo DROP COLUMN sealed_size_bytes;
ALTER TABLE photo DROP COLUMN sha256;
ALTER TABLE photo DROP COLUMN size_bytes;
ALTER TABLE photo ADD COLUMN expires_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE photo ADD COLUMN erased_ms INTEGER;
ALTER TABLE photo ADD COLUMN hold_case TEXT;
ALTER TABLE photo ADD COLUMN hold_officers TEXT;
ALTER TABLE photo ADD COLUMN hold_until_ms INTEGER;
UPDATE photo SET expires_ms = 31622400000 + ifnull(
  (SELECT received_ms FROM entry e WHERE e.log = photo.log AND e.branch = photo.branch AND e.seq = photo.seq), best_ms);
CREATE INDEX photo_expiry ON photo (expires_ms) WHERE erased_ms IS NULL;
-- Why a photograph has no smaller copies; its entry may come before the photograph's own.
CREATE TABLE no_previews (
  log BLOB NOT NULL, branch INTEGER NOT NULL, seq INTEGER NOT NULL, photo_log BLOB NOT NULL, photo_branch INTEGER NOT NULL,
  photo_seq INTEGER NOT NULL, device BLOB NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (log, branch, seq)) WITHOUT ROWID;
CREATE INDEX no_previews_of_photo ON no_previews (photo_log, photo_seq, photo_branch);
-- Bytes in storage that no row names, and since when that was seen.
CREATE TABLE orphan (stored TEXT PRIMARY KEY, since_ms INTEGER NOT NULL) WITHOUT ROWID;
";

/// The custody record. `place` is the order of all records, so that the chains can be read as they stood under an
/// older head. Without salt, who did it was erased and `who` is the commitment.
const CUSTODY: &str = "
CREATE TABLE custody (
  place INTEGER PRIMARY KEY, log BLOB NOT NULL, branch INTEGER NOT NULL, seq INTEGER NOT NULL, number INTEGER NOT NULL,
  link BLOB NOT NULL, facts BLOB NOT NULL, salt BLOB, who BLOB NOT NULL, UNIQUE (log, seq, branch, number));
CREATE INDEX custody_told ON custody (place) WHERE salt IS NOT NULL;
CREATE TABLE custody_head (
  number INTEGER PRIMARY KEY, place INTEGER NOT NULL, day INTEGER NOT NULL, items INTEGER NOT NULL, root BLOB NOT NULL,
  previous BLOB NOT NULL, at_ms INTEGER NOT NULL, bytes BLOB NOT NULL);
";

/// Reports by message, and who asked through a courier. A claim is the incident's row until the entry comes:
/// `sms_only` says that it has not. `sms_fields` is what was claimed, so that a repeated message changes nothing.
const COURIER: &str = "
ALTER TABLE incident ADD COLUMN sms_ms INTEGER;
ALTER TABLE incident ADD COLUMN sms_fields BLOB;
ALTER TABLE incident ADD COLUMN sms_only INTEGER NOT NULL DEFAULT 0;
-- request: the newest that came, signed; objects: hashes of files of the last parcels.
CREATE TABLE courier (device BLOB PRIMARY KEY, request BLOB NOT NULL, objects BLOB NOT NULL, asked_ms INTEGER NOT NULL) WITHOUT ROWID;
";

/// How what was done ended. What an older hub noted before it did it (erasures, exports) stays open: nobody knows.
const OUTCOME: &str = "
ALTER TABLE audit ADD COLUMN outcome TEXT;
UPDATE audit SET outcome = 'done' WHERE action <> 'erase' AND action NOT LIKE 'export %';
";

/// Officers' accounts: who may come into the console, by which proofs, and who is inside. A link, session or recovery code
/// is kept as its hash alone. `reach`: numbers of hamlets, four bytes each; empty: the whole commune.
const ACCESS: &str = "
CREATE TABLE account (
  member INTEGER PRIMARY KEY, login TEXT NOT NULL, login_key TEXT UNIQUE, reach BLOB NOT NULL, password TEXT, totp BLOB,
  totp_step INTEGER NOT NULL, failed INTEGER NOT NULL, failed_ms INTEGER NOT NULL, made_ms INTEGER NOT NULL, closed_ms INTEGER);
CREATE TABLE link (token_hash BLOB PRIMARY KEY, member INTEGER NOT NULL, is_join INTEGER NOT NULL, expires_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE recovery (member INTEGER NOT NULL, code BLOB NOT NULL, PRIMARY KEY (member, code)) WITHOUT ROWID;
CREATE TABLE passkey (
  passkey BLOB PRIMARY KEY, member INTEGER NOT NULL, label TEXT NOT NULL, body BLOB NOT NULL, made_ms INTEGER NOT NULL, used_ms INTEGER)
  WITHOUT ROWID;
CREATE INDEX passkey_of_member ON passkey (member);
CREATE TABLE session (
  session BLOB PRIMARY KEY, member INTEGER NOT NULL, how TEXT NOT NULL, began_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX session_of_member ON session (member);
-- Content that a session opened for a purpose, until when.
CREATE TABLE view (
  session BLOB NOT NULL, subject TEXT NOT NULL, purpose TEXT NOT NULL, until_ms INTEGER NOT NULL, PRIMARY KEY (session, subject))
  WITHOUT ROWID;
-- Acts that wait for a second person.
CREATE TABLE proposal (
  proposal INTEGER PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL, member INTEGER NOT NULL, made_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL, decided_by INTEGER, agreed INTEGER, decided_ms INTEGER);
CREATE INDEX proposal_open ON proposal (expires_ms) WHERE agreed IS NULL;
CREATE TRIGGER view_of_session AFTER DELETE ON session BEGIN DELETE FROM view WHERE session = old.session; END;
";

/// What the police did about reports. A step is added and never changed; state and count stand on the incident, so that
/// lists need no second look. Claims of other devices about an entry are removed with what was done about them.
const TRIAGE: &str = "
ALTER TABLE incident ADD COLUMN state INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN steps INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN assigned_hamlet INTEGER;
ALTER TABLE incident ADD COLUMN assigned_group INTEGER NOT NULL DEFAULT 0;
CREATE INDEX incident_open ON incident (urgent DESC, best_ms DESC) WHERE state < 4;
CREATE INDEX incident_new ON incident (hamlet, urgent) WHERE state = 0;
CREATE TABLE step (
  incident INTEGER NOT NULL, number INTEGER NOT NULL, at_ms INTEGER NOT NULL, member INTEGER NOT NULL, officer TEXT NOT NULL,
  act TEXT NOT NULL, state INTEGER NOT NULL, note TEXT NOT NULL, kept TEXT NOT NULL, hamlet INTEGER, hamlet_group INTEGER NOT NULL,
  other_log BLOB, other_branch INTEGER, other_seq INTEGER, PRIMARY KEY (incident, number)) WITHOUT ROWID;
-- Two reports of one event; the lower row first.
CREATE TABLE twin (one INTEGER NOT NULL, other INTEGER NOT NULL, PRIMARY KEY (one, other)) WITHOUT ROWID;
CREATE INDEX twin_other ON twin (other);
CREATE TRIGGER step_of_incident AFTER DELETE ON incident BEGIN
  DELETE FROM step WHERE incident = old.incident;
  DELETE FROM twin WHERE one = old.incident OR other = old.incident;
END;
";

/// Alerts: where each stands, which phones have it, what refers to it, who was reminded, and what could not be taken as it
/// came. `hamlet` 0: the whole commune. A delivery is never taken back: what a phone had stored, its member may have read.
const ALERTS: &str = "
ALTER TABLE alert ADD COLUMN cap BLOB;
CREATE TABLE alert_item (
  scope BLOB NOT NULL, epoch INTEGER NOT NULL REFERENCES epoch (place), number INTEGER NOT NULL, hamlet INTEGER NOT NULL,
  alert TEXT NOT NULL, PRIMARY KEY (scope, epoch, number)) WITHOUT ROWID;
CREATE INDEX alert_item_of_hamlet ON alert_item (hamlet, alert);
CREATE TABLE delivery (alert TEXT NOT NULL, device BLOB NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (alert, device)) WITHOUT ROWID;
CREATE TABLE alert_reference (refers TEXT NOT NULL, alert TEXT NOT NULL, PRIMARY KEY (refers, alert)) WITHOUT ROWID;
CREATE TABLE reminder (alert TEXT NOT NULL, member INTEGER NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (alert, member)) WITHOUT ROWID;
CREATE TABLE cap_aside (
  sha256 BLOB PRIMARY KEY, alert TEXT NOT NULL, reason TEXT NOT NULL, officer TEXT NOT NULL, at_ms INTEGER NOT NULL, body BLOB NOT NULL)
  WITHOUT ROWID;
";

/// Phones that wait for an officer who has compared the four words; checkpoints, and plans of who walks when.
/// `days`: bit 0 is Monday. `from_min`, `to_min`: minutes of the day in Viet Nam; `to_min` not after `from_min`: the next day.
/// `checkpoints`: numbers of checkpoints, four bytes each.
const PHONES: &str = "
ALTER TABLE device ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
ALTER TABLE code ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE code ADD COLUMN member INTEGER NOT NULL DEFAULT 0;
CREATE TABLE checkpoint (
  checkpoint INTEGER PRIMARY KEY, hamlet INTEGER NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL, lat_e7 INTEGER NOT NULL,
  lon_e7 INTEGER NOT NULL, made_ms INTEGER NOT NULL, closed_ms INTEGER);
CREATE INDEX checkpoint_of_hamlet ON checkpoint (hamlet, name_key);
CREATE TABLE plan (
  plan INTEGER PRIMARY KEY, hamlet INTEGER NOT NULL, hamlet_group INTEGER NOT NULL, member INTEGER NOT NULL, days INTEGER NOT NULL,
  from_min INTEGER NOT NULL, to_min INTEGER NOT NULL, checkpoints BLOB NOT NULL, made_ms INTEGER NOT NULL, ended_ms INTEGER);
";

/// Items of earlier epochs that a backup did not have and phones gave back, as they were signed.
const RETURNED: &str = "
CREATE TABLE returned (
  scope BLOB NOT NULL, epoch BLOB NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (scope, epoch, number)) WITHOUT ROWID;
";

/// What a map walks over: everything that counting needs, so that it reads no row; the few patrols under way; and of which
/// reports another program is to be told.
const MAP: &str = "
CREATE INDEX incident_map ON incident (lat_e7, lon_e7, hamlet, state, urgent);
DROP INDEX incident_pin;
CREATE INDEX patrol_under_way ON patrol (ifnull(last_ms, started_ms)) WHERE finished_ms IS NULL;
-- Reports that may have become complete, entered with what completed them. `over`: was told, or given up.
CREATE TABLE hook (
  incident INTEGER PRIMARY KEY, tries INTEGER NOT NULL DEFAULT 0, next_ms INTEGER NOT NULL DEFAULT 0, over INTEGER NOT NULL DEFAULT 0);
CREATE INDEX hook_due ON hook (next_ms) WHERE over = 0;
CREATE TRIGGER hook_report AFTER INSERT ON incident WHEN new.sms_only = 0 AND new.branch = 0 AND new.attachments = 0 BEGIN
  INSERT OR IGNORE INTO hook (incident) VALUES (new.incident);
END;
CREATE TRIGGER hook_came AFTER UPDATE OF sms_only ON incident
  WHEN old.sms_only = 1 AND new.sms_only = 0 AND new.branch = 0 AND new.attachments = 0 BEGIN
  INSERT OR IGNORE INTO hook (incident) VALUES (new.incident);
END;
CREATE TRIGGER hook_photo AFTER UPDATE OF state ON object WHEN new.kind = 2 AND new.state = 'verified' AND old.state <> 'verified' BEGIN
  INSERT OR IGNORE INTO hook (incident) SELECT i.incident FROM photo p JOIN incident i
    ON i.log = p.subject_log AND i.seq = p.subject_seq AND i.branch = 0
    WHERE p.log = new.photo_log AND p.branch = new.photo_branch AND p.seq = new.photo_seq;
END;
CREATE TRIGGER hook_of_incident AFTER DELETE ON incident BEGIN DELETE FROM hook WHERE incident = old.incident; END;
";

/// Brings a database to the newest version.
pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    let steps = [FIRST, SECOND, CUSTODY, COURIER, OUTCOME, ACCESS, TRIAGE];
    let alerts = M::up_with_hook(ALERTS, alerts::enter_older);
    let migrations = Migrations::new(steps.into_iter().map(M::up).chain([alerts, M::up(PHONES), M::up(RETURNED), M::up(MAP)]).collect());
    migrations.to_latest(connection).map_err(|e| HubError::Store(format!("migration: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_database_takes_every_migration() {
        let mut connection = Connection::open_in_memory().expect("memory");
        migrate(&mut connection).expect("migrates");
        migrate(&mut connection).expect("a second time changes nothing");
    }

    #[test]
    fn what_an_older_hub_noted_beforehand_has_no_outcome() {
        let mut connection = Connection::open_in_memory().expect("memory");
        Migrations::new(vec![M::up(FIRST), M::up(SECOND), M::up(CUSTODY), M::up(COURIER)]).to_latest(&mut connection).expect("as it was");
        for action in ["enrol", "erase", "export bundle"] {
            let insert = "INSERT INTO audit (at_ms, actor, action, subject, purpose) VALUES (1, 'a', ?1, '', '')";
            connection.execute(insert, [action]).expect("noted");
        }
        migrate(&mut connection).expect("migrates");
        let mut statement = connection.prepare("SELECT outcome FROM audit ORDER BY audit").expect("prepared");
        let rows = statement.query_map([], |row| row.get::<_, Option<String>>(0)).expect("rows");
        assert_eq!(rows.collect::<rusqlite::Result<Vec<_>>>().expect("rows"), [Some("done".to_owned()), None, None]);
    }

    #[test]
    fn incidents_of_an_older_hub_are_whole_reports() {
        let mut connection = Connection::open_in_memory().expect("memory");
        Migrations::new(vec![M::up(FIRST), M::up(SECOND), M::up(CUSTODY)]).to_latest(&mut connection).expect("as it was");
        let insert =
            "INSERT INTO incident (log, branch, seq, device, hamlet, author, kind, urgent, best_ms, earliest_ms, latest_ms, received_ms)
           VALUES (x'0102030405060708', 0, 3, x'00', 1, 1, 'fire', 1, 5, 4, 6, 6)";
        connection.execute(insert, []).expect("an incident");
        migrate(&mut connection).expect("migrates");
        let row = connection.query_row("SELECT sms_only, sms_ms, sms_fields FROM incident", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, Option<Vec<u8>>>(2)?))
        });
        assert_eq!(row.expect("the incident"), (0, None, None));
    }
}
