//! Makes the product's directory of communes from the published tables.
//!
//! `cargo xtask directory --communes FILE.csv --former FILE.csv [--out DIR]` writes `communes.tsv` and
//! `former_communes.tsv` into `protocol/data`. The result depends on the two files alone, and a test compares it with
//! what is checked in whenever the sources are at hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The words before a name and the letters that stand for them in the data.
const KINDS: [(&str, char); 4] = [("Xã ", 'X'), ("Phường ", 'P'), ("Đặc khu ", 'D'), ("Thị trấn ", 'T')];

const HEAD: &str = "# Made by `cargo xtask directory`; source and meaning in README.md. Do not edit by hand.\n";

/// Runs the step. `args` are the words after `directory`.
///
/// # Errors
/// A sentence that says which argument, file or line is wrong.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let mut communes = None;
    let mut former = None;
    let mut out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/data");
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match *word {
            "--communes" => communes = Some(PathBuf::from(value)),
            "--former" => former = Some(PathBuf::from(value)),
            "--out" => out = PathBuf::from(value),
            _ => return Err(format!("unknown argument {word}: give --communes FILE --former FILE [--out DIR]")),
        }
    }
    let communes = communes.ok_or("--communes FILE is missing")?;
    let former = former.ok_or("--former FILE is missing")?;
    let made = make(&communes, &former)?;
    for note in &made.notes {
        println!("note: {note}");
    }
    write(&out.join("communes.tsv"), &made.communes)?;
    write(&out.join("former_communes.tsv"), &made.former)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{}: {} lines, {} bytes", path.display(), text.lines().count(), text.len());
    Ok(())
}

struct Made {
    communes: String,
    former: String,
    /// What the source contradicts itself in, and what was believed.
    notes: Vec<String>,
}

fn make(communes: &Path, former: &Path) -> Result<Made, String> {
    let mut notes = Vec::new();
    let rows = read(communes, ["commune_code", "commune", "commune_type", "province_code", "province", "lat", "lon", "area_km2"])?;
    let mut provinces: BTreeMap<String, (String, BTreeMap<String, String>)> = BTreeMap::new();
    let mut province_of: BTreeMap<String, String> = BTreeMap::new();
    for [code, full_name, kind, province_code, province, lat, lon, area] in rows {
        let (letter, name) = split_name(&full_name)?;
        if KINDS.iter().any(|(word, known)| *known == letter && word.trim_end() != kind) {
            notes.push(format!("{code} {full_name} is listed as {kind}: its name is believed"));
        }
        let area = match area.as_str() {
            "" | "0" | "0.0" => {
                notes.push(format!("{code} {full_name} has no area"));
                ""
            }
            figure => plain(figure)?,
        };
        let line = format!("{}\t{letter}\t{name}\t{}\t{}\t{area}\n", digits(&code, 5)?, plain(&lat)?, plain(&lon)?);
        let entry = provinces.entry(digits(&province_code, 2)?.to_owned()).or_insert_with(|| (province.clone(), BTreeMap::new()));
        if entry.0 != province || entry.1.insert(code.clone(), line).is_some() {
            return Err(format!("{code} is there twice, or province {province_code} has two names"));
        }
        province_of.insert(code, province_code);
    }
    let mut text = HEAD.to_owned();
    for (code, (name, lines)) in &provinces {
        text.push_str(&format!("={code}\t{name}\n"));
        text.extend(lines.values().map(String::as_str));
    }
    let former = make_former(former, &province_of)?;
    Ok(Made { communes: text, former, notes })
}

