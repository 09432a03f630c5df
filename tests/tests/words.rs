//! Holds the words: one string a code and language, both languages alike in ids and values, none of
//! the words that the product must not say, and no id in the sources that has no message.
//!
//! The tables are the product's vocabulary as agreed with the people who use it; a face that needs
//! another word changes the table first.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop loudly, its helpers too")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use unicode_normalization::is_nfc;
use yenban_locales::{Lang, Words};

/// Code, Vietnamese, English. The marks before states are shapes, the same in both languages.
const VOCABULARY: &[(&str, &str, &str)] = &[
    ("patrol", "Đi tuần", "Patrol"),
    ("check-in", "Báo có mặt", "Check in"),
    ("checkpoint", "Điểm tuần", "Checkpoint"),
    ("incident-report", "Báo vụ việc", "Report"),
    ("urgent", "Khẩn", "Urgent"),
    ("amend", "Bổ sung", "Add"),
    ("evidence-photo", "Ảnh hiện trường", "Scene photo"),
    ("voice-note", "Ghi lời kể", "Voice note"),
    ("basis-seen", "Tôi thấy", "I saw"),
    ("basis-heard", "Nghe kể", "I was told"),
    ("basis-think", "Tôi nghĩ", "I think"),
    ("unsent", "✓ Đã lưu, chờ gửi", "✓ Saved, to send"),
    ("sent", "✓→ Đã gửi, chờ xã nhận", "✓→ Sent, no receipt yet"),
    ("received", "✓✓ Đã tới xã", "✓✓ Received"),
    ("parked", "‖ Để riêng, cần xem", "‖ Set aside"),
    ("triage-seen", "Công an đã xem", "Seen by police"),
    ("triage-in-hand", "Đang xử lý", "In hand"),
    ("triage-needs-more", "Cần thêm tin", "Needs more"),
    ("triage-resolved", "Đã xong", "Resolved"),
    ("triage-passed-on", "Đã chuyển nơi khác", "Passed on"),
    ("outbox", "Chờ gửi", "To send"),
    ("alert", "Cảnh báo", "Alert"),
    ("severity-extreme", "Nguy cấp, làm ngay", "Act now"),
    ("severity-severe", "Nguy hiểm", "Danger"),
    ("severity-moderate", "Đề phòng", "Be ready"),
    ("severity-minor", "Để biết", "Information"),
    ("severity-unknown", "Chưa rõ mức", "Level unknown"),
    ("answer-seen", "Đã xem", "Seen"),
    ("answer-going", "Tôi tới", "I'm going"),
    ("answer-cannot", "Không tới được", "Can't come"),
    ("answer-done", "Đã xong", "Done"),
    ("drill", "DIỄN TẬP", "DRILL"),
    ("exercise", "Buổi diễn tập", "Exercise"),
    ("hand-over", "Giao máy", "Hand over phone"),
    ("lock", "Khóa", "Lock"),
    ("enrolment-code", "Mã vào tổ", "Joining code"),
    ("four-words", "Bốn từ đối chiếu", "Four words"),
    ("hub", "Máy xã", "Commune hub"),
    ("commune-police", "Công an xã", "Commune police"),
    ("hamlet", "Bản, xóm, thôn", "Hamlet"),
    ("group", "Tổ an ninh, trật tự", "Group"),
    ("group-leader", "Tổ trưởng", "Group leader"),
    ("member", "Tổ viên", "Member"),
    ("courier", "Gửi nhờ máy khác", "Send by another phone"),
    ("rescue-export", "Cứu việc chưa gửi", "Rescue unsent work"),
    ("gps-gap", "Không rõ vị trí", "Place unknown"),
    ("accuracy", "Sai số khoảng { $distance }", "Within about { $distance }"),
    ("mock-gps", "Vị trí từ ứng dụng khác", "Place from another app"),
    ("clock-wrong", "Giờ máy lệch", "Clock is off"),
    ("storage-full", "Máy hết chỗ lưu", "Storage full"),
    ("battery-saver", "Tiết kiệm pin", "Battery saver"),
    ("tip", "Dân báo tin", "Residents' tip"),
    ("denunciation", "Tố cáo", "Denunciation"),
    ("conciliation", "Hòa giải", "Conciliation"),
    ("weapons-handed-in", "Vũ khí giao nộp", "Weapons handed in"),
    ("activity", "Hoạt động", "Activity"),
    ("form", "Mẫu ghi", "Form"),
    ("monthly-report", "Báo cáo tháng", "Monthly report"),
    ("cluster", "Cụm liên kết", "Cluster"),
    ("score-sheet", "Phiếu tự chấm", "Score sheet"),
    ("duty-roster", "Lịch trực", "Duty roster"),
    ("allowance", "Tiền bồi dưỡng", "Allowance"),
    ("person-in-a-report", "Người được nhắc tới", "Person mentioned"),
];

