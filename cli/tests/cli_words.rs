//! One evening with good and bad input, read to the last word: nothing English in the Vietnamese answers, nothing
//! Vietnamese in the English ones but what people typed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use support::{Commune, Serving, json, run, yenban};

/// Words that Vietnamese does not have, told from what hub, core and system say in English.
const ENGLISH: &[&str] = &[
    "the",
    "is",
    "are",
    "was",
    "not",
    "of",
    "and",
    "has",
    "have",
    "it",
    "its",
    "this",
    "that",
    "with",
    "from",
    "by",
    "be",
    "file",
    "such",
    "directory",
    "picture",
    "received",
    "verified",
    "missing",
    "altered",
    "expected",
    "erased",
    "revoked",
    "active",
    "finished",
    "running",
    "member",
    "leader",
    "officer",
    "chief",
    "operator",
    "list",
    "hold",
    "release",
    "error",
    "started",
    "captured",
    "reported",
    "entry",
    "original",
    "thumbnail",
    "preview",
    "may",
    "still",
    "unexpected",
    "end",
    "os",
    "bytes",
    "characters",
    "between",
    "months",
    "orders",
];

/// Letters that only Vietnamese has.
const VIETNAMESE: &str = "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ";

/// What a person typed, or a machine made, and which has no language.
fn without_names(text: &str, typed: &[&str]) -> String {
    let mut text = text.to_owned();
    for name in typed {
        text = text.replace(name, " ");
    }
    let quoted = text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let word = |word: &&str| !word.contains('/') && !word.starts_with("--") && !word.contains(".tar") && !word.contains(".jpg");
    quoted.split_whitespace().filter(word).collect::<Vec<_>>().join(" ")
}

fn foreign(lang: &str, text: &str) -> Vec<String> {
    match lang {
        "vi" => {
            let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| ENGLISH.contains(word));
            words.map(str::to_owned).collect()
        }
        _ => text.chars().filter(|c| VIETNAMESE.contains(c.to_ascii_lowercase())).map(String::from).collect(),
    }
}

/// Runs commands and reads what they say.
struct Reader {
    lang: &'static str,
    commune: Commune,
    read: usize,
}

impl Reader {
    /// Says a command and gives its exit code; what it says is read.
    fn say(&mut self, args: &[&str]) -> i32 {
        let mut all = vec!["--lang", self.lang];
        all.extend_from_slice(args);
        let ended = run(&all);
        let told = format!("{}{}", ended.out, ended.err);
        let root = self.commune.folder.path().to_string_lossy().into_owned();
        let mut typed = vec![root.as_str(), "Công an xã Mai Châu", "Xã Mai Châu", "Nà Phòn", "Lò Văn Páo", "Hà Văn Sơn", "Lò Thị Hoa"];
        typed.extend(["Yên Bản"].into_iter().chain(args.iter().copied().filter(|arg| arg.len() > 2)));
        // What may be typed instead is offered in the words of the command line.
        let told = told.split(["Chọn một trong:", "Choose one of:"].as_slice()[usize::from(self.lang == "en")]).next().unwrap().to_owned();
        let strange = foreign(self.lang, &without_names(&told, &typed));
        assert!(strange.is_empty(), "{} {args:?}: {strange:?} in:\n{told}", self.lang);
        assert!(!told.contains("{$") && !told.contains("{ $") && !told.contains("error-"), "{told}");
        self.read += 1;
        ended.code
    }

    fn path(&self, name: &str) -> String {
        self.commune.path(name)
    }
}