fn make_former(path: &Path, province_of: &BTreeMap<String, String>) -> Result<String, String> {
    let rows = read(path, ["former_code", "former_commune", "former_district", "former_province", "lat", "lon"])?;
    let mut by_province: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for [code, full_name, district, province, lat, lon] in rows {
        let (letter, name) = split_name(&full_name)?;
        let line = format!("{}\t{letter}\t{name}\t{district}\t{}\t{}\n", digits(&code, 5)?, plain(&lat)?, plain(&lon)?);
        if by_province.entry(province).or_default().insert(code.clone(), line).is_some() {
            return Err(format!("former commune {code} is there twice"));
        }
    }
    let mut text = HEAD.to_owned();
    for (province, lines) in &by_province {
        // The province a former one became part of is where its codes live on: all of them in one, or the source is odd.
        let heirs: BTreeSet<&String> = lines.keys().filter_map(|code| province_of.get(code)).collect();
        let [heir] = heirs.into_iter().collect::<Vec<_>>()[..] else {
            return Err(format!("the codes of the former {province} live on in no province, or in several"));
        };
        text.push_str(&format!("={heir}\t{province}\n"));
        text.extend(lines.values().map(String::as_str));
    }
    Ok(text)
}

/// The rows of a CSV file with exactly these columns first among its columns by name.
fn read<const N: usize>(path: &Path, columns: [&str; N]) -> Result<Vec<[String; N]>, String> {
    let failed = |error: csv::Error| format!("{}: {error}", path.display());
    let mut reader = csv::Reader::from_path(path).map_err(failed)?;
    let headers = reader.headers().map_err(failed)?.clone();
    let mut places = [0; N];
    for (place, column) in places.iter_mut().zip(columns) {
        *place =
            headers.iter().position(|header| header == column).ok_or_else(|| format!("{}: there is no column {column}", path.display()))?;
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let row = places.map(|place| record.get(place).unwrap_or_default().trim().to_owned());
        if row.iter().any(|field| field.contains(['\t', '\n', '\r'])) {
            return Err(format!("{}: a field holds a tab or a line break", path.display()));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn split_name(full_name: &str) -> Result<(char, &str), String> {
    KINDS
        .iter()
        .find_map(|(word, letter)| Some((*letter, full_name.strip_prefix(word)?)))
        .ok_or_else(|| format!("{full_name} begins with no kind of commune"))
}

fn digits(code: &str, count: usize) -> Result<&str, String> {
    let right = code.len() == count && code.bytes().all(|byte| byte.is_ascii_digit());
    right.then_some(code).ok_or_else(|| format!("{code} is no code of {count} digits"))
}

/// A decimal number as it stands, without zeros that say nothing.
fn plain(number: &str) -> Result<&str, String> {
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(format!("{number:?} is no plain decimal number"));
    }
    Ok(match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_data_are_up_to_date() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let source = root.join("../../shared/data/admin");
        let (communes, former) = (source.join("communes.csv"), source.join("former_communes_hoa_binh.csv"));
        if !communes.exists() || !former.exists() {
            println!("skipped: the tables of the communes are not there");
            return;
        }
        let made = make(&communes, &former).expect("the published tables");
        let kept = |file: &str| fs::read_to_string(root.join("../protocol/data").join(file)).expect("checked in");
        assert!(made.communes == kept("communes.tsv"), "run cargo xtask directory");
        assert!(made.former == kept("former_communes.tsv"), "run cargo xtask directory");
    }

    #[test]
    fn a_wrong_table_is_refused_with_a_sentence() {
        let folder = std::env::temp_dir().join(format!("yenban-xtask-directory-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        let file = folder.join("communes.csv");
        let refusal = |text: &str| {
            fs::write(&file, text).expect("written");
            make(&file, &file).err().unwrap_or_default()
        };
        assert!(refusal("a,b\n").ends_with("there is no column commune_code"));
        let head = "commune_code,commune,commune_type,province_code,province,lat,lon,area_km2\n";
        assert_eq!(refusal(&format!("{head}05200,Mai Châu,Xã,25,P,1,1,1\n")), "Mai Châu begins with no kind of commune");
        assert_eq!(refusal(&format!("{head}5200,Xã A,Xã,25,P,1,1,1\n")), "5200 is no code of 5 digits");
        assert_eq!(refusal(&format!("{head}05200,Xã A,Xã,25,P,NaN,1,1\n")), "\"NaN\" is no plain decimal number");
        fs::remove_dir_all(&folder).expect("removed");
    }
}