/// Code, Vietnamese, English, what to do in Vietnamese.
const KINDS: &[(&str, &str, &str, &str)] = &[
    ("fire", "Cháy", "Fire", "Gọi người ra ngoài, không quay lại. 114"),
    ("flood", "Lũ, ngập", "Flood", "Lên cao, không lội nước chảy. 112"),
    ("landslide", "Sạt lở", "Landslide", "Rời chân dốc, báo từ xa. 112"),
    ("accident", "Tai nạn", "Accident", "Báo xe từ xa, không xê dịch người. 115"),
    ("medical", "Cấp cứu", "Medical", "Ở bên, làm theo lời 115."),
    ("missing_person", "Người mất liên lạc", "Missing person", "Ghi nơi, giờ thấy cuối. 112, 111"),
    ("fight", "Xô xát", "Fight", "Không xen vào giữa. 113"),
    ("family_violence", "Bạo lực gia đình", "Family violence", "Hỏi nhỏ, không chụp người. 113, 111"),
    ("weapon_found", "Vật nổ, vũ khí", "Weapon found", "Không chạm, lùi xa. 113"),
    ("trafficking", "Nghi mua bán người", "Possible trafficking", "Giữ kín, không tự giải cứu. 111, 113"),
    ("theft", "Nghi mất trộm", "Possible theft", "Không chạm đồ, ghi giờ phát hiện."),
    ("fraud", "Nghi lừa đảo", "Possible fraud", "Dừng chuyển tiền, giữ tin nhắn."),
    ("drugs_sign", "Dấu hiệu ma túy", "Drug sign", "Không cầm kim, gói."),
    ("gambling", "Nghi đánh bạc", "Possible gambling", "Không vào, không đôi co."),
    ("disorder", "Mất trật tự", "Disorder", "Nhắc nhẹ nếu an toàn."),
    ("dispute", "Mâu thuẫn", "Dispute", "Nghe hai bên, mời hòa giải viên."),
    ("border", "Việc ở biên giới", "Border event", "Không đuổi theo. Báo biên phòng."),
    ("forest", "Rừng bị chặt", "Forest cut", "Không đối đầu; ghi nơi, giờ."),
    ("road_power", "Hỏng đường, điện", "Road, power", "Không chạm dây; báo từ xa."),
    ("other", "Việc khác", "Other", "Kể việc đã thấy."),
];

/// What the phone says aloud, by its number from 1.
const PROMPTS: [&str; 12] = [
    "Đã lưu trong máy.",
    "Tất cả đã tới xã.",
    "Không có sóng. Máy sẽ gửi sau.",
    "Bắt đầu đi tuần. Đi cẩn thận.",
    "Đã báo có mặt.",
    "Đã kết thúc ca tuần.",
    "Chưa có vị trí. Cứ báo bình thường.",
    "Công an xã cảnh báo. Mở xem ngay.",
    "Diễn tập. Đây là diễn tập.",
    "Đã lưu việc khẩn. Hãy giữ an toàn.",
    "Máy hết chỗ cho ảnh. Hãy báo bằng chữ.",
    "Máy sắp hết pin.",
];

