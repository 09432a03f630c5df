//! What a file is by its first bytes, whatever its name says.

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Jpeg,
    Png,
    WebP,
    /// A picture of which this phone makes no previews, with its media type.
    OtherPicture(&'static str),
    /// Surely no picture: its name for people.
    NoPicture(&'static str),
    /// Nothing is known of it: kept as it is.
    Unknown,
}

impl Format {
    /// By the first [`KIND_BYTES`]; never by the name.
    pub(crate) fn of(start: &[u8]) -> Format {
        match start {
            [0xFF, 0xD8, 0xFF, ..] => Format::Jpeg,
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Format::Png,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Format::WebP,
            [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4) {
                Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx") => Format::OtherPicture("image/heic"),
                Some(b"mif1" | b"msf1") => Format::OtherPicture("image/heif"),
                Some(b"avif" | b"avis") => Format::OtherPicture("image/avif"),
                _ => Format::Unknown,
            },
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Format::OtherPicture("image/gif"),
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Format::OtherPicture("image/bmp"),
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Format::OtherPicture("image/tiff"),
            [b'%', b'P', b'D', b'F', b'-', ..] => Format::NoPicture("PDF"),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Format::NoPicture("ZIP"),
            [b'7', b'z', 0xBC, 0xAF, 0x27, 0x1C, ..] => Format::NoPicture("7z"),
            [b'R', b'a', b'r', b'!', 0x1A, 7, ..] => Format::NoPicture("RAR"),
            [0x1F, 0x8B, 8, ..] => Format::NoPicture("gzip"),
            [0x7F, b'E', b'L', b'F', ..] => Format::NoPicture("ELF"),
            [b'M', b'Z', ..] if start.windows(4).any(|w| w == b"PE\0\0") => Format::NoPicture("EXE"),
            [0xCA, 0xFE, 0xBA, 0xBE, ..] | [0xCF | 0xCE, 0xFA, 0xED, 0xFE, ..] => Format::NoPicture("program"),
            [b'd', b'e', b'x', b'\n', ..] => Format::NoPicture("DEX"),
            [b'#', b'!', b'/', ..] => Format::NoPicture("script"),
            _ => Self::of_markup(start),
        }
    }

    fn of_markup(start: &[u8]) -> Format {
        // UTF-16 text has a zero in every pair of these letters.
        let text: Vec<u8> = start.iter().copied().filter(|b| *b != 0).map(|b| b.to_ascii_lowercase()).collect();
        let text = text.strip_prefix(&[0xEF, 0xBB, 0xBF]).or_else(|| text.strip_prefix(&[0xFF, 0xFE])).unwrap_or(&text);
        let text = text.strip_prefix(&[0xFE, 0xFF]).unwrap_or(text).trim_ascii_start();
        let has = |word: &[u8]| text.windows(word.len()).any(|w| w == word);
        if !text.starts_with(b"<") {
            return Format::Unknown;
        }
        match text {
            _ if has(b"<svg") => Format::NoPicture("SVG"),
            _ if has(b"<html") || has(b"<!doctype html") || has(b"<script") || has(b"<body") => Format::NoPicture("HTML"),
            _ if text.starts_with(b"<?xml") || text.starts_with(b"<!doctype") || text.starts_with(b"<!--") => Format::NoPicture("XML"),
            _ if text.starts_with(b"<?php") => Format::NoPicture("script"),
            _ => Format::Unknown,
        }
    }

    /// The media type that goes into the log.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Format::Jpeg => "image/jpeg",
            Format::Png => "image/png",
            Format::WebP => "image/webp",
            Format::OtherPicture(media_type) => media_type,
            Format::NoPicture(_) | Format::Unknown => "application/octet-stream",
        }
    }
}