fn evening(lang: &'static str) {
    let mut reader = Reader { lang, commune: Commune::new(), read: 0 };
    let (dir, phone) = (reader.path("x"), reader.path("p"));
    reader.say(&["hub", "init", "--dir", &dir, "--commune", "05200", "--name", "Công an xã Mai Châu", "--officer", "Hà Văn Sơn"]);
    let mut serve = yenban();
    serve.args(["hub", "serve", "--dir", &dir, "--listen", "127.0.0.1:0"]);
    let serving = Serving::begin(serve);
    for (store, role, name) in [("p", "member", "Lò Văn Páo"), ("q", "officer", "Lò Thị Hoa"), ("r", "officer", "Hà Văn Sơn")] {
        let enrol = ["hub", "enrol", "--dir", &dir, "--hamlet", "Nà Phòn", "--create", "--role", role, "--name", name];
        let code = json(&enrol)["code"].as_str().unwrap().to_owned();
        assert_eq!(reader.say(&["phone", "--store", &reader.path(store), "enrol", &code]), 0);
        assert_eq!(reader.say(&["phone", "--store", &reader.path("again"), "enrol", &code]), 1);
    }
    let photo = |name: &str, bytes: &[u8]| {
        std::fs::write(reader.path(name), bytes).unwrap();
        reader.path(name)
    };
    let good = photo("anh.jpg", &[b"\xff\xd8\xff\xe0 a picture".as_slice(), &[7; 5_000]].concat());
    let (svg, empty) = (photo("a.jpg", b"<svg xmlns=\"x\"/>"), photo("e.jpg", b""));
    let large = photo("l.jpg", b"\xff\xd8\xff\xe0");
    std::fs::File::options().write(true).open(&large).unwrap().set_len(300 * 1024 * 1024).unwrap();
    for (bad, code) in [(svg.as_str(), 2), (&empty, 2), (&large, 2), (&dir, 3), ("/dev/zero", 2), ("/no/such.jpg", 3)] {
        let report = ["phone", "--store", &phone, "report", "--kind", "theft", "--text", "xe", "--photo", bad];
        assert_eq!(reader.say(&report), code, "{bad}");
    }
    for step in ["start", "start", "check-in", "pause", "pause", "resume", "finish", "finish"] {
        reader.say(&["phone", "--store", &phone, "patrol", step]);
    }
    assert_eq!(reader.say(&["phone", "--store", &phone, "report", "--kind", "theft", "--text", "xe", "--photo", &good]), 0);
    let looks = ["outbox", "status", "incidents", "patrols", "check", "feed", "alerts", "witness"];
    for look in looks.into_iter().chain(["sync"]).chain(looks) {
        reader.say(&["phone", "--store", &phone, look]);
    }
    let alert = ["hub", "alert", "--dir", &dir, "--headline", "h", "--description", "d", "--severity", "Severe", "--hamlet"];
    for more in [&["Nà Phòn"][..], &["Nà"], &["Nà Phòn", "--expires", "400d"]] {
        reader.say(&[&alert[..], more].concat());
    }
    let item = json(&["hub", "list", "--dir", &dir, "evidence"])[0]["id"].as_str().unwrap().to_owned();
    let officers = ["--officer", "Hà Văn Sơn", "--second", "Lò Thị Hoa"];
    let hold = |item: &str, more: &[&str]| -> Vec<String> {
        ["hub", "hold", "--dir", &dir, item].iter().chain(more).chain(&officers).map(|arg| (*arg).to_owned()).collect()
    };
    // A hold: too long, for nothing, not there to be ended, of no item, and a good one with its end.
    for (item, more, code) in [
        (item.as_str(), &["--case", "12", "--for", "400d"][..], 2),
        (&item, &["--case", " "], 2),
        (&item, &["--release", "--why", "x"], 1),
        ("x", &["--case", "12"], 2),
        (&item, &["--case", "12"], 0),
        (&item, &["--release", "--why", "x"], 0),
    ] {
        let args = hold(item, more);
        assert_eq!(reader.say(&args.iter().map(String::as_str).collect::<Vec<_>>()), code, "{more:?}");
    }
    let out = reader.path("vu.tar");
    let exported = ["hub", "export", "--dir", &dir, "--format", "bundle", "--out", &out];
    assert_eq!(reader.say(&exported), 0);
    assert_eq!(reader.say(&exported), 2);
    assert_eq!(reader.say(&["hub", "export", "--dir", &dir, "--format", "csv", "--out", "/no/such/x.csv"]), 3);
    assert_eq!(reader.say(&["hub", "backup", "--dir", &dir, "--file", "/no/such/backup"]), 3);
    reader.say(&["hub", "restore", "--dir", &reader.path("new"), "--file", &out, "--recovery-file", &format!("{dir}.recovery")]);
    for (file, code) in [(out.as_str(), 0), (&dir, 3), ("/dev/zero", 3), (&empty, 1), (&svg, 1), ("/no/such.tar", 3)] {
        assert_eq!(reader.say(&["verify", file]), code, "{file}");
    }
    assert_eq!(reader.say(&["verify", &out, "--root", &"0".repeat(64)]), 1);
    for list in ["incidents", "patrols", "check-ins", "evidence", "alerts", "devices", "quarantine", "audit"] {
        assert_eq!(reader.say(&["hub", "list", "--dir", &dir, list]), 0);
    }
    drop(serving);
    // Somebody cleared the folder of files.
    std::fs::remove_dir_all(format!("{dir}/objects")).unwrap();
    std::fs::create_dir(format!("{dir}/objects")).unwrap();
    for look in ["check", "status"] {
        reader.say(&["hub", look, "--dir", &dir]);
    }
    let gone = reader.path("gone.tar");
    reader.say(&["hub", "export", "--dir", &dir, "--format", "bundle", "--out", &gone]);
    assert_eq!(reader.say(&["verify", &gone]), 1);
    reader.say(&["phone", "--store", &phone, "sync"]);
    println!("{}: {} answers read", lang, reader.read);
    assert!(reader.read > 70);
}