/// Words that judge people, claim powers the groups do not have, blame the reader, or are the wrong
/// word for a thing that has a right one.
const NEVER: &[&str] = &[
    // Guilt is for a court.
    "nghi phạm",
    "thủ phạm",
    "kẻ gian",
    "đối tượng",
    "con nghiện",
    "tù tha",
    "người lạ",
    // Not the group's powers; legal acts.
    "bắt giữ",
    "khống chế",
    "khám xét",
    "tịch thu",
    "thu giữ",
    "xử phạt",
    "lấy lời khai",
    "tố giác",
    "tin báo tội phạm",
    "vi phạm hành chính",
    // Peoples and religions.
    "người Kinh",
    "người Mông",
    "người Hmông",
    "người Thái",
    "người Mường",
    "người Dao",
    "người Tày",
    "người Nùng",
    "người Khơ Mú",
    "Công giáo",
    "Tin Lành",
    "Phật giáo",
    "Hồi giáo",
    "đạo lạ",
    // Never blame.
    "lỗi",
    "thất bại",
    // No "you" that ranks or flatters.
    "bạn",
    "anh",
    "chị",
    // Another word is the right one.
    "điểm danh",
    "chốt",
    "chứng cứ",
    "ghi âm",
    "dân phòng",
    "lương",
    "giả",
];

/// Words that English must not say either.
const NEVER_EN: &[&str] = &["suspect", "suspects", "culprit", "criminal", "criminals", "failed", "failure", "fault", "stranger"];

/// Files whose messages are used by one program here, so that an unused one is a leftover. The
/// others are the vocabulary of every face, phones' too.
const USED_HERE: [&str; 6] = ["errors.ftl", "reasons.ftl", "cli.ftl", "courier.ftl", "demo.ftl", "console.ftl"];

/// Values that are bounds or names, never one of a thing.
const NEVER_ONE: [&str; 4] = ["limit", "most", "path", "id"];

struct Message {
    file: &'static str,
    id: String,
    text: String,
    values: BTreeSet<String>,
}

fn messages(lang: Lang) -> Vec<Message> {
    let mut messages = Vec::new();
    for &(file, source) in lang.sources() {
        let resource = fluent_syntax::parser::parse(source).unwrap_or_else(|(_, errors)| panic!("{}/{file}: {errors:?}", lang.tag()));
        for entry in resource.body {
            let Entry::Message(message) = entry else {
                assert!(!matches!(entry, Entry::Term(_)), "{file}: terms differ by face, use messages");
                continue;
            };
            let pattern = message.value.expect("a message has a text");
            let mut values = BTreeSet::new();
            let mut text = String::new();
            read(&pattern, &mut text, &mut values);
            messages.push(Message { file, id: message.id.name.to_owned(), text, values });
        }
    }
    messages
}

/// The text with values written as `{ $name }`, and the names of the values.
fn read(pattern: &Pattern<&str>, text: &mut String, values: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => text.push_str(value),
            PatternElement::Placeable { expression } => {
                let selector = match expression {
                    Expression::Inline(inline) => inline,
                    Expression::Select { selector, variants } => {
                        for variant in variants {
                            read(&variant.value, text, values);
                        }
                        selector
                    }
                };
                match selector {
                    InlineExpression::VariableReference { id } => {
                        if matches!(expression, Expression::Inline(_)) {
                            text.push_str(&format!("{{ ${} }}", id.name));
                        }
                        values.insert(id.name.to_owned());
                    }
                    InlineExpression::StringLiteral { value } => text.push_str(value),
                    other => panic!("{other:?}: only values and plain text in messages"),
                }
            }
        }
    }
}

fn one_text(messages: &[Message], id: &str) -> String {
    let found: Vec<&Message> = messages.iter().filter(|message| message.id == id).collect();
    assert_eq!(found.len(), 1, "{id} has {} strings", found.len());
    found[0].text.clone()
}

