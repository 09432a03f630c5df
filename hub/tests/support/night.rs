//! One night at a commune, as its pages show it: three reports, patrols with a gap and one still out, a drill and a
//! live alert with answers, people and phones, and names that try to break out of the page.

#![allow(dead_code, unreachable_pub, missing_docs)] // Each test uses its part of it.

use yenban_hub::enrol::{CodeWanted, make_code};
use yenban_hub::store::{AlertRow, ItemDraft, ListQuery};
use yenban_locales::{Lang, Words};
use yenban_protocol::alert::{Alert, MessageType, Severity, Status, Urgency};
use yenban_protocol::feed::{Item, Scope};
use yenban_protocol::id::{EntryName, HamletNo, Role};
use yenban_protocol::record::{Act, Answer, Basis, Common, PhotoFacts, Position, Provider, Record, Statement};
use yenban_protocol::time::Stamp;

use crate::support::phone::{Conn, Phone, random};
use crate::support::{NIGHT_MS, TestHub};

const MINUTE_MS: i64 = 60_000;

/// A name that tries everything: markup, an override, letters that run from right to left.
pub const NASTY: &str = "<script>alert(1)</script>\u{202E}\"'& \u{0645}\u{0631}\u{062D}";

/// The people of the commune, as its clerk lists them.
pub const PEOPLE: &str = "bản;vĩ độ;kinh độ;tổ;họ tên;vai trò\n\
    Nà Phòn;20,6612;105,0851;Tổ bảo vệ an ninh, trật tự bản Nà Phòn;Lò Văn Páo;tổ trưởng\n\
    Nà Phòn;;;Tổ bảo vệ an ninh, trật tự bản Nà Phòn;Hà Thị Dơ;tổ phó\n\
    Nà Phòn;;;Tổ bảo vệ an ninh, trật tự bản Nà Phòn;Vì Văn Khương;tổ viên\n\
    Piềng Vế;20,6701;105,0912;Tổ bảo vệ an ninh, trật tự bản Piềng Vế;Sùng A Chớ;tổ trưởng\n\
    Piềng Vế;;;Tổ bảo vệ an ninh, trật tự bản Piềng Vế;Nguyễn Hoàng Phương Thảo Nguyên;tổ viên\n\
    Khu dân cư Suối Đá Bạn Thượng Huổi Lót;20,6433;105,1121;Tổ bảo vệ an ninh, trật tự khu dân cư Suối Đá Bạn Thượng Huổi Lót;Lường Thị Bích Hường;tổ trưởng\n";

/// Metres north and east of the culture house of Nà Phòn, as 1e-7 degree.
fn place(north_m: i32, east_m: i32) -> Position {
    Position {
        accuracy_cm: Some(1_200),
        ..Position::new(206_612_000 + north_m * 90, 1_050_851_000 + east_m * 96, Provider::Gnss).expect("on earth")
    }
}

fn record(phone: &mut Phone, minutes: i64, at: Option<Position>, act: Act) -> u64 {
    let at_ms = NIGHT_MS + minutes * MINUTE_MS;
    let stamp =
        Stamp { wall_ms: at_ms, monotonic_ms: (minutes * MINUTE_MS) as u64, boot: phone.boot, anchor: None, gnss_ms: at.map(|_| at_ms) };
    let record = Record { common: Common { author: phone.member, unconfirmed: false, stamp, position: at }, act };
    phone.append(record.to_parts().expect("parts"))
}

fn said(basis: Basis, text: &str) -> Statement {
    Statement { basis, text: text.to_owned() }
}

fn report(phone: &mut Phone, minutes: i64, at: Option<Position>, kind: &str, urgent: bool, statements: Vec<Statement>) -> EntryName {
    let seq = record(phone, minutes, at, Act::IncidentReported { kind: kind.to_owned(), urgent, attachments: 0, statements });
    EntryName { log: phone.log, seq }
}

fn photo(phone: &mut Phone, minutes: i64, subject: EntryName, size_bytes: u64, name: Option<&str>) {
    let facts = PhotoFacts {
        sha256: random(),
        size_bytes,
        sealed_sha256: random(),
        sealed_size_bytes: size_bytes + 64,
        media_type: "image/jpeg".to_owned(),
        from_camera: name.is_none(),
        original_name: name.map(str::to_owned),
        ..PhotoFacts::default()
    };
    record(phone, minutes, Some(place(410, 300)), Act::PhotoCaptured { subject: Some(subject), photo: Some(facts) });
}

/// The phone of a group's leader who is on the clerk's list.
async fn phone_of(hub: &TestHub, hamlet: &str, name: &str) -> (Phone, Conn) {
    let wanted = CodeWanted {
        hamlet: hamlet.to_owned(),
        create: false,
        role: Role::Leader,
        name: name.to_owned(),
        addresses: vec![hub.address.to_string()],
    };
    let code = make_code(&hub.hub, wanted).await.expect("code").text;
    let (mut phone, mut conn) = (Phone::new(NIGHT_MS), hub.connect().await);
    assert_eq!(phone.enrol(&mut conn, &code).await.status, 200);
    phone.start_log();
    (phone, conn)
}

/// What a test may want to name afterwards.
pub struct Night {
    pub hub: TestHub,
    pub landslide: String,
    pub quarrel: String,
    pub nasty: String,
    pub patrol: String,
}

