//! Reading: bytes to a small tree, the tree to a checked document.

use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use yenban_protocol::alert::{MessageType, Severity, Status, Urgency};
use yenban_protocol::limits::MAX_NAME_BYTES;

use super::{Area, Document, Fault, Info, NAMESPACE, NAMESPACE_BEFORE, Reference};
use crate::limits::{CAP_ELEMENTS_MAX, CAP_MAX_BYTES};

type Read<T> = Result<T, Fault>;

/// Deepest element of a CAP document (alert, info, area, geocode, value), with room for an extension's.
const DEPTH_MAX: usize = 8;
/// `language` of Vietnamese.
const VIETNAMESE: &str = "vi";

/// An element.
#[derive(Debug, Default)]
struct Node {
    name: String,
    text: String,
    children: Vec<Node>,
}

impl Node {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of a child; empty ones count as not there.
    fn text(&self, name: &str) -> Option<&str> {
        let named = self.children.iter().filter(|child| child.name == name);
        named.map(|child| child.text.trim()).find(|text| !text.is_empty())
    }

    fn need(&self, name: &str) -> Read<&str> {
        self.text(name).ok_or_else(|| Fault::new("missing", name))
    }

    fn said(&self, name: &str) -> String {
        self.text(name).unwrap_or_default().replace("\r\n", "\n").replace('\r', "\n")
    }
}

/// Reads a document.
///
/// # Errors
/// What is wrong with it, and in which element.
pub fn read(bytes: &[u8]) -> Result<Document, Fault> {
    if bytes.len() > CAP_MAX_BYTES {
        return Err(Fault::new("too_large", ""));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::new("encoding", ""))?;
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Fault::new("encoding", ""));
    }
    document(&tree(text)?)
}

fn malformed() -> Fault {
    Fault::new("malformed", "")
}

/// The tree of a document whose root is CAP's. Elements of other namespaces (signatures) are passed over with all they hold.
fn tree(text: &str) -> Read<Node> {
    let mut xml = Reader::from_str(text);
    xml.config_mut().expand_empty_elements = true;
    let (mut stack, mut root, mut prefix, mut elements): (Vec<Node>, Option<Node>, String, usize) = (Vec::new(), None, String::new(), 0);
    loop {
        match xml.read_event().map_err(|_| malformed())? {
            Event::Eof => break,
            Event::Start(tag) => {
                elements += 1;
                if elements > CAP_ELEMENTS_MAX || stack.len() >= DEPTH_MAX || (stack.is_empty() && root.is_some()) {
                    return Err(malformed());
                }
                if stack.is_empty() {
                    prefix = root_prefix(&tag)?;
                }
                let own = prefix_of(&tag) == prefix;
                let name = if own { tag.local_name().as_ref().to_owned() } else { String::new() };
                stack.push(Node { name, ..Node::default() });
            }
            Event::End(_) => {
                let done = stack.pop().ok_or_else(malformed)?;
                match stack.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => root = Some(done),
                }
            }
            Event::Text(piece) => add(&mut stack, &piece)?,
            Event::CData(piece) => add(&mut stack, &piece)?,
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character,
                    Ok(None) => predefined(&reference).ok_or_else(malformed)?,
                    Err(_) => return Err(malformed()),
                };
                if character.is_control() && !matches!(character, '\n' | '\r' | '\t') {
                    return Err(Fault::new("encoding", ""));
                }
                add(&mut stack, character.encode_utf8(&mut [0; 4]))?;
            }
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(name)) if !name.eq_ignore_ascii_case("utf-8") && !name.eq_ignore_ascii_case("us-ascii") => {
                    return Err(Fault::new("encoding", ""));
                }
                Some(Err(_)) => return Err(malformed()),
                _ => {}
            },
            Event::DocType(_) => return Err(Fault::new("dtd", "")),
            Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
        }
    }
    root.filter(|_| stack.is_empty()).ok_or_else(malformed)
}

fn add(stack: &mut [Node], text: &str) -> Read<()> {
    match stack.last_mut() {
        Some(node) => node.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(malformed()),
    }
    Ok(())
}

fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn prefix_of(tag: &BytesStart<'_>) -> String {
    let name = tag.name();
    let whole: &str = name.as_ref();
    whole.split_once(':').map_or_else(String::new, |(prefix, _)| prefix.to_owned())
}

/// The prefix that stands for CAP in this document.
fn root_prefix(tag: &BytesStart<'_>) -> Read<String> {
    let prefix = prefix_of(tag);
    let declared = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
    let namespace = tag.attributes().flatten().find_map(|attribute| {
        let key: &str = attribute.key.as_ref();
        (key == declared).then(|| attribute.value.to_string())
    });
    let known = namespace.is_some_and(|namespace| [NAMESPACE, NAMESPACE_BEFORE].contains(&namespace.as_str()));
    if known && tag.local_name().as_ref() == "alert" { Ok(prefix) } else { Err(Fault::new("not_cap", "")) }
}