#[test]
fn nothing_english_is_said_in_vietnamese() {
    evening("vi");
}

#[test]
fn nothing_vietnamese_is_said_in_english() {
    evening("en");
}

#[test]
fn the_reader_knows_both_languages() {
    assert_eq!(foreign("vi", "ảnh: it is no picture but SVG"), ["it", "is", "picture"]);
    assert!(foreign("vi", "Không đọc được tệp: đó là thư mục.").is_empty());
    assert!(!foreign("en", "không").is_empty());
    assert_eq!(without_names("run `yenban hub list` --out x", &["x"]), "run");
}

/// A file of a bundle: what follows is told with advice that fits.
#[test]
fn advice_fits_what_is_wrong_with_a_bundle() {
    let commune = Commune::serving();
    let (dir, phone, out) = (commune.dir(), commune.phone("p", "Nà Phòn"), commune.path("vu.tar"));
    std::fs::write(commune.path("anh.jpg"), [b"\xff\xd8\xff\xe0 a picture".as_slice(), &[7; 5_000]].concat()).unwrap();
    let photo = commune.path("anh.jpg");
    assert_eq!(run(&["phone", "--store", &phone, "report", "--kind", "theft", "--text", "xe", "--photo", &photo]).code, 0);
    assert_eq!(run(&["phone", "--store", &phone, "sync", "--until-empty", "--max-seconds", "60"]).code, 0);
    let export = |out: &str| assert_eq!(run(&["hub", "export", "--dir", &dir, "--format", "bundle", "--out", out]).code, 0);
    let told = |file: &str| run(&["--lang", "en", "verify", file]).err;
    export(&out);
    let good = std::fs::read(&out).unwrap();
    // The purpose that nobody gave is Vietnamese, like the minute it stands in, whoever exports.
    let english = commune.path("en.tar");
    assert_eq!(run(&["--lang", "en", "hub", "export", "--dir", &dir, "--format", "bundle", "--out", &english]).code, 0);
    assert_eq!(json(&["verify", &english])["purpose"], "không nêu mục đích");
    assert!(run(&["--lang", "en", "verify", &english]).out.contains("purpose: purpose not stated"));
    std::fs::write(commune.path("cut.tar"), &good[..good.len() - 700]).unwrap();
    assert!(told(&commune.path("cut.tar")).contains("send this bundle again, whole"), "{}", told(&commune.path("cut.tar")));
    let mut changed = good.clone();
    changed[good.windows(10).position(|window| window == b" a picture").unwrap()] ^= 1;
    std::fs::write(commune.path("bad.tar"), &changed).unwrap();
    assert!(told(&commune.path("bad.tar")).contains("keep this file to compare"), "{}", told(&commune.path("bad.tar")));
    // What is wrong at the hub itself is not mended by asking for the same file again.
    std::fs::remove_dir_all(format!("{dir}/objects")).unwrap();
    std::fs::create_dir(format!("{dir}/objects")).unwrap();
    let checked = run(&["hub", "check", "--dir", &dir]);
    assert_eq!(checked.code, 1, "{checked:?}");
    export(&commune.path("gone.tar"));
    let gone = told(&commune.path("gone.tar"));
    assert!(gone.contains("ask for a new bundle when it is back") && !gone.contains("again, whole"), "{gone}");
}
