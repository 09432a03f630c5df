//! What a file is by its own bytes, seen while they pass by on their way into the sealed file.
//!
//! Nothing here decodes a picture. Segments of JPEG and chunks of PNG and WebP are walked by their lengths, so that the
//! end of the picture, what follows it, the frame and the EXIF are known; whatever a file claims, memory stays small
//! and nothing fails.

pub(crate) use super::format::Format;
use crate::limits::{EXIF_MAX_BYTES, KIND_BYTES};

/// The frame of a JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub width: u32,
    pub height: u32,
    pub components: u8,
    pub progressive: bool,
    /// Memory that all coefficients take, in bytes.
    pub coefficient_bytes: u64,
}

/// What was seen of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub format: Format,
    pub size_bytes: u64,
    /// The picture does not end.
    pub truncated: bool,
    /// Something that is not padding follows the picture: a video, a second picture.
    pub trailing: bool,
    pub frame: Option<Frame>,
    /// Scans of a JPEG.
    pub scans: u32,
    /// TIFF block of the EXIF.
    pub exif: Option<Vec<u8>>,
}

/// Looks at a file chunk by chunk.
#[derive(Default)]
pub(crate) struct Look {
    start: Vec<u8>,
    walk: Option<Walk>,
    size_bytes: u64,
}

enum Walk {
    Jpeg(Box<JpegWalk>),
    Chunks(Box<ChunkWalk>),
    None(Format),
}

impl Look {
    /// The next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.size_bytes += bytes.len() as u64;
        match &mut self.walk {
            Some(walk) => walk.feed(bytes),
            None => {
                self.start.extend_from_slice(bytes);
                if self.start.len() >= KIND_BYTES {
                    self.begin();
                }
            }
        }
    }

    /// The frame of a JPEG, once it has passed by.
    pub(crate) fn frame(&self) -> Option<Frame> {
        match &self.walk {
            Some(Walk::Jpeg(walk)) => walk.frame,
            _ => None,
        }
    }

    fn begin(&mut self) {
        let start = std::mem::take(&mut self.start);
        let mut walk = match Format::of(&start[..start.len().min(KIND_BYTES)]) {
            Format::Jpeg => Walk::Jpeg(Box::default()),
            format @ (Format::Png | Format::WebP) => Walk::Chunks(Box::new(ChunkWalk::new(format))),
            format => Walk::None(format),
        };
        walk.feed(&start);
        self.walk = Some(walk);
    }

    /// What was seen, at the end of the file.
    pub(crate) fn end(mut self) -> Seen {
        if self.walk.is_none() {
            self.begin();
        }
        let seen = Seen {
            format: Format::Unknown,
            size_bytes: self.size_bytes,
            truncated: false,
            trailing: false,
            frame: None,
            scans: 0,
            exif: None,
        };
        match self.walk {
            Some(Walk::Jpeg(walk)) => Seen {
                format: Format::Jpeg,
                truncated: !matches!(walk.state, State::Ended),
                trailing: walk.trailing,
                frame: walk.frame,
                scans: walk.scans,
                exif: walk.exif,
                ..seen
            },
            Some(Walk::Chunks(walk)) => {
                Seen { format: walk.format, truncated: !walk.ended, trailing: walk.trailing, exif: walk.exif, ..seen }
            }
            Some(Walk::None(format)) => Seen { format, ..seen },
            None => seen,
        }
    }
}

impl Walk {
    fn feed(&mut self, bytes: &[u8]) {
        match self {
            Walk::Jpeg(walk) => walk.feed(bytes),
            Walk::Chunks(walk) => walk.feed(bytes),
            Walk::None(_) => {}
        }
    }
}

/// Padding after a picture means nothing.
fn is_more(bytes: &[u8]) -> bool {
    bytes.iter().any(|b| *b != 0)
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    /// Before the 0xFF of a marker.
    #[default]
    Between,
    /// After it.
    Marker,
    /// In the two bytes of a segment's length.
    Length { marker: u8, high: Option<u8> },
    /// In a segment.
    Segment { marker: u8, left: usize },
    /// In entropy-coded data.
    Scan,
    /// After an 0xFF there.
    ScanMarker,
    /// After the picture.
    Ended,
}