fn document(alert: &Node) -> Read<Document> {
    let identifier = named(alert, "identifier")?;
    let sender = named(alert, "sender")?;
    let sent_ms = moment("sent", alert.need("sent")?)?;
    let status = match alert.need("status")? {
        "Draft" => Status::Test,
        "System" => return Err(Fault::new("not_for_people", "status")),
        other => Status::from_code(other).ok_or_else(|| Fault::new("value", "status"))?,
    };
    let message_type = match alert.need("msgType")? {
        "Ack" | "Error" => return Err(Fault::new("not_for_people", "msgType")),
        other => MessageType::from_code(other).ok_or_else(|| Fault::new("value", "msgType"))?,
    };
    if !["Public", "Restricted", "Private"].contains(&alert.need("scope")?) {
        return Err(Fault::new("value", "scope"));
    }
    let references = references(alert)?;
    if references.is_empty() && message_type != MessageType::Alert {
        return Err(Fault::new("missing", "references"));
    }
    let infos: Vec<&Node> = alert.all("info").collect();
    let vietnamese = |info: &&&Node| info.text("language").is_some_and(|tag| tag.to_ascii_lowercase().starts_with(VIETNAMESE));
    let chosen = infos.iter().find(vietnamese).or(infos.first());
    // All of them are read: a document is right as a whole.
    infos.iter().try_for_each(|node| info(node).map(drop))?;
    let info = chosen.map(|node| info(node)).transpose()?;
    Ok(Document { identifier, sender, sent_ms, status, message_type, references, info })
}

/// A name without what would break a list of references.
fn named(alert: &Node, element: &str) -> Read<String> {
    let text = alert.need(element)?;
    if is_name(text) { Ok(text.to_owned()) } else { Err(Fault::new("value", element)) }
}

/// Whether a text can be an identifier or a sender.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_NAME_BYTES && !text.chars().any(|c| c.is_whitespace() || matches!(c, ',' | '<' | '&'))
}

fn references(alert: &Node) -> Read<Vec<Reference>> {
    let wrong = || Fault::new("value", "references");
    let one = |triple: &str| {
        let parts: Vec<&str> = triple.split(',').collect();
        let [sender, identifier, sent] = parts.as_slice() else { return Err(wrong()) };
        if !is_name(sender) || !is_name(identifier) {
            return Err(wrong());
        }
        Ok(Reference { sender: (*sender).to_owned(), identifier: (*identifier).to_owned(), sent_ms: moment("references", sent)? })
    };
    alert.text("references").unwrap_or_default().split_whitespace().map(one).collect()
}

/// `2026-11-22T21:52:00+07:00`: whole seconds and an offset in numbers, as the schema has it.
fn moment(element: &str, text: &str) -> Read<i64> {
    let wrong = || Fault::new("value", element);
    let pattern = b"dddd-dd-ddTdd:dd:ddsdd:dd";
    let fits = |(c, p): (u8, &u8)| match p {
        b'd' => c.is_ascii_digit(),
        b's' => matches!(c, b'+' | b'-'),
        other => c == *other,
    };
    if text.len() != pattern.len() || !text.bytes().zip(pattern).all(fits) {
        return Err(wrong());
    }
    text.parse::<Timestamp>().map(Timestamp::as_millisecond).map_err(|_| wrong())
}

fn info(node: &Node) -> Read<Info> {
    node.need("category")?;
    node.need("certainty")?;
    let needed = |element: &str| node.need(element);
    Ok(Info {
        event: needed("event")?.to_owned(),
        urgency: Urgency::from_code(needed("urgency")?).ok_or_else(|| Fault::new("value", "urgency"))?,
        severity: Severity::from_code(needed("severity")?).ok_or_else(|| Fault::new("value", "severity"))?,
        expires_ms: node.text("expires").map(|text| moment("expires", text)).transpose()?,
        sender_name: node.said("senderName"),
        headline: node.said("headline"),
        description: node.said("description"),
        instruction: node.said("instruction"),
        areas: node.all("area").map(area).collect::<Read<_>>()?,
    })
}

fn area(node: &Node) -> Read<Area> {
    let pair = |element: &str, text: &str| -> Read<(f64, f64)> {
        let wrong = || Fault::new("value", element);
        let (lat, lon) = text.split_once(',').ok_or_else(wrong)?;
        let (lat, lon): (f64, f64) = (lat.parse().map_err(|_| wrong())?, lon.parse().map_err(|_| wrong())?);
        if lat.abs() <= 90.0 && lon.abs() <= 180.0 { Ok((lat, lon)) } else { Err(wrong()) }
    };
    let polygon = |text: &str| {
        let corners = text.split_whitespace().map(|text| pair("polygon", text)).collect::<Read<Vec<_>>>()?;
        if corners.len() >= 4 && corners.first() == corners.last() { Ok(corners) } else { Err(Fault::new("value", "polygon")) }
    };
    let circle = |text: &str| {
        let wrong = || Fault::new("value", "circle");
        let (centre, radius) = text.split_once(char::is_whitespace).ok_or_else(wrong)?;
        let (lat, lon) = pair("circle", centre)?;
        let km: f64 = radius.trim().parse().map_err(|_| wrong())?;
        if (0.0..=20_100.0).contains(&km) { Ok((lat, lon, km)) } else { Err(wrong()) }
    };
    let texts = |name: &'static str| node.all(name).map(|child| child.text.trim()).filter(|text| !text.is_empty());
    Ok(Area {
        name: node.need("areaDesc")?.to_owned(),
        polygons: texts("polygon").map(polygon).collect::<Read<_>>()?,
        circles: texts("circle").map(circle).collect::<Read<_>>()?,
        geocodes: node.all("geocode").map(|code| (code.said("valueName"), code.said("value"))).collect(),
    })
}
