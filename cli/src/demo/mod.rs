//! The newcomer's command: a hub, two phones and one night on patrol in one process, told line by line, then a table
//! of what was proved. Everything is real (TLS, sealed stores, signatures); only the night is made up.

mod evidence;
mod night;
mod photo;
mod proof;
mod relay;
mod told;
mod track;

use std::path::{Path, PathBuf};

use serde_json::json;
use yenban_core::place::{Picked, Spacing, every};
use yenban_locales::Words;
use yenban_protocol::directory::{self, Commune};

use crate::args::Values;
use crate::config::Environment;
use crate::fault::{Fault, Result, unwritable};
use crate::files;
use crate::output::Output;
use crate::phone::replay;
use night::Night;

/// The commune of the story: Mai Châu, among the communes the hamlets of the reports belong to.
const COMMUNE: &str = "05200";
/// Metres between two check-ins of the story.
const EVERY_M: f64 = 200.0;
/// Photographs that are made when none is given.
const PHOTOS: u32 = 2;
/// The walk ended so long before the story is told, milliseconds.
const WALK_ENDED_MS: i64 = 20 * 60_000;

/// What the story is told with.
struct Stage {
    commune: &'static Commune,
    walks: Vec<Vec<Picked>>,
    photos: Vec<PathBuf>,
}

/// `demo`.
pub(crate) fn run(values: Values<'_>, environment: &Environment, out: &Output) -> Result<()> {
    let words = out.words;
    let commune = directory::by_code(COMMUNE).ok_or_else(|| Fault::could_not("error-inside").with("reason", "directory"))?;
    let clock = yenban_core::clock::SystemClock::new();
    let now_ms = yenban_core::clock::Clock::wall_ms(&clock);
    let walks = walks(values, commune, now_ms - WALK_ENDED_MS, words)?;
    let given: Vec<PathBuf> = values.all("photo").into_iter().map(PathBuf::from).collect();
    for photo in &given {
        let file = files::open(photo, words)?;
        if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            return Err(Fault::usage("error-file-empty").at(photo));
        }
    }
    let kept = values.path("dir")?;
    let dir = folder(kept.as_deref(), environment, now_ms, words)?;
    // The folder of a story that ended in any way is not left behind, unless it was asked for.
    let _swept = kept.is_none().then(|| Swept(dir.clone()));
    let photos = if given.is_empty() { made_photos(&dir, now_ms, words)? } else { given };
    let stage = Stage { commune, walks, photos };
    let mut night = Night::begin(&dir, &stage, out)?;
    let checks = night.tell(&stage)?;
    told::table(&checks, out)?;
    let hub = night.hub_dir().display().to_string();
    let address = night.address();
    let console = night.console()?;
    let held = checks.iter().all(|check| check.held);
    let rows: Vec<_> = checks.iter().map(|check| json!({ "name": check.name, "said": check.said, "held": check.held })).collect();
    out.document(&json!({ "held": held, "checks": rows, "hub": hub, "address": address, "console": console }))?;
    if kept.is_some() {
        out.say("demo-kept", &[("path", dir.display().to_string().into())])?;
    }
    if values.on("open") {
        out.say("cli-hub-console", &[("console", console.unwrap_or_default().into())])?;
        out.line(&words.word("demo-until-stopped"))?;
        night.stay_open()?;
    }
    night.end()?;
    if held {
        return out.say("demo-all-held", &[("checks", checks.len().into())]);
    }
    let broken = checks.iter().filter(|check| !check.held).count();
    Err(Fault::no("demo-some-broken").count("n", broken as u64))
}

/// The walks given, or the one that is made; thinned to check-ins.
fn walks(values: Values<'_>, commune: &Commune, end_ms: i64, words: Words) -> Result<Vec<Vec<Picked>>> {
    let spacing = Spacing::Metres(EVERY_M);
    let given = values.all("track");
    if given.is_empty() {
        let made = track::round(commune.centre(), end_ms);
        let picked = every(&made, spacing).map_err(|error| Fault::could_not("error-inside").with("reason", error))?;
        return Ok(vec![picked]);
    }
    let read = |path: &&str| replay::thin(&replay::read(Path::new(path), words)?, spacing, Path::new(path), words);
    given.iter().map(read).collect()
}

/// A folder of the story's own.
fn folder(kept: Option<&Path>, environment: &Environment, now_ms: i64, words: Words) -> Result<PathBuf> {
    let dir = match kept {
        Some(dir) => {
            if std::fs::read_dir(dir).is_ok_and(|listing| listing.count() > 0) || dir.is_file() {
                return Err(Fault::usage("error-folder-not-empty").at(dir));
            }
            dir.to_path_buf()
        }
        None => environment.temporary.join(format!("yenban-demo-{}-{now_ms}", std::process::id())),
    };
    std::fs::create_dir_all(&dir).map_err(|error| unwritable(&dir, &error, words))?;
    Ok(dir)
}

fn made_photos(dir: &Path, now_ms: i64, words: Words) -> Result<Vec<PathBuf>> {
    let folder = dir.join("photos");
    std::fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error, words))?;
    (1..=PHOTOS)
        .map(|number| {
            let path = folder.join(format!("dem-tuan-{number}.jpg"));
            let jpeg = photo::landscape(number, &words.date_time(now_ms))?;
            std::fs::write(&path, jpeg).map_err(|error| unwritable(&path, &error, words))?;
            Ok(path)
        })
        .collect()
}

/// Removes a temporary folder at the end, however the end comes.
struct Swept(PathBuf);

impl Drop for Swept {
    fn drop(&mut self) {
        // What cannot be removed lies in the system's temporary folder and is removed with it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