#[test]
fn each_code_has_one_string_a_language() {
    let (vi, en) = (messages(Lang::Vi), messages(Lang::En));
    for (code, in_vi, in_en) in VOCABULARY {
        let id = format!("word-{code}");
        assert_eq!(one_text(&vi, &id), *in_vi, "{id}");
        assert_eq!(one_text(&en, &id), *in_en, "{id}");
    }
    let words = vi.iter().filter(|message| message.id.starts_with("word-")).count();
    assert_eq!(words, VOCABULARY.len(), "a word stands in words.ftl that the table does not have");
    for (code, in_vi, in_en, to_do) in KINDS {
        assert_eq!(one_text(&vi, &format!("kind-{code}")), *in_vi, "{code}");
        assert_eq!(one_text(&en, &format!("kind-{code}")), *in_en, "{code}");
        assert_eq!(one_text(&vi, &format!("kind-do-{code}")), *to_do, "{code}");
        assert_eq!(Words::new(Lang::Vi).kind(code), *in_vi);
        assert_eq!(Words::new(Lang::Vi).kind_advice(code), *to_do);
    }
    for (index, prompt) in PROMPTS.iter().enumerate() {
        assert_eq!(one_text(&vi, &format!("prompt-{}", index + 1)), *prompt);
    }
}

#[test]
fn both_languages_have_the_same_messages_with_the_same_values() {
    let shape = |lang| -> BTreeMap<(&'static str, String), BTreeSet<String>> {
        messages(lang).into_iter().map(|message| ((message.file, message.id), message.values)).collect()
    };
    let (vi, en) = (shape(Lang::Vi), shape(Lang::En));
    for (key, values) in &vi {
        let other = en.get(key).unwrap_or_else(|| panic!("{key:?} has no English"));
        assert_eq!(values, other, "{key:?}");
    }
    for key in en.keys() {
        assert!(vi.contains_key(key), "{key:?} has no Vietnamese");
    }
}

#[test]
fn no_id_stands_twice_and_every_text_is_nfc() {
    for lang in [Lang::Vi, Lang::En] {
        let mut seen = BTreeSet::new();
        for message in messages(lang) {
            assert!(seen.insert(message.id.clone()), "{} stands twice", message.id);
            assert!(!message.text.trim().is_empty(), "{} is empty", message.id);
        }
        for (file, text) in lang.sources() {
            assert!(is_nfc(text), "{}/{file} is not NFC", lang.tag());
        }
    }
}

/// The forbidden words that stand in a text as whole words, whatever their case.
fn forbidden<'a>(text: &str, never: &[&'a str]) -> Vec<&'a str> {
    let words = |text: &str| -> String {
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        format!(" {} ", words.join(" "))
    };
    let text = words(text);
    never.iter().copied().filter(|word| text.contains(&words(word))).collect()
}

#[test]
fn no_forbidden_word_is_said() {
    for message in messages(Lang::Vi) {
        let found = forbidden(&message.text, NEVER);
        assert!(found.is_empty(), "{}: {found:?} in {:?}", message.id, message.text);
    }
    for message in messages(Lang::En) {
        let found = forbidden(&message.text, NEVER_EN);
        assert!(found.is_empty(), "{}: {found:?} in {:?}", message.id, message.text);
    }
}

#[test]
fn the_forbidden_words_are_found_where_they_stand() {
    assert_eq!(forbidden("Đã thấy Kẻ  gian, gần bản.", NEVER), ["kẻ gian"]);
    assert_eq!(forbidden("LỖI: không ghi được", NEVER), ["lỗi"]);
    assert_eq!(forbidden("Ghi lời kể, lội suối, cả bản", NEVER), Vec::<&str>::new());
}

/// Messages in which a count stands before a plural outside of a choice between one and many: "1 incidents".
fn fixed_plurals(source: &str) -> Vec<String> {
    let plural = |line: &str| {
        line.match_indices("{ $").any(|(at, _)| {
            let Some((name, rest)) = line[at + 3..].split_once(" } ") else { return false };
            let word = rest.split(|c: char| !c.is_alphanumeric() && c != '-').next().unwrap_or_default();
            let ends = word.len() > 3 && word.ends_with('s') && !["this", "does", "less"].contains(&word) || word == "people";
            ends && !NEVER_ONE.contains(&name) && word.starts_with(|c: char| c.is_ascii_lowercase()) && !verb(word)
        })
    };
    let chosen = |line: &str| line.trim_start().starts_with(['[', '*']);
    source.lines().filter(|line| !chosen(line) && plural(line)).map(str::to_owned).collect()
}