/// Walks the segments of a JPEG.
#[derive(Default)]
struct JpegWalk {
    state: State,
    kept: Vec<u8>,
    frame: Option<Frame>,
    scans: u32,
    exif: Option<Vec<u8>>,
    trailing: bool,
}

impl JpegWalk {
    fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            match self.state {
                State::Between | State::Scan => {
                    let Some(at) = memchr::memchr(0xFF, bytes) else { return };
                    bytes = &bytes[at + 1..];
                    self.state = if matches!(self.state, State::Scan) { State::ScanMarker } else { State::Marker };
                    continue;
                }
                State::Marker | State::ScanMarker => self.marker(first),
                State::Length { marker, high: None } => self.state = State::Length { marker, high: Some(first) },
                State::Length { marker, high: Some(high) } => self.begin_segment(marker, usize::from(u16::from_be_bytes([high, first]))),
                State::Segment { marker, left } => {
                    let count = left.min(bytes.len());
                    if self.keeps(marker) {
                        self.kept.extend_from_slice(&bytes[..count]);
                    }
                    bytes = &bytes[count..];
                    self.state = State::Segment { marker, left: left - count };
                    if left == count {
                        self.end_segment(marker);
                    }
                    continue;
                }
                State::Ended => {
                    self.trailing |= is_more(bytes);
                    return;
                }
            }
            bytes = rest;
        }
    }

    fn marker(&mut self, marker: u8) {
        let in_scan = matches!(self.state, State::ScanMarker);
        self.state = match marker {
            0xFF => self.state,
            0xD9 => State::Ended,
            // A stuffed byte, a restart: the scan goes on; elsewhere they mean nothing.
            0x00 | 0x01 | 0xD0..=0xD8 => {
                if in_scan {
                    State::Scan
                } else {
                    State::Between
                }
            }
            _ => State::Length { marker, high: None },
        };
    }

    fn keeps(&self, marker: u8) -> bool {
        match marker {
            0xE1 => self.exif.is_none(),
            _ => is_frame(marker),
        }
    }

    fn begin_segment(&mut self, marker: u8, len: usize) {
        self.kept.clear();
        self.state = State::Segment { marker, left: len.saturating_sub(2) };
        if len <= 2 {
            self.end_segment(marker);
        }
    }

    fn end_segment(&mut self, marker: u8) {
        self.state = State::Between;
        if marker == 0xDA {
            self.scans = self.scans.saturating_add(1);
            self.state = State::Scan;
        } else if is_frame(marker) && self.frame.is_none() {
            self.frame = read_frame(marker, &self.kept);
        } else if marker == 0xE1 && self.exif.is_none() {
            self.exif = self.kept.strip_prefix(b"Exif\0\0").map(<[u8]>::to_vec);
        }
        self.kept = Vec::new();
    }
}

fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

fn read_frame(marker: u8, segment: &[u8]) -> Option<Frame> {
    let [_, h1, h2, w1, w2, components, parts @ ..] = segment else { return None };
    let (width, height) = (u32::from(u16::from_be_bytes([*w1, *w2])), u32::from(u16::from_be_bytes([*h1, *h2])));
    let parts: Vec<(u64, u64)> = parts.chunks_exact(3).take(4).map(|part| (u64::from(part[1] >> 4), u64::from(part[1] & 15))).collect();
    let most = |of: fn(&(u64, u64)) -> u64| parts.iter().map(of).max().unwrap_or(1).max(1);
    let (across, down) = (u64::from(width).div_ceil(8 * most(|p| p.0)), u64::from(height).div_ceil(8 * most(|p| p.1)));
    // 64 coefficients of two bytes in a block.
    let coefficient_bytes = parts.iter().map(|(h, v)| across * h * down * v * 128).sum();
    let progressive = matches!(marker, 0xC2 | 0xC6 | 0xCA | 0xCE);
    Some(Frame { width, height, components: *components, progressive, coefficient_bytes })
}

