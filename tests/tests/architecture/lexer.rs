//! Takes Rust source apart just far enough for the rules: code without comments, string contents
//! and test modules, and the strings by line. Rules on text would otherwise trip over a comment
//! that names what it forbids.

/// A source file taken apart.
pub struct Source {
    /// The code: comments, contents of strings and characters, and test items are blanks; line
    /// breaks are kept, so line numbers stay.
    pub code: String,
    /// String literals outside test items: line (from 1) and content as written.
    pub strings: Vec<(usize, String)>,
}

/// Takes one file apart.
pub fn take_apart(text: &str) -> Source {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut strings = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let end = if starts(rest, "//") {
            rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
        } else if starts(rest, "/*") {
            block_comment(rest)
        } else if let Some(hashes) = raw_string(rest, code.chars().last()) {
            let open = rest.iter().position(|c| *c == '"').unwrap_or(0) + 1;
            let close: String = std::iter::once('"').chain("#".repeat(hashes).chars()).collect();
            let length = find(&rest[open..], &close).unwrap_or(rest.len() - open);
            strings.push((line_of(&code), rest[open..open + length].iter().collect()));
            (open + length + close.len()).min(rest.len())
        } else if rest[0] == '"' {
            let length = quoted(&rest[1..], '"');
            strings.push((line_of(&code), rest[1..=length].iter().collect()));
            (length + 2).min(rest.len())
        } else if rest[0] == '\'' && is_char(rest) {
            (quoted(&rest[1..], '\'') + 2).min(rest.len())
        } else {
            code.push(rest[0]);
            at += 1;
            continue;
        };
        code.extend(rest[..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at += end;
    }
    let tests = test_lines(&code);
    strings.retain(|(line, _)| !tests.contains(line));
    let code =
        code.lines().enumerate().map(|(index, line)| if tests.contains(&(index + 1)) { "" } else { line }).collect::<Vec<_>>().join("\n");
    Source { code, strings }
}

fn starts(chars: &[char], with: &str) -> bool {
    with.chars().enumerate().all(|(index, c)| chars.get(index) == Some(&c))
}

fn find(chars: &[char], what: &str) -> Option<usize> {
    (0..chars.len()).find(|at| starts(&chars[*at..], what))
}

fn line_of(code: &str) -> usize {
    code.matches('\n').count() + 1
}

fn block_comment(chars: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < chars.len() {
        if starts(&chars[at..], "/*") {
            depth += 1;
            at += 2;
        } else if starts(&chars[at..], "*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at.min(chars.len())
}

/// The number of hashes when a raw string (r"", r#""#, br"") starts here.
fn raw_string(chars: &[char], before: Option<char>) -> Option<usize> {
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let rest = chars.strip_prefix(&['b']).unwrap_or(chars);
    let rest = rest.strip_prefix(&['r'])?;
    let hashes = rest.iter().take_while(|c| **c == '#').count();
    (rest.get(hashes) == Some(&'"')).then_some(hashes)
}

/// Length of a quoted content up to its closing quote, which an escape does not end.
fn quoted(chars: &[char], quote: char) -> usize {
    let mut at = 0;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at.min(chars.len().saturating_sub(1))
}

/// A quote opens a character, not a lifetime, when it closes soon.
fn is_char(chars: &[char]) -> bool {
    chars.get(1) == Some(&'\\') || chars.get(2) == Some(&'\'')
}

/// Lines of items that are compiled for tests only.
fn test_lines(code: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    let mut from = 0;
    while let Some(at) = code[from..].find("#[cfg(test)]") {
        let start = from + at;
        let open = code[start..].find(['{', ';']).map_or(code.len(), |found| start + found);
        let mut end = open;
        if code[open..].starts_with('{') {
            let mut depth = 0;
            for (offset, c) in code[open..].char_indices() {
                depth += match c {
                    '{' => 1,
                    '}' => -1,
                    _ => 0,
                };
                end = open + offset;
                if depth == 0 {
                    break;
                }
            }
        }
        lines.extend(line_of(&code[..start])..=line_of(&code[..end]));
        from = (end + 1).min(code.len());
    }
    lines
}

#[test]
fn comments_strings_and_tests_are_told_apart_from_code() {
    let source = take_apart(concat!(
        "// Instant::now\n/* a /* b */ c */ let a = \"SELECT \\\" 1\"; let c = '\"';\n",
        "fn f<'a>(x: &'a str) { r#\"raw \"x\" \"#; }\n",
        "#[cfg(test)]\nmod tests {\n  fn g() { std::env::var(\"X\"); }\n}\nfn after() {}\n",
    ));
    assert!(!source.code.contains("Instant"));
    assert!(!source.code.contains("env"));
    assert!(source.code.contains("fn f<'a>(x: &'a str)"));
    assert!(source.code.contains("fn after"));
    let strings: Vec<&str> = source.strings.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(strings, ["SELECT \\\" 1", "raw \"x\" "]);
    assert_eq!(source.strings[0].0, 2);
}
