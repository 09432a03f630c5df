//! One phone, two members, no network: the phone goes from hand to hand, nobody reads what another wrote, and everything
//! that was not sent arrives later under the name of whoever did it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use serde_json::Value;
use support::{Commune, json, ok, run};

const PEOPLE: &str = "bản;vĩ độ;kinh độ;tổ;họ tên;vai trò\n\
    Nà Phòn;20,6612;105,0851;Tổ bản Nà Phòn;Lò Văn Páo;tổ trưởng\n\
    Nà Phòn;;;Tổ bản Nà Phòn;Hà Thị Dơ;tổ viên\n\
    Piềng Vế;20,6701;105,0912;Tổ bản Piềng Vế;Sùng A Chớ;tổ trưởng\n";

#[test]
fn a_shared_phone_goes_from_hand_to_hand_without_network() {
    let mut commune = Commune::new();
    let dir = commune.dir();
    let list = commune.path("danh-sach.csv");
    std::fs::write(&list, PEOPLE).unwrap();
    ok(&["hub", "import", "--dir", &dir, &list]);
    commune.serve();
    let code = ok(&["hub", "enrol", "--dir", &dir, "--hamlet", "Nà Phòn", "--role", "leader", "--name", "Lò Văn Páo"]).last_line();
    let store = commune.path("may-1");
    let phone = |more: &[&str]| run(&[&["phone", "--store", store.as_str()], more].concat());
    let told = |more: &[&str]| json(&[&["phone", "--store", store.as_str()], more].concat());
    assert_eq!(phone(&["enrol", &code]).code, 0);
    assert_eq!(phone(&["sync", "--until-empty"]).code, 0, "the list of people comes");
    let member = |name: &str| {
        let feed = told(&["status"]);
        let pao = feed["member"].as_u64().unwrap_or_else(|| panic!("{feed}"));
        // Numbers are given in the order of the clerk's list.
        match name {
            "Lò Văn Páo" => pao.to_string(),
            _ => (pao + 1).to_string(),
        }
    };
    let (pao, do_) = (member("Lò Văn Páo"), member("Hà Thị Dơ"));

    commune.kill();
    assert_eq!(phone(&["patrol", "start"]).code, 0);
    assert_eq!(phone(&["report", "--kind", "theft", "--text", "Mất gà nhà ông Páo", "--basis", "seen"]).code, 0);
    let handed = phone(&["handover", &do_]);
    assert_eq!(handed.code, 0, "{handed:?}");
    assert_eq!(told(&["incidents"]), serde_json::json!([]), "the next one reads nothing of the last one");
    assert!(!phone(&["search", "ga"]).out.contains("Mất gà"));
    assert_eq!(told(&["status"])["member"].as_u64().unwrap().to_string(), do_);
    assert_eq!(phone(&["report", "--kind", "dispute", "--text", "Hai nhà tranh mương", "--basis", "heard"]).code, 0);
    assert_eq!(told(&["incidents"]).as_array().unwrap().len(), 1);
    assert_eq!(phone(&["handover", &pao]).code, 0);
    let own: Vec<Value> = told(&["incidents"]).as_array().unwrap().clone();
    assert!(own.len() == 1 && own[0].to_string().contains("Mất gà"), "{own:?}");
    assert!(!own[0].to_string().contains("mương"));
    assert_eq!(phone(&["handover", &pao]).code, 2, "to oneself");
    assert_eq!(phone(&["handover", "999"]).code, 2, "to nobody known");
    assert_eq!(phone(&["sync", "--once"]).code, 3, "the hub cannot be reached, and nothing is lost by trying");
    assert_eq!(told(&["check"])["faults"], serde_json::json!([]));

    commune.serve();
    assert_eq!(phone(&["sync", "--until-empty"]).code, 0);
    let mut came: Vec<(String, String)> = commune
        .list("incidents")
        .iter()
        .map(|row| (row["kind"].as_str().unwrap().to_owned(), row["author"].as_str().unwrap_or_else(|| panic!("{row}")).to_owned()))
        .collect();
    came.sort();
    let said = |kind: &str, who: &str| (kind.to_owned(), who.to_owned());
    assert_eq!(came, [said("dispute", "Hà Thị Dơ"), said("theft", "Lò Văn Páo")]);
}
