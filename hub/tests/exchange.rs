//! Files in and out against the real store: a province's people within seconds and never twice; a night read back
//! by the readers that maps and navigation devices use.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/night.rs"]
mod night;
mod support;

use night::night;
use support::{NIGHT_MS, TestHub};
use yenban_hub::clock::{Clock as _, SystemClock};
use yenban_hub::exchange::{ExportTotals, Format, Scope, export, people};
use yenban_hub::store::{ImportTotals, ListQuery};
use yenban_hub::{HubError, Refusal};
use yenban_locales::{Lang, Words};
use yenban_protocol::id::Role;

async fn import(hub: &TestHub, text: &str) -> Result<ImportTotals, HubError> {
    let file = people::read(text.as_bytes(), Words::new(Lang::Vi))?;
    hub.hub.store.import_people(file.rows, NIGHT_MS, hub.hub.commune(), hub.hub.item_signer()).await
}

/// 1,428 hamlets, 1,482 groups, 4,459 members, as a province's report counts them.
fn province() -> String {
    let mut text = String::from("\u{FEFF}bản;vĩ độ;kinh độ;tổ;họ tên;vai trò\r\n");
    let mut members = 0;
    for group in 0..1_482 {
        let hamlet = group % 1_428;
        for place in 0..if group < 13 { 4 } else { 3 } {
            let (role, name) = if place == 0 { ("Tổ trưởng", "Lò Văn Páo") } else { ("Tổ viên", "Hà Thị Dơ") };
            let north = 20.0 + f64::from(hamlet) * 0.000_5;
            text.push_str(&format!("Bản Nà Phòn {hamlet};{north:.5};105,08345;Tổ {group};{name} {members};{role}\r\n"));
            members += 1;
        }
    }
    assert_eq!(members, 4_459);
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_province_comes_in_within_seconds_and_never_twice() {
    let hub = TestHub::start().await;
    let text = province();
    let started = SystemClock.now_ms();
    let totals = import(&hub, &text).await.unwrap();
    let took_ms = SystemClock.now_ms() - started;
    println!("1,428 hamlets, 1,482 groups, 4,459 members imported in {took_ms} ms");
    assert_eq!((totals.hamlets, totals.groups, totals.members), (1_428, 1_482, 4_459));
    assert!(took_ms < 20_000, "{took_ms} ms, unoptimised build");

    let again = import(&hub, &text).await.unwrap();
    assert_eq!((again.hamlets, again.groups, again.members), (0, 0, 0));
    // A member who became leader is changed, not doubled.
    let promoted = "bản;tổ;họ tên;vai trò\nBản Nà Phòn 7;Tổ 7;Hà Thị Dơ 29;tổ trưởng\n";
    assert_eq!(import(&hub, promoted).await.unwrap().members, 0);
    let people = hub.hub.store.people().await.unwrap();
    assert_eq!((people.hamlets.len(), people.groups.len(), people.members.len()), (1_428, 1_482, 4_460), "and the chief");
    let named: Vec<_> = people.members.iter().filter(|member| member.name == "Hà Thị Dơ 29").collect();
    assert_eq!((named.len(), named[0].role), (1, Role::Leader));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joined_before_the_list_came_is_not_doubled() {
    let hub = TestHub::start().await;
    import(&hub, "bản;họ tên\nNà Phòn;Lò Văn Páo\n").await.unwrap();
    let list = "bản;tổ;họ tên;vai trò\nNà Phòn;Tổ Nà Phòn;Lò Văn Páo;tổ trưởng\nNà Phòn;Tổ Nà Phòn;Hà Thị Mai;tổ viên\n";
    let totals = import(&hub, list).await.unwrap();
    assert_eq!((totals.members, totals.updated), (1, 1));
    let people = hub.hub.store.people().await.unwrap();
    let named: Vec<_> = people.members.iter().filter(|member| member.name == "Lò Văn Páo").collect();
    assert_eq!((named.len(), named[0].role, named[0].group), (1, Role::Leader, people.groups[0].no));
    let again = import(&hub, list).await.unwrap();
    assert_eq!((again.members, again.updated, again.unchanged), (0, 0, 2));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_row_and_nothing_comes_in() {
    let hub = TestHub::start().await;
    let text = format!("{};;;;Thiếu bản;tổ viên\r\n", province());
    match import(&hub, &text).await {
        Err(HubError::Refused(Refusal::BadRows(rows))) => assert_eq!((rows.len(), rows[0].line), (1, 4_461)),
        other => panic!("{other:?}"),
    }
    assert!(hub.hub.store.people().await.unwrap().hamlets.is_empty());
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_goes_out_and_reads_back() {
    let night = night().await;
    let hub = &night.hub.hub;
    let out = |name: &str| night.hub.temp.path().join(name);
    let write = async |format: Format, scope: Scope, name: &str| export(hub, format, &scope, &out(name), "operator", "báo cáo tháng").await;
    let all = ExportTotals { patrols: 2, check_ins: 12, incidents: 3 };

    assert_eq!(write(Format::GeoJson, Scope::default(), "night.geojson").await.unwrap(), all);
    let read: geojson::FeatureCollection = std::fs::read_to_string(out("night.geojson")).unwrap().parse().unwrap();
    assert_eq!(read.features.len(), 17);
    let lines = |feature: &geojson::Feature| match feature.geometry.as_ref().map(|geometry| &geometry.value) {
        Some(geojson::GeometryValue::MultiLineString { coordinates }) => Some(coordinates.iter().map(Vec::len).collect::<Vec<_>>()),
        _ => None,
    };
    assert_eq!(read.features.iter().filter_map(lines).collect::<Vec<_>>(), [vec![6, 4]], "cut at the gap; one place is no line");

    assert_eq!(write(Format::Gpx, Scope::default(), "night.gpx").await.unwrap().patrols, 2);
    let read = gpx::read(std::fs::File::open(out("night.gpx")).unwrap()).unwrap();
    let mut segments: Vec<Vec<usize>> =
        read.tracks.iter().map(|track| track.segments.iter().map(|segment| segment.points.len()).collect()).collect();
    segments.sort();
    assert_eq!(segments, [vec![1], vec![6, 4]]);
    assert_eq!(read.waypoints.len(), 2, "a report without a place has no waypoint");

    assert_eq!(write(Format::Csv, Scope::default(), "night.csv").await.unwrap(), all);
    let table = std::fs::read_to_string(out("night.csv")).unwrap();
    assert!(table.starts_with("\u{FEFF}") && table.contains("Na\u{300} Pho\u{300}n mất xe máy"));

    let one = Scope { incident: Some(night.landslide.clone()), ..Scope::default() };
    assert_eq!(write(Format::GeoJson, one, "one.geojson").await.unwrap(), ExportTotals { incidents: 1, ..ExportTotals::default() });
    let later = Scope { since_ms: Some(NIGHT_MS + 365 * 86_400_000), ..Scope::default() };
    assert_eq!(write(Format::Csv, later, "later.csv").await.unwrap(), ExportTotals::default());
    let none = Scope { incident: Some("ffffffffffffffff:9".to_owned()), ..Scope::default() };
    assert!(matches!(write(Format::Gpx, none, "none.gpx").await, Err(HubError::Refused(Refusal::NotFound { .. }))));
    let mut names: Vec<_> =
        std::fs::read_dir(night.hub.temp.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.contains("night.") || name.contains("none") || name.contains("partial"));
    names.sort();
    assert_eq!(names, ["night.csv", "night.geojson", "night.gpx"], "nothing half written stays");

    let audit = hub.store.audit(ListQuery::default()).await.unwrap();
    let told = audit.iter().filter(|row| row.action.starts_with("export ") && row.purpose == "báo cáo tháng").count();
    assert_eq!(told, 6, "each attempt stands in the read log");
    night.hub.stop().await;
}