/// What a name does is no plural.
fn verb(word: &str) -> bool {
    ["starts", "asks", "joins", "wants", "waits", "holds", "takes", "names", "differs"].contains(&word)
}

#[test]
fn no_count_stands_before_a_fixed_plural() {
    for (file, source) in Lang::En.sources() {
        let found = fixed_plurals(source);
        assert!(found.is_empty(), "en/{file}: choose between one and many:\n{}", found.join("\n"));
    }
    assert_eq!(fixed_plurals("a = of { $n } photos.\n    [one] { $n } photos\nb = { $name } joins").len(), 1);
}

/// One thing, one name: what leaves the hub with its proofs is called by the word of the glossary.
#[test]
fn the_bundle_has_one_name() {
    for message in messages(Lang::Vi) {
        let lower = message.text.to_lowercase();
        for other in ["tệp trích xuất", "hồ sơ", "bộ chứng thực"] {
            assert!(!lower.contains(other), "{}: {other}: say gói chứng thực", message.id);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Sources and page templates of the programs that speak.
fn speaking_sources() -> Vec<(PathBuf, String)> {
    let mut open = vec![root().join("cli"), root().join("hub"), root().join("locales/src")];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
            if path.is_dir() {
                open.push(path);
            } else if ["rs", "html", "txt", "svg", "xml"].contains(&kind) {
                files.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!files.is_empty());
    files
}

#[test]
fn every_id_that_is_said_has_a_message() {
    let words = Words::new(Lang::Vi);
    for (path, text) in speaking_sources() {
        for call in ["say(\"", "word(\""] {
            for (at, _) in text.match_indices(call) {
                let rest = &text[at + call.len()..];
                let id = rest.split('"').next().unwrap_or_default();
                // `password("..")` says nothing; nor does the one id that this crate's own test asks for in vain.
                let longer = text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
                if longer || id.starts_with("no-such-") {
                    continue;
                }
                assert!(words.has(id), "{}: there is no message {id}", path.display());
            }
        }
    }
}

#[test]
fn every_message_of_a_program_is_said_by_it() {
    let sources = speaking_sources();
    let unused: Vec<String> = messages(Lang::Vi)
        .into_iter()
        .filter(|message| USED_HERE.contains(&message.file))
        .filter(|message| {
            let quoted = format!("\"{}\"", message.id);
            !sources.iter().any(|(_, text)| text.contains(&quoted))
        })
        .map(|message| format!("{}: {}", message.file, message.id))
        .collect();
    assert!(unused.is_empty(), "no source says these, take them out:\n{}", unused.join("\n"));
}

#[test]
fn the_glossary_says_what_the_faces_say() {
    let glossary = fs::read_to_string(root().join("docs/GLOSSARY.md")).unwrap();
    let rows: Vec<Vec<&str>> = glossary
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let spoken = |text: &str| text.replace("{ $distance }", "12 m");
    for (code, vi, en) in VOCABULARY {
        let rows: Vec<&Vec<&str>> = rows.iter().filter(|row| row[0] == format!("`{code}`")).collect();
        assert_eq!(rows.len(), 1, "docs/GLOSSARY.md has {} rows for {code}", rows.len());
        assert_eq!(rows[0].len(), 4, "docs/GLOSSARY.md: code, Vietnamese, English, meaning: {code}");
        assert_eq!(rows[0][1], spoken(vi), "docs/GLOSSARY.md: {code}");
        assert_eq!(rows[0][2], spoken(en), "docs/GLOSSARY.md: {code}");
        assert!(!rows[0][3].is_empty(), "docs/GLOSSARY.md: {code} has no meaning");
    }
    for (code, vi, en, _) in KINDS {
        let row = format!("| `{code}` | {vi} | {en} |");
        assert!(glossary.contains(&row), "docs/GLOSSARY.md lacks: {row}");
    }
}
