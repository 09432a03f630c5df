//! Forms with a file: `multipart/form-data` (RFC 7578), as far as our own pages send it.

/// Fields of a form, each with its bytes; `None`: it is no such form. The body is bounded before it comes here.
pub(super) fn fields(content_type: &str, body: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = rest.split(';').find_map(|one| one.trim().strip_prefix("boundary="))?.trim_matches('"');
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let line = format!("--{boundary}");
    // The first line has nothing before it; every later one ends the content above it.
    let mut rest = body.strip_prefix(line.as_bytes())?;
    let end = format!("\r\n{line}");
    let mut fields = Vec::new();
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let head_end = find(part, b"\r\n\r\n")?;
        let (head, content) = (std::str::from_utf8(&part[..head_end]).ok()?, &part[head_end + 4..]);
        let content_end = find(content, end.as_bytes())?;
        fields.push((name(head)?, content[..content_end].to_vec()));
        rest = &content[content_end + end.len()..];
    }
    rest.starts_with(b"--").then_some(fields)
}

/// The field's name in a part's headers.
fn name(head: &str) -> Option<String> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))?;
    let name = value.split(';').find_map(|one| one.trim().strip_prefix("name="))?;
    Some(name.trim_matches('"').to_owned())
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_with_a_file_is_read_and_anything_else_is_not() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc\r\n--x\r\nContent-Disposition: form-data; \
                     name=\"file\"; filename=\"a.xml\"\r\nContent-Type: text/xml\r\n\r\n<a>\r\n\r\n--y</a>\r\n--x--\r\n";
        let read = fields("multipart/form-data; boundary=x", body).unwrap();
        assert_eq!(read, [("token".to_owned(), b"abc".to_vec()), ("file".to_owned(), b"<a>\r\n\r\n--y</a>".to_vec())]);
        assert_eq!(fields("multipart/form-data; boundary=z", body), None);
        assert_eq!(fields("text/plain; boundary=x", body), None);
        for cut in 0..body.len() - 4 {
            assert_eq!(fields("multipart/form-data; boundary=x", &body[..cut]), None, "{cut}");
        }
    }
}
