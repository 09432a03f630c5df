//! Reading the embedded tables: strict, so that a slip in the data fails a test and not a patrol.

use super::{Commune, CommuneKind, Data, FormerCommune, Province};
use crate::text::{
    degrees::{LatLon, parse_scaled},
    fold,
};

/// No commune is larger than this many square kilometres.
const AREA_KM2_MAX: i64 = 10_000;

/// Reads both tables. The error names the table and the line.
pub(super) fn read(communes: &'static str, former: &'static str) -> Result<Data, String> {
    let mut data = Data {
        provinces: Vec::with_capacity(40),
        communes: Vec::with_capacity(3_400),
        by_code: Vec::new(),
        former: Vec::with_capacity(160),
        folded: String::with_capacity(40_000),
        folded_ends: Vec::with_capacity(3_600),
    };
    for (number, line) in lines(communes) {
        read_commune(&mut data, line).ok_or_else(|| format!("communes.tsv, line {number}: {line}"))?;
    }
    let mut head = None;
    for (number, line) in lines(former) {
        read_former(&mut data, &mut head, line).ok_or_else(|| format!("former_communes.tsv, line {number}: {line}"))?;
    }
    let places = u16::try_from(data.communes.len()).map_err(|_| "more communes than the index can hold".to_owned())?;
    data.by_code = (0..places).collect();
    data.by_code.sort_unstable_by_key(|&place| data.communes[usize::from(place)].code);
    Ok(data)
}

fn lines(table: &'static str) -> impl Iterator<Item = (usize, &'static str)> {
    (1..).zip(table.lines()).filter(|(_, line)| !line.starts_with('#'))
}

fn read_commune(data: &mut Data, line: &'static str) -> Option<()> {
    if let Some(head) = line.strip_prefix('=') {
        let (code, name) = head.split_once('\t')?;
        if data.provinces.last().is_some_and(|last| last.code >= code) {
            return None;
        }
        data.provinces.push(Province { code, name, folded: fold(name) });
        return Some(());
    }
    let [code, kind, name, lat, lon, area] = fields(line)?;
    let area_m2_e2 = match area {
        "" => 0,
        figure => u32::try_from(parse_scaled(figure, 4, AREA_KM2_MAX * 10_000)?).ok()?,
    };
    let province = u8::try_from(data.provinces.len().checked_sub(1)?).ok()?;
    if data.communes.last().is_some_and(|last| last.province == province && last.code >= code) {
        return None;
    }
    let commune = Commune { code: code_of(code)?, name, kind: kind_of(kind)?, province, centre: LatLon::parse(lat, lon).ok()?, area_m2_e2 };
    data.communes.push(commune);
    add_folded(data, name)
}

fn read_former(data: &mut Data, head: &mut Option<(u8, &'static str)>, line: &'static str) -> Option<()> {
    if let Some(text) = line.strip_prefix('=') {
        let (code, name) = text.split_once('\t')?;
        let province = data.provinces.iter().position(|province| province.code == code)?;
        *head = Some((u8::try_from(province).ok()?, name));
        return Some(());
    }
    let [code, kind, name, district, lat, lon] = fields(line)?;
    let (province, province_name) = (*head)?;
    let centre = LatLon::parse(lat, lon).ok()?;
    data.former.push(FormerCommune { code: code_of(code)?, name, kind: kind_of(kind)?, district, province_name, province, centre });
    add_folded(data, name)
}

fn add_folded(data: &mut Data, name: &str) -> Option<()> {
    data.folded.push_str(&fold(name));
    data.folded_ends.push(u32::try_from(data.folded.len()).ok()?);
    Some(())
}

fn fields<const N: usize>(line: &'static str) -> Option<[&'static str; N]> {
    let fields: Vec<&'static str> = line.split('\t').collect();
    fields.try_into().ok()
}

fn code_of(code: &'static str) -> Option<&'static str> {
    (code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

fn kind_of(letter: &str) -> Option<CommuneKind> {
    match letter {
        "X" => Some(CommuneKind::Xa),
        "P" => Some(CommuneKind::Phuong),
        "D" => Some(CommuneKind::DacKhu),
        "T" => Some(CommuneKind::ThiTran),
        _ => None,
    }
}
