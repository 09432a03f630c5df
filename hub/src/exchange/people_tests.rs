//! The clerk's files as they really come, and what each is told.

use proptest::prelude::*;
use yenban_locales::Lang;

use super::*;
use crate::clock::{Clock, SystemClock};

const VI: fn() -> Words = || Words::new(Lang::Vi);

fn taken(text: &str) -> Vec<ImportedPlace> {
    read(text.as_bytes(), VI()).unwrap().rows
}

fn bad(text: &str) -> Vec<(u64, String)> {
    bad_bytes(text.as_bytes())
}

fn bad_bytes(bytes: &[u8]) -> Vec<(u64, String)> {
    match read(bytes, VI()) {
        Err(HubError::Refused(Refusal::BadRows(rows))) => rows.into_iter().map(|row| (row.line, row.reason)).collect(),
        other => panic!("not refused by rows: {other:?}"),
    }
}

fn place(hamlet: &str, group: Option<&str>, member: Option<(&str, Role)>) -> ImportedPlace {
    ImportedPlace {
        hamlet: hamlet.into(),
        centre_e7: None,
        group: group.map(str::to_owned),
        member: member.map(|(name, role)| (name.to_owned(), role)),
    }
}

#[test]
fn a_plain_file_in_english() {
    let rows = taken("hamlet,lat,lon,group,member,role\nNà Phòn,20.66012,105.08345,Tổ 1,Lò Văn Páo,leader\nNà Phòn,,,Tổ 1,Hà Thị Dơ,\n");
    assert_eq!(rows[0].centre_e7, Some((206_601_200, 1_050_834_500)));
    assert_eq!(rows[0].member, Some(("Lò Văn Páo".into(), Role::Leader)));
    assert_eq!(rows[1], place("Nà Phòn", Some("Tổ 1"), Some(("Hà Thị Dơ", Role::Member))));
}

#[test]
fn the_same_file_as_a_vietnamese_spreadsheet_saves_it() {
    let rows = taken(
        "\u{FEFF}sep=;\r\n\"STT\";\"Bản/Thôn/Xóm\";\"TỔ\";\"Họ và tên\";\"Chức vụ\";\"Vĩ độ\";\"Kinh độ\";\"Số CCCD\"\r\n\
         1;Nà Phòn;Tổ 1;Lò Văn Páo;Tổ trưởng;20,66012;105,08345;001099000001\r\n\
         2;Nà Phòn;Tổ 1;Hà Thị Dơ;Tổ phó;;;\r\n;;;;;;;\r\n",
    );
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].centre_e7, Some((206_601_200, 1_050_834_500)));
    assert_eq!(rows[1].member, Some(("Hà Thị Dơ".into(), Role::Member)));
}

#[test]
fn heads_typed_apart_or_without_accents_are_the_same_heads() {
    for head in ["Ba\u{309}n;To\u{302}\u{309};Ho\u{323} te\u{302}n", "ban;to;ho ten", "THÔN;TÊN TỔ;Họ, tên", "Xóm\tTổ ANTT\tThành viên"]
    {
        let separator = if head.contains('\t') { "\t" } else { ";" };
        let rows = taken(&format!("{head}\nPiềng Vế{separator}Tổ 2{separator}Vì Văn Sơn"));
        assert_eq!(rows, [place("Piềng Vế", Some("Tổ 2"), Some(("Vì Văn Sơn", Role::Member)))], "{head}");
    }
}

#[test]
fn what_is_not_needed_is_not_kept_and_is_told() {
    let file = read("hamlet,Số điện thoại,member,CCCD\nNà Phòn,0912345678,Lò Văn Páo,001099000001\n".as_bytes(), VI()).unwrap();
    assert_eq!(file.unread, ["Số điện thoại", "CCCD"]);
    assert!(!format!("{:?}", file.rows).contains("0912345678"));
}

#[test]
fn every_bad_row_is_named_and_nothing_else() {
    let rows = bad("hamlet,lat,lon,member,role\n\
         Nà Phòn,20.66,105.08,Lò Văn Páo,leader\n\
         ,20.66,105.08,Hà Văn A,\n\
         Piềng Vế,91,105.08,Hà Văn B,\n\
         Piềng Vế,20.6,,Hà Văn C,\n\
         Nà Phòn,20.67,105.08,,\n\
         Nà Phòn,,,Lo\u{300} Va\u{306}n Pa\u{301}o,member\n\
         Nà Phòn,,,Hà Văn D,chief\n\
         Nà Phòn,,,,member\n\
         Nà Phòn,,,Hà Văn E,member,thừa\n\
         Nà\u{202E}Phòn,,,Hà Văn G,\n");
    let lines: Vec<u64> = rows.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9, 10, 11], "{rows:#?}");
    assert!(rows[1].1.contains("91"), "{}", rows[1].1);
    assert!(rows[3].1.contains('2'), "names the line it contradicts: {}", rows[3].1);
    assert!(rows[5].1.contains("chief"), "a file makes no police: {}", rows[5].1);
    assert!(!rows[8].1.contains('\u{202E}'));
}

