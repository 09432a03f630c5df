//! A photograph from the camera's file to evidence: what does it cost in time and memory?
//!
//! Ours: `capture_photo` through the public API: hashed and sealed in one pass, looked at, decoded from the sealed
//! file, two smaller copies sealed as well, everything named in the log, all of it synced. Beside it, in turns: Pillow
//! and sharp, which hash, decode and write two smaller copies to files, without sealing or syncing. Each round is a
//! process of its own, which reports the time of the work and the most memory it ever had.
//!
//! `bench-photo [--photo FILE.jpg] [--rounds N] [--dir DIR] [--sharp FOLDER-WITH-NODE-MODULES]`

#[path = "../../../core/tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use yenban_core::clock::SystemClock;
use yenban_core::store::Folder;
use yenban_core::{Phone, app::IfAbsent};

const AIM_MS: f64 = 110.0;
const AIM_MIB: f64 = 45.0;
type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const PILLOW: &str = r#"
import hashlib, io, resource, sys, time
from PIL import Image, ImageOps
path, out = sys.argv[1:3]
start = time.perf_counter()
data = open(path, 'rb').read()
hashlib.sha256(data).hexdigest()
image = Image.open(io.BytesIO(data))
image.draft('RGB', (1600, 1600))
image = ImageOps.exif_transpose(image)
image.thumbnail((1600, 1600), Image.LANCZOS)
image.save(out + '/preview.jpg', quality=80, subsampling=2)
image.thumbnail((256, 256), Image.LANCZOS)
image.save(out + '/thumbnail.jpg', quality=80, subsampling=2)
print((time.perf_counter() - start) * 1000, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"#;

const SHARP: &str = r#"
const { createHash } = require('crypto');
const { readFileSync } = require('fs');
const sharp = require(process.argv[4] + '/node_modules/sharp');
(async () => {
  const [path, out] = process.argv.slice(2, 4);
  const start = performance.now();
  const data = readFileSync(path);
  createHash('sha256').update(data).digest('hex');
  const jpeg = { quality: 80, chromaSubsampling: '4:2:0' };
  const preview = await sharp(data).rotate().resize(1600, 1600, { fit: 'inside' }).jpeg(jpeg).toBuffer();
  require('fs').writeFileSync(out + '/preview.jpg', preview);
  await sharp(preview).resize(256, 256, { fit: 'inside' }).jpeg(jpeg).toFile(out + '/thumbnail.jpg');
  console.log(performance.now() - start, process.resourceUsage().maxRSS / 1024);
})();
"#;

/// Makes the photographs of the benchmark from a real one, if there is one and Python is there.
const MAKE: &str = r#"
import sys
from PIL import Image
source, out = sys.argv[1:3]
image = Image.open(source).convert('RGB')
exif = Image.open(source).getexif()
for name, size in (('12mp', (4000, 3000)), ('48mp', (8000, 6000))):
    image.resize(size, Image.LANCZOS).save(f'{out}/{name}.jpg', quality=92, subsampling=2, exif=exif)
"#;

struct Options {
    photo: PathBuf,
    rounds: usize,
    dir: PathBuf,
    sharp: Option<PathBuf>,
}

fn main() -> Fallible<()> {
    let mut args = std::env::args().skip(1);
    let photos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/photos");
    let mut options = Options { photo: photos.join("iphone_hdr_NO.jpg"), rounds: 15, dir: std::env::temp_dir(), sharp: None };
    while let Some(flag) = args.next() {
        let value = args.next().ok_or("each option takes a value: --photo FILE --rounds N --dir DIR --sharp FOLDER")?;
        match flag.as_str() {
            "--photo" => options.photo = value.into(),
            "--rounds" => options.rounds = value.parse()?,
            "--dir" => options.dir = value.into(),
            "--sharp" => options.sharp = Some(value.into()),
            "--one" => return one(Path::new(&value), Path::new(&args.next().ok_or("--one FILE STORE")?)),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    let dir = options.dir.join(format!("yenban-bench-photo-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let done = run(&options, &dir);
    std::fs::remove_dir_all(&dir)?;
    done
}

/// One round in a process of its own: a phone that is enrolled already, one photograph.
fn one(photo: &Path, store: &Path) -> Fallible<()> {
    let clock = Box::new(SystemClock::new());
    let mut phone = Phone::open_software(Folder::at(store), clock, IfAbsent::Refuse)?;
    let before_mib = peak_mib()?;
    let start = Instant::now();
    let id = phone.capture_photo(photo, None, true)?;
    let elapsed_ms = start.elapsed().as_secs_f64() * 1_000.0;
    let peak = peak_mib()?;
    let copies = phone.photos(None)?.into_iter().find(|p| p.id == id).map_or(0, |p| p.previews.len());
    println!("{elapsed_ms} {peak} {before_mib} {copies}");
    Ok(())
}

/// The most memory this process ever had in use.
fn peak_mib() -> Fallible<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1_024.0)
}

fn run(options: &Options, dir: &Path) -> Fallible<()> {
    let store = dir.join("phone");
    let mut phone = Phone::open_software(Folder::at(&store), Box::new(SystemClock::new()), IfAbsent::Create)?;
    support::Commune::new().enrol(&mut phone, 7);
    drop(phone);
    let made = command("python3", &["-c", MAKE], &[&options.photo, dir]).status();
    if !made.is_ok_and(|status| status.success()) {
        return Err("the photographs of the benchmark are made with Pillow: python3 -m pip install pillow".into());
    }
    let photo = dir.join("12mp.jpg");
    println!("{} of {} bytes, {} rounds in turns", photo.display(), std::fs::metadata(&photo)?.len(), options.rounds);
    let own = std::env::current_exe()?;
    let mut sides: Vec<(&str, Command)> = vec![("yenban", command(&own, &["--one"], &[&photo, &store]))];
    sides.push(("Pillow", command("python3", &["-c", PILLOW], &[&photo, dir])));
    match &options.sharp {
        Some(folder) => {
            let script = dir.join("sharp.js");
            std::fs::write(&script, SHARP)?;
            sides.push(("sharp", command("node", &[], &[&script, &photo, dir, folder])));
        }
        None => println!("sharp is left out: npm install sharp in a folder, then --sharp FOLDER"),
    }
    let mut figures: Vec<Vec<Vec<f64>>> = vec![Vec::new(); sides.len()];
    for round in 0..=options.rounds {
        for (index, (name, side)) in sides.iter_mut().enumerate() {
            let round_of = read(name, side)?;
            // The first round fills the caches of the disk.
            if round > 0 {
                figures[index].push(round_of);
            }
        }
    }
    println!("{:<10} {:>10} {:>10} {:>10} {:>10}", "", "median ms", "best ms", "peak MiB", "ratio");
    let ours_ms = median(&figures[0], 0);
    for ((name, _), rounds) in sides.iter().zip(&figures) {
        // Neighbouring rounds are compared: a slow minute is slow for all.
        let ratios: Vec<Vec<f64>> = rounds.iter().zip(&figures[0]).map(|(theirs, ours)| vec![ours[0] / theirs[0]]).collect();
        let best = rounds.iter().map(|r| r[0]).fold(f64::MAX, f64::min);
        println!("{name:<10} {:>10.1} {best:>10.1} {:>10.1} {:>10.2}", median(rounds, 0), median(rounds, 1), median(&ratios, 0));
    }
    println!("before the photograph our process had {:.1} MiB", median(&figures[0], 2));
    println!("time at most {AIM_MS} ms: {}", verdict(ours_ms <= AIM_MS));
    println!("memory at most {AIM_MIB} MiB: {}", verdict(median(&figures[0], 1) <= AIM_MIB));
    let ahead = figures.iter().skip(1).all(|theirs| median(theirs, 0) > ours_ms);
    println!("ahead of all others: {}", verdict(ahead));
    larger(&own, dir, &store)
}

/// Memory must not grow with the file.
fn larger(own: &Path, dir: &Path, store: &Path) -> Fallible<()> {
    let bytes = std::fs::read(dir.join("48mp.jpg"))?;
    // The same picture with a long tail, as a motion photo has one.
    let mut tail = bytes.clone();
    tail.resize(200_000_000, 0x5A);
    std::fs::write(dir.join("200mb.jpg"), tail)?;
    for name in ["48mp.jpg", "200mb.jpg"] {
        let photo = dir.join(name);
        let one = read(name, &mut command(own, &["--one"], &[&photo, store]))?;
        println!("{name}: {} bytes, {:.0} ms, peak {:.1} MiB, {} smaller copies", std::fs::metadata(&photo)?.len(), one[0], one[1], one[3]);
    }
    Ok(())
}

fn command(program: impl AsRef<std::ffi::OsStr>, args: &[&str], paths: &[&Path]) -> Command {
    let mut command = Command::new(program);
    command.args(args).args(paths).stdin(Stdio::null()).stderr(Stdio::inherit());
    command
}

/// Figures that a round prints on its last line.
fn read(name: &str, command: &mut Command) -> Fallible<Vec<f64>> {
    let output = command.output().map_err(|e| format!("{name}: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().ok_or(format!("{name} printed nothing"))?;
    line.split_whitespace().map(|word| word.parse::<f64>().map_err(Into::into)).collect()
}

fn median(rounds: &[Vec<f64>], column: usize) -> f64 {
    let mut values: Vec<f64> = rounds.iter().filter_map(|round| round.get(column).copied()).collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn verdict(held: bool) -> &'static str {
    if held { "held" } else { "MISSED" }
}
