//! Lines on members that belong to no single photograph or log, and what certificates and receipts say.

use std::collections::{BTreeMap, BTreeSet};

use crate::cert::DeviceCertificate;
use crate::id::DeviceId;
use crate::receipt::Receipt;

use super::{Court, Findings, Kind, Line, Standing};
use crate::bundle::{CERTIFICATES, CustodyFile, LOGS, MANIFEST, RECEIPTS, read_statements};

/// What other rules use of these members.
pub(super) struct Papers {
    pub(super) certificates: BTreeMap<DeviceId, DeviceCertificate>,
    pub(super) receipts: Vec<Receipt>,
}

pub(super) fn judge(court: &Court<'_>, lines: &mut Vec<Line>) -> Papers {
    let mut papers = Papers { certificates: BTreeMap::new(), receipts: Vec::new() };
    for name in names(court) {
        let mut findings = Findings::default();
        match court.standing(name) {
            Standing::NotListed => findings.altered("not_listed"),
            Standing::Missing => findings.incomplete("file_missing"),
            Standing::Differs => findings.altered("bytes"),
            Standing::Counts(_) => {
                let content = court.content(name).unwrap_or_default();
                match name {
                    CERTIFICATES => papers.certificates = certificates(court, content, &mut findings),
                    RECEIPTS => papers.receipts = receipts(court, content, &mut findings),
                    _ => {}
                }
            }
        }
        lines.push(findings.line(name, Kind::File));
    }
    papers
}

/// Every member that has a line of its own here, read or listed, ascending.
fn names<'a>(court: &Court<'a>) -> BTreeSet<&'a str> {
    let manifest = court.manifest;
    let chains: BTreeSet<String> = manifest.items.iter().map(|named| CustodyFile::name(&named.item)).collect();
    let mut owned: BTreeSet<&str> = chains.iter().map(String::as_str).collect();
    owned.extend(manifest.items.iter().filter_map(|named| named.original.as_deref()));
    owned.extend(manifest.copies.iter().map(|copy| copy.file.as_str()));
    let listed = manifest.files.iter().map(|file| file.name.as_str());
    let read = court.contents.members.keys().map(String::as_str);
    let is_log = |name: &str| name.starts_with(LOGS) && manifest.file(name).is_some();
    listed.chain(read).filter(|name| *name != MANIFEST && !is_log(name) && !owned.contains(name)).collect()
}

fn certificates(court: &Court<'_>, content: &[u8], findings: &mut Findings) -> BTreeMap<DeviceId, DeviceCertificate> {
    let mut good = BTreeMap::new();
    let Ok(statements) = read_statements(content) else {
        findings.altered("malformed");
        return good;
    };
    for bytes in statements {
        let certificate = court.by_hub(bytes, |certificate: &DeviceCertificate| certificate.issued_ms);
        match certificate.filter(|c| c.commune == court.manifest.commune && !good.contains_key(&c.device)) {
            Some(certificate) => drop(good.insert(certificate.device, certificate)),
            None => findings.altered("certificate"),
        }
    }
    good
}

fn receipts(court: &Court<'_>, content: &[u8], findings: &mut Findings) -> Vec<Receipt> {
    let Ok(statements) = read_statements(content) else {
        findings.altered("malformed");
        return Vec::new();
    };
    let mut good = Vec::new();
    for bytes in statements {
        match court.by_hub(bytes, |receipt: &Receipt| receipt.hub_time_ms) {
            Some(receipt) if receipt.quarantined => {}
            Some(receipt) => good.push(receipt),
            None => findings.altered("receipt"),
        }
    }
    good
}
