//! Real files to the last digit, and every bad one refused by line.

use std::{fs, path::PathBuf, time::Instant};

use proptest::prelude::*;

use super::*;

fn refusal(text: impl AsRef<[u8]>) -> (u64, GpxFault) {
    let error = Recording::read(text.as_ref()).expect_err("a bad file");
    (error.line, error.fault)
}

fn track(points: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\">\n<trk><trkseg>\n{points}\n</trkseg></trk>\n</gpx>")
}

/// Degrees times 1e7 from the digits themselves; a binary fraction would be a unit off at 45.375987450.
fn by_hand(digits: &str) -> i32 {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let e12: i64 = format!("{}{fraction:0<12}", whole.trim_start_matches('-')).parse().expect("at most twelve decimals");
    let e7 = i32::try_from((e12 + 50_000) / 100_000).expect("degrees");
    if whole.starts_with('-') { -e7 } else { e7 }
}

#[test]
fn real_walks_are_read_to_the_last_digit() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/gpx");
    let expected = [
        // (file, runs, points, points with a time, waypoints, routes)
        ("Mojstrovka.gpx", 1, 184, 184, 0, 0),
        ("cerknicko-jezero.gpx", 7, 296, 296, 7, 0),
        ("gpx1.1_with_all_fields.gpx", 1, 1, 1, 2, 2),
        ("korita-zbevnica.gpx", 3, 871, 513, 2, 0),
        ("track-with-extremes.gpx", 1, 25, 0, 0, 0),
        ("track_with_dilution_errors.gpx", 1, 1, 0, 1, 1),
    ];
    for (name, runs, points, timed, waypoints, routes) in expected {
        let Ok(file) = fs::read(folder.join(name)) else {
            println!("skipped: {name} is not there");
            continue;
        };
        let recording = Recording::read(&file[..]).unwrap_or_else(|error| unreachable!("{name}: {error}"));
        let with_time = recording.points().filter(|point| point.time_ms.is_some()).count();
        let found = (recording.segments().count(), recording.points().count(), with_time, recording.waypoints.len(), recording.routes);
        assert_eq!(found, (runs, points, timed, waypoints, routes), "{name}");
        // The digits of the file, cut out of it by hand, against what was read.
        let text = String::from_utf8(file).expect("UTF-8");
        let mut attributes = text.split("<trkpt ").skip(1).map(|tag| tag.split('>').next().unwrap_or_default());
        for point in recording.points() {
            let tag = attributes.next().expect("as many points as tags");
            let value = |name: &str| {
                let digits = tag.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
                by_hand(digits)
            };
            assert_eq!((point.place.lat_e7(), point.place.lon_e7()), (value("lat"), value("lon")), "{name}: {tag}");
        }
    }
}

#[test]
fn the_extras_of_a_fix_are_read() {
    let text = track("<trkpt lat='10.1' lon='-20.2'><ele> 11.125 </ele><time>2026-11-22T21:52:00+07:00</time><hdop>1.5</hdop></trkpt>");
    let recording = Recording::read(text.as_bytes()).expect("well-formed");
    let point = recording.points().next().expect("one");
    assert_eq!((point.place.lat_e7(), point.place.lon_e7()), (101_000_000, -202_000_000));
    assert_eq!((point.elevation_cm, point.hdop_e2), (Some(1_113), Some(150)));
    assert_eq!(point.time_ms, Some(1_795_359_120_000));
    assert_eq!(point.accuracy_m(), Some(7.5));
    let nonsense = track("<trkpt lat='1' lon='1'><ele>high</ele><hdop>NaN</hdop><time/><extensions><time>x</time></extensions></trkpt>");
    let recording = Recording::read(nonsense.as_bytes()).expect("the fix counts without them");
    assert_eq!(recording.points().next().map(|point| (point.elevation_cm, point.hdop_e2, point.time_ms)), Some((None, None, None)));
}