#[test]
fn lines_are_those_of_an_editor() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["hamlet,member", "", "\"Nà Phòn\",\"Lò Văn Páo\"", ",Hà Thị Dơ", "", "", ",Vì Văn Sơn", ",,", ",Hà A"].join(end);
        assert_eq!(bad(&text).iter().map(|(line, _)| *line).collect::<Vec<_>>(), [4, 7, 9], "{end:?}");
    }
    let rows = bad("sep=,\r\nhamlet,member\r\n\"hai\r\ndòng\",x\r\n,Hà Thị Dơ\r\n");
    assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 5]);
}

#[test]
fn files_that_are_no_table_get_one_sentence() {
    assert_eq!(bad("").len(), 1);
    assert_eq!(bad("\u{FEFF}").len(), 1);
    assert_eq!(bad("hamlet,member\n")[0].0, 1);
    assert_eq!(bad("tên,tuổi\nA,3\n")[0].0, 1);
    assert_eq!(bad("hamlet,bản\nA,B\n")[0].0, 1);
    assert_eq!(bad_bytes(b"\xFF\xFEh\0a\0")[0].0, 1);
    assert_eq!(bad_bytes(b"hamlet\nN\xE0 Ph\xF2n\n")[0].0, 2);
    assert!(matches!(read(&vec![b'a'; IMPORT_FILE_MAX_BYTES + 1], VI()), Err(HubError::Refused(Refusal::TooLarge(_)))));
}

#[test]
fn cells_that_look_like_formulas_are_text() {
    let rows = taken("hamlet,member\n\"=HYPERLINK(\"\"http://a\"\")\",@SUM(1)\n-Nà,+84\n");
    assert_eq!(rows[0].hamlet, "=HYPERLINK(\"http://a\")");
    assert_eq!(rows[1].member, Some(("+84".into(), Role::Member)));
}

#[test]
fn a_thousand_bad_rows_are_named_up_to_the_limit_and_counted() {
    let text = format!("hamlet,member\n{}", ",x\n".repeat(IMPORT_BAD_ROWS_MAX + 7));
    let rows = bad(&text);
    assert_eq!(rows.len(), IMPORT_BAD_ROWS_MAX + 1);
    assert!(rows.last().unwrap().1.contains('7'));
}

#[test]
fn too_many_rows_are_refused_at_the_first_that_is_too_many() {
    let text = format!("hamlet\n{}", "Nà Phòn\n".repeat(IMPORT_ROWS_MAX + 1));
    assert_eq!(bad(&text)[0].0, IMPORT_ROWS_MAX as u64 + 2);
}

/// 1,428 hamlets, 1,482 groups, 4,459 members, as a province's report counts them.
pub(crate) fn province_file() -> String {
    let mut text = String::from("\u{FEFF}bản;tổ;họ tên;vai trò\n");
    let mut members = 0;
    for group in 0..1_482 {
        let hamlet = group % 1_428;
        let size = if group < 13 { 4 } else { 3 };
        for place in 0..size {
            let role = if place == 0 { "Tổ trưởng" } else { "Tổ viên" };
            text.push_str(&format!("Bản Nà Phòn {hamlet};Tổ {group};Lò Văn Páo {members};{role}\n"));
            members += 1;
        }
    }
    assert_eq!(members, 4_459);
    text
}

#[test]
fn a_province_is_read_in_well_under_a_second() {
    let text = province_file();
    let started = SystemClock.now_ms();
    assert_eq!(taken(&text).len(), 4_459);
    let took_ms = SystemClock.now_ms() - started;
    println!("4,459 rows read and checked in {took_ms} ms");
    assert!(took_ms < 5_000, "{took_ms} ms");
}

proptest! {
    #[test]
    fn no_bytes_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, VI());
    }

    #[test]
    fn no_table_stops_the_reader(text in "(hamlet|tổ|member|role|lat|lon|,|;|\"|\n|=|à|\u{202E}|[0-9.]){0,80}") {
        let _ = read(text.as_bytes(), VI());
    }
}