/// Lives through the night.
pub async fn night() -> Night {
    let hub = TestHub::start().await;
    let file = yenban_hub::exchange::people::read(PEOPLE.as_bytes(), Words::new(Lang::Vi)).expect("file");
    hub.hub.store.import_people(file.rows, NIGHT_MS, hub.hub.commune(), hub.hub.item_signer()).await.expect("imported");
    let (mut first, mut conn) = phone_of(&hub, "Nà Phòn", "Lò Văn Páo").await;
    let (mut second, mut second_conn) = phone_of(&hub, "Piềng Vế", "Sùng A Chớ").await;

    // A patrol up the valley; the place is lost behind the ridge between 21:40 and 22:05 or so.
    let crew = vec![first.member];
    let start = record(&mut first, 10, Some(place(0, 0)), Act::PatrolStarted { crew });
    let way = [(0, 0), (70, 40), (150, 60), (230, 130), (300, 220), (390, 260)];
    for (n, (north, east)) in way.into_iter().enumerate() {
        record(&mut first, 11 + 5 * n as i64, Some(place(north, east)), check_in(start));
    }
    let landslide = report(
        &mut first,
        38,
        Some(place(420, 310)),
        "landslide",
        true,
        vec![
            said(Basis::Seen, "Đất lấp đường vào suối Nánh chừng 20 m, cây đổ ngang đường. Nước đục, dâng nhanh."),
            said(Basis::Heard, "Anh Sùng A Chớ ở Piềng Vế gọi: còn ba nhà dưới dốc chưa ra."),
            said(Basis::Think, "Có thể còn lở nữa nếu mưa tiếp."),
        ],
    );
    photo(&mut first, 39, landslide, 2_410_233, None);
    photo(&mut first, 40, landslide, 1_987_020, None);
    let lost = record(&mut first, 52, None, check_in(start));
    assert!(lost > start);
    for (n, (north, east)) in [(760, 420), (820, 330), (800, 210), (720, 130)].into_iter().enumerate() {
        record(&mut first, 66 + 6 * n as i64, Some(place(north, east)), check_in(start));
    }
    record(
        &mut first,
        90,
        Some(place(720, 130)),
        Act::IncidentAmended {
            incident: landslide, statements: vec![said(Basis::Seen, "Cả ba nhà đã ra, đang ở nhà văn hóa.")]
        },
    );
    record(&mut first, 95, Some(place(700, 120)), Act::PatrolFinished { patrol_seq: start, distance_m: 2_930 });

    let quarrel = report(
        &mut second,
        60,
        Some(place(1_020, 640)),
        "dispute",
        false,
        vec![said(Basis::Heard, "Hai nhà tranh nhau mương nước, đã mời hòa giải viên.")],
    );
    let nasty = report(
        &mut second,
        75,
        None,
        "theft",
        false,
        vec![said(Basis::Unstated, NASTY), said(Basis::Seen, "Na\u{300} Pho\u{300}n mất xe máy")],
    );
    let crew = vec![second.member];
    let out = record(&mut second, 100, Some(place(1_000, 600)), Act::PatrolStarted { crew });
    record(&mut second, 104, Some(place(1_040, 650)), check_in(out));

    hub.clock.pass(112 * MINUTE_MS);
    let ids = [alert(&hub, Severity::Severe, false, 107).await, alert(&hub, Severity::Moderate, true, 20).await];
    record(&mut first, 108, None, Act::AlertAnswered { alert: ids[0].clone(), answer: Answer::Seen });
    record(&mut second, 109, None, Act::AlertAnswered { alert: ids[0].clone(), answer: Answer::Going });
    record(&mut first, 110, None, Act::AlertAnswered { alert: ids[0].clone(), answer: Answer::Going });
    for (phone, conn) in [(&first, &mut conn), (&second, &mut second_conn)] {
        let answer = phone.push(conn, 0, phone.bodies.len() as u64 - 1).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }
    // A phone that joined without a name, and one that was lost.
    let lost = hub.phone("Khu dân cư Suối Đá Bạn Thượng Huổi Lót").await.0;
    yenban_hub::admin::revoke(&hub.hub, lost.device, true).await.expect("revoked");
    let patrol = EntryName { log: first.log, seq: start }.to_string();
    Night { hub, landslide: landslide.to_string(), quarrel: quarrel.to_string(), nasty: nasty.to_string(), patrol }
}

fn check_in(patrol: u64) -> Act {
    Act::CheckIn { patrol_seq: Some(patrol), checkpoint: None, note: None }
}

/// An alert for the first two hamlets, `minutes` into the night.
async fn alert(hub: &TestHub, severity: Severity, drill: bool, minutes: i64) -> String {
    let sent_ms = NIGHT_MS + minutes * MINUTE_MS;
    let alert = Alert {
        identifier: format!("yb-{severity:?}-{minutes}"),
        sender_name: "Công an xã".to_owned(),
        sent_ms,
        expires_ms: sent_ms + 6 * 60 * MINUTE_MS,
        status: if drill { Status::Exercise } else { Status::Actual },
        message_type: MessageType::Alert,
        severity,
        urgency: Urgency::Expected,
        headline: if drill {
            "Tập sơ tán khi có lũ quét".to_owned()
        } else {
            "Sạt lở ở suối Nánh, mưa còn to".to_owned()
        },
        description: "Mưa lớn từ chiều, đất đã lấp đường vào suối Nánh.".to_owned(),
        instruction: "Rời chân dốc. Lên nhà văn hóa bản.\nKhông quay lại lấy đồ.".to_owned(),
        hamlets: vec![HamletNo(1), HamletNo(2)],
        references: Vec::new(),
    };
    let id = alert.identifier.clone();
    let items = vec![ItemDraft { scope: Scope::Hamlet(HamletNo(1)), item: Item::Alert(alert.clone()), issued_ms: sent_ms }];
    let row = AlertRow { alert, officer: "Hà Văn Sơn".to_owned(), second: None, cap: None };
    assert!(hub.hub.store.raise_alert(row, items, hub.hub.item_signer()).await.expect("raised"));
    assert!(!hub.hub.store.alerts(ListQuery::default()).await.expect("alerts").is_empty());
    id
}