#[test]
fn names_come_as_written() {
    let text = "\u{FEFF}<x:gpx xmlns:x='http://www.topografix.com/GPX/1/1'><x:trk><x:name>Suối &amp; <![CDATA[Đá <Bạn>]]> &#x110;</x:name>\
                <x:trkseg><x:trkpt lat='1' lon='2'/></x:trkseg></x:trk><x:wpt lat='3' lon='4'><x:name>Nà Phòn</x:name></x:wpt></x:gpx>";
    let recording = Recording::read(text.as_bytes()).expect("well-formed");
    assert_eq!(recording.tracks[0].name.as_deref(), Some("Suối & Đá <Bạn> Đ"));
    assert_eq!(recording.waypoints[0].name.as_deref(), Some("Nà Phòn"));
}

#[test]
fn bad_places_and_times_are_named_by_line() {
    let good = "<trkpt lat='1' lon='1'/>\n";
    let cases = [
        ("<trkpt lat='91' lon='1'/>", GpxFault::Place(DegreesError::OutOfRange(yenban_protocol::text::degrees::Axis::Latitude))),
        ("<trkpt lat='1' lon='NaN'/>", GpxFault::Place(DegreesError::NotANumber(yenban_protocol::text::degrees::Axis::Longitude))),
        ("<trkpt lat='inf' lon='1'/>", GpxFault::Place(DegreesError::NotANumber(yenban_protocol::text::degrees::Axis::Latitude))),
        ("<trkpt lon='1'/>", GpxFault::Place(DegreesError::Empty(yenban_protocol::text::degrees::Axis::Latitude))),
    ];
    for (point, fault) in cases {
        assert_eq!(refusal(track(&format!("{good}{good}{point}"))), (6, fault), "{point}");
    }
    assert_eq!(refusal(track(&format!("{good}<trkpt lat='1' lon='1'><time>hôm qua</time></trkpt>"))), (5, GpxFault::Time));
    let error = Recording::read(track("<trkpt lat='1' lon='181'/>").as_bytes()).expect_err("out of range");
    assert_eq!(error.to_string(), "line 4: the longitude is out of range: it lies between -180 and 180");
}

#[test]
fn what_is_no_gpx_is_refused() {
    assert_eq!(refusal(""), (1, GpxFault::NotGpx));
    assert_eq!(refusal("\n\n"), (3, GpxFault::NotGpx));
    assert_eq!(refusal("<kml></kml>"), (1, GpxFault::NotGpx));
    assert_eq!(refusal("hello"), (1, GpxFault::NotGpx));
    assert_eq!(refusal("<gpx version='2.0'/>"), (1, GpxFault::Version));
    assert_eq!(refusal("<gpx/><gpx/>"), (1, GpxFault::NotGpx));
    assert_eq!(refusal("<gpx><trk>\n<trkseg>").1, GpxFault::CutShort);
    assert_eq!(refusal("<gpx><trk>\n<trkseg><trkpt lat='1' lo").1, GpxFault::CutShort);
    assert!(matches!(refusal("<gpx></trk></gpx>").1, GpxFault::Malformed(_)));
    assert!(matches!(refusal("<gpx><trk><trkseg><trkpt lat='1' lat='2' lon='1'/></trkseg></trk></gpx>").1, GpxFault::Malformed(_)));
}

#[test]
fn nothing_is_defined_fetched_or_expanded() {
    let bomb = "<?xml version='1.0'?>\n<!DOCTYPE gpx [<!ENTITY a 'aaaa'><!ENTITY b SYSTEM 'file:///etc/passwd'>]>\n<gpx/>";
    assert_eq!(refusal(bomb).1, GpxFault::Dtd);
    assert_eq!(refusal("<gpx><trk><name>&b;</name></trk></gpx>"), (1, GpxFault::Entity));
    assert_eq!(refusal("<gpx><trk><trkseg><trkpt lat='&b;' lon='1'/></trkseg></trk></gpx>"), (1, GpxFault::Entity));
    assert!(Recording::read(&b"<gpx><trk><trkseg><trkpt lat='&#49;' lon='1'/></trkseg></trk></gpx>"[..]).is_ok());
}

