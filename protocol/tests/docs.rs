//! docs/PROTOCOL.md shows bytes: they are the golden ones.

#[test]
fn the_bytes_shown_in_the_docs_are_the_golden_ones() {
    let root = env!("CARGO_MANIFEST_DIR");
    let docs = std::fs::read_to_string(format!("{root}/../docs/PROTOCOL.md")).expect("docs/PROTOCOL.md");
    let mut shown = 0;
    for block in docs.split("```text golden:").skip(1) {
        let (name, rest) = block.split_once('\n').expect("a name");
        let (lines, _) = rest.split_once("```").expect("an end");
        let hex_of = |line: &str| line.split_whitespace().take_while(|w| w.bytes().all(|b| b.is_ascii_hexdigit())).collect::<String>();
        // A comment may begin with a word of hexadecimal letters; it stands two spaces away.
        let bytes: String = lines.lines().map(|l| hex_of(l.trim().split("   ").next().unwrap_or(""))).collect();
        let golden = std::fs::read_to_string(format!("{root}/tests/golden/v1/{name}.hex")).expect("a golden file");
        assert_eq!(bytes, golden.split_whitespace().collect::<String>(), "{name} in docs/PROTOCOL.md");
        shown += 1;
    }
    assert!(shown >= 2, "the page shows examples");
}