/// Walks the chunks of a PNG or WebP.
struct ChunkWalk {
    format: Format,
    /// Bytes to pass over before the next header.
    skip: u64,
    header: Vec<u8>,
    exif_left: usize,
    kept: Vec<u8>,
    exif: Option<Vec<u8>>,
    last: bool,
    /// Bytes of a WebP file after the ones read so far, by its first header.
    left: Option<u64>,
    ended: bool,
    trailing: bool,
}

impl ChunkWalk {
    fn new(format: Format) -> Self {
        ChunkWalk {
            format,
            skip: if format == Format::Png { 8 } else { 0 },
            header: Vec::new(),
            exif_left: 0,
            kept: Vec::new(),
            exif: None,
            last: false,
            left: None,
            ended: false,
            trailing: false,
        }
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.ended {
                self.trailing |= is_more(bytes);
                return;
            }
            let count = if self.skip > 0 {
                let count = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
                let exif = count.min(self.exif_left);
                self.kept.extend_from_slice(&bytes[..exif]);
                self.exif_left -= exif;
                self.skip -= count as u64;
                count
            } else {
                let wanted = if self.format == Format::WebP && self.left.is_none() { 12 } else { 8 };
                let count = (wanted - self.header.len()).min(bytes.len());
                self.header.extend_from_slice(&bytes[..count]);
                if self.header.len() == wanted {
                    self.begin_chunk();
                }
                count
            };
            bytes = &bytes[count..];
            self.left = self.left.map(|left| left.saturating_sub(count as u64));
            if self.skip == 0 && self.header.is_empty() {
                if self.exif.is_none() && !self.kept.is_empty() && self.exif_left == 0 {
                    self.exif = Some(std::mem::take(&mut self.kept));
                }
                self.ended = self.last || self.left == Some(0);
            }
        }
    }

    fn begin_chunk(&mut self) {
        let header = std::mem::take(&mut self.header);
        let number = |at: usize| -> [u8; 4] { std::array::from_fn(|i| header.get(at + i).copied().unwrap_or(0)) };
        if header.len() == 12 {
            // Counted from behind its own number; these twelve bytes are taken off after this.
            self.left = Some(u64::from(u32::from_le_bytes(number(4))) + 8);
            return;
        }
        let (kind, len, exif): ([u8; 4], u64, bool) = if self.format == Format::Png {
            let kind = number(4);
            self.last = &kind == b"IEND";
            (kind, u64::from(u32::from_be_bytes(number(0))), &kind == b"eXIf")
        } else {
            let kind = number(0);
            (kind, u64::from(u32::from_le_bytes(number(4))), &kind == b"EXIF")
        };
        debug_assert_eq!(kind.len(), 4);
        self.skip = if self.format == Format::Png { len + 4 } else { len + (len & 1) };
        let fits = usize::try_from(len).ok().filter(|len| *len <= EXIF_MAX_BYTES);
        self.exif_left = fits.filter(|_| exif && self.exif.is_none()).unwrap_or(0);
        self.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen whole and byte by byte: it must not matter where chunks begin.
    fn seen(bytes: &[u8]) -> Seen {
        let mut whole = Look::default();
        whole.feed(bytes);
        let whole = whole.end();
        let mut single = Look::default();
        bytes.iter().for_each(|b| single.feed(&[*b]));
        assert_eq!(single.end(), whole);
        whole
    }

    fn jpeg(sof: u8, scans: usize) -> Vec<u8> {
        let mut out = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, 14];
        out.extend(b"Exif\0\0II*\0\x08\0");
        out.extend([0xFF, sof, 0, 17, 8, 0x0B, 0xB8, 0x0F, 0xA0, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
        for _ in 0..scans {
            out.extend([0xFF, 0xDA, 0, 3, 9, 1, 2, 0xFF, 0x00, 3, 0xFF, 0xD3, 4]);
        }
        out.extend([0xFF, 0xD9]);
        out
    }

    #[test]
    fn a_jpeg_is_walked_to_its_end() {
        let whole = seen(&jpeg(0xC0, 1));
        let frame = whole.frame.unwrap();
        assert_eq!((frame.width, frame.height, frame.components, frame.progressive), (4_000, 3_000, 3, false));
        // 4,000 x 3,000 with colour at half the resolution, in blocks: 1.5 coefficients a pixel, two bytes each.
        assert_eq!(frame.coefficient_bytes, 250 * 188 * 6 * 128);
        assert_eq!((whole.truncated, whole.trailing, whole.scans), (false, false, 1));
        assert_eq!(whole.exif.as_deref(), Some(&b"II*\0\x08\0"[..]));
        assert!(seen(&jpeg(0xC2, 10_000)).frame.unwrap().progressive);
        assert_eq!(seen(&jpeg(0xC2, 10_000)).scans, 10_000);
    }

    #[test]
    fn cut_padded_and_followed_files_are_told_apart() {
        let bytes = jpeg(0xC0, 2);
        for cut in 3..bytes.len() {
            assert!(seen(&bytes[..cut]).truncated, "{cut}");
        }
        let with = |more: &[u8]| seen(&[&bytes, more].concat());
        assert!(!with(&[0; 700]).trailing);
        assert!(with(b"\0\0\0\x18ftypmp42").trailing);
    }

    #[test]
    fn png_and_webp_end_where_they_say() {
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        png.extend(b"\0\0\0\x02IHDRab????");
        png.extend(b"\0\0\0\x06eXIfII*\0\x08\0????");
        let head = png.clone();
        png.extend(b"\0\0\0\0IEND????");
        let whole = seen(&png);
        assert_eq!((whole.truncated, whole.trailing), (false, false));
        assert_eq!(whole.exif.as_deref(), Some(&b"II*\0\x08\0"[..]));
        assert!(seen(&[&png[..], b"<script>"].concat()).trailing);
        assert!(seen(&head).truncated);
        // B-006.
        assert!(seen(&[&head[..], b"\xFF\xFF\xFF\xFFIDATxyz"].concat()).truncated);
        let mut webp = b"RIFF\x16\0\0\0WEBPEXIF\x06\0\0\0II*\0\x08\0".to_vec();
        webp[4] = 4 + 8 + 6;
        let whole = seen(&webp);
        assert_eq!((whole.format, whole.truncated, whole.trailing), (Format::WebP, false, false));
        assert_eq!(whole.exif.as_deref(), Some(&b"II*\0\x08\0"[..]));
        assert!(seen(&webp[..webp.len() - 1]).truncated);
    }

    #[test]
    fn what_is_surely_no_picture_is_known_whatever_its_name() {
        let no = |start: &[u8], name| assert_eq!(Format::of(start), Format::NoPicture(name));
        no(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG");
        no(b"\xEF\xBB\xBF  <?xml version='1.0'?>\n<!-- x --><SVG>", "SVG");
        no(b"\xFF\xFE<\0s\0v\0g\0>\0", "SVG");
        no(b"<!DOCTYPE html><p>", "HTML");
        no(b"<?xml version='1.0'?><alert>", "XML");
        no(b"%PDF-1.7", "PDF");
        no(b"PK\x03\x04....", "ZIP");
        no(b"\x7FELF\x02", "ELF");
        no(b"#!/bin/sh\n", "script");
        for unknown in [&b""[..], b"\0", b"<", b"nho mua muoi", b"\0\0\0\x18ftypmp42", b"MZ"] {
            assert_eq!(Format::of(unknown), Format::Unknown);
        }
        assert_eq!(Format::of(b"\0\0\0\x18ftypheic").media_type(), "image/heic");
    }

    #[test]
    fn no_bytes_make_it_stumble() {
        let mut state = 7_u64;
        let mut noise = |len: usize| -> Vec<u8> {
            (0..len)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 56) as u8
                })
                .collect()
        };
        for start in [&b"\xFF\xD8\xFF"[..], b"\x89PNG\r\n\x1a\n", b"RIFF\xFF\xFF\xFF\xFFWEBP", b"RIFF\0\0\0\0WEBP", b"<svg"] {
            for len in 0..200 {
                seen(&[start, &noise(len * 5)].concat());
            }
        }
    }
}