#[test]
fn text_that_is_no_text_is_refused() {
    assert_eq!(refusal(b"<gpx>\n<trk><name>N\xE0 Ph\xF2n</name></trk></gpx>"), (2, GpxFault::Encoding));
    assert_eq!(refusal("<?xml version='1.0' encoding='windows-1258'?>\n<gpx/>"), (1, GpxFault::Encoding));
    let utf16: Vec<u8> = "\u{FEFF}<gpx/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(Recording::read(&utf16[..]).is_err());
    assert_eq!(refusal("<gpx>\n\n<trk><name>\u{0}</name></trk></gpx>"), (3, GpxFault::ControlCharacter));
    assert_eq!(refusal("<gpx><trk><name>&#x1B;</name></trk></gpx>"), (1, GpxFault::ControlCharacter));
}

#[test]
fn claims_beyond_the_limits_are_refused_early() {
    let deep = format!("<gpx>{}", "<extensions>".repeat(100));
    assert_eq!(refusal(deep), (1, GpxFault::TooDeep));
    let groups = format!("<gpx>{}", "<trk/>".repeat(GPX_MAX_GROUPS + 1));
    assert_eq!(refusal(groups), (1, GpxFault::TooManyGroups));
    let long = format!("<gpx><trk><name>{}</name></trk></gpx>", "a".repeat(400_000));
    assert_eq!(refusal(long), (1, GpxFault::TokenTooLong));
    let comment = format!("<gpx><!--{}--></gpx>", "a".repeat(400_000));
    assert_eq!(refusal(comment), (1, GpxFault::TokenTooLong));
    let started = Instant::now();
    let points = track(&"<trkpt lat=\"1\" lon=\"1\"/>".repeat(GPX_MAX_POINTS + 1));
    assert_eq!(refusal(points), (4, GpxFault::TooManyPoints));
    println!("{GPX_MAX_POINTS} points take {:?}", started.elapsed());
}

#[test]
fn a_file_without_end_is_refused() {
    use std::io::{BufReader, Read};
    let head = &b"<gpx>"[..];
    let endless = head.chain(std::io::repeat(b' '));
    let error = Recording::read(BufReader::new(endless)).expect_err("no end");
    assert!(matches!(error.fault, GpxFault::TooLarge | GpxFault::TokenTooLong), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Recording::read(&bytes[..]);
    }

    #[test]
    fn anything_like_gpx_is_read_or_refused(
        pieces in proptest::collection::vec(prop_oneof![
            Just("<gpx>"), Just("</gpx>"), Just("<trk>"), Just("</trk>"), Just("<trkseg>"), Just("</trkseg>"),
            Just("<trkpt lat='1.5' lon='2'>"), Just("<trkpt lat='' lon='x'/>"), Just("</trkpt>"), Just("<time>"), Just("</time>"),
            Just("2026-11-22T14:52:00Z"), Just("<wpt lat='1' lon='2'><name>"), Just("</name></wpt>"), Just("&amp;"), Just("&x;"),
            Just("<![CDATA["), Just("]]>"), Just("<!--"), Just("-->"), Just("<?x"), Just("?>"), Just("<!DOCTYPE"), Just("é"), Just("\n")
        ], 0..40)
    ) {
        let text = pieces.concat();
        if let Err(error) = Recording::read(text.as_bytes()) {
            prop_assert!(error.line <= 1 + text.matches('\n').count() as u64);
        }
    }

    #[test]
    fn every_place_comes_back(lat in -900_000_000..=900_000_000_i32, lon in -1_800_000_000..=1_800_000_000_i32) {
        use yenban_protocol::text::degrees::exact_degrees;
        let text = track(&format!("<trkpt lat=\"{}\" lon=\"{}\"/>", exact_degrees(lat), exact_degrees(lon)));
        let recording = Recording::read(text.as_bytes()).expect("well-formed");
        prop_assert_eq!(recording.points().next().map(|point| point.place), LatLon::from_e7(lat, lon).ok());
    }
}
