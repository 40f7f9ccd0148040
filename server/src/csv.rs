//! Comma-separated values ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)).

/// A cell. What a spreadsheet would take for a formula is taken for a text
/// ([OWASP, CSV injection](https://owasp.org/www-community/attacks/CSV_Injection)); what people write must run nowhere.
pub(crate) fn cell(text: &str) -> String {
    let safe = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if safe.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

/// What a cell says that may have been written by [`cell`].
pub(crate) fn uncell(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => text,
    }
}

/// Reads lines of cells: each with the number of the line it begins on, counted from 1. Blank lines are left out.
///
/// # Errors
/// The number of the line in which a quote is opened that is never closed, or is followed by something.
pub(crate) fn read(text: &str) -> Result<Vec<(usize, Vec<String>)>, usize> {
    let mut lines = Vec::new();
    let (mut cells, mut cell, mut number, mut began) = (Vec::new(), String::new(), 1, 1);
    let (mut quoted, mut closed) = (None, false);
    let mut characters = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    while let Some(character) = characters.next() {
        match (character, quoted) {
            ('"', Some(_)) if characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            ('"', Some(_)) => (quoted, closed) = (None, true),
            ('"', None) if cell.trim().is_empty() && !closed => {
                cell.clear();
                quoted = Some(number);
            }
            (',', None) => {
                cells.push(std::mem::take(&mut cell));
                closed = false;
            }
            ('\r', None) if characters.peek() == Some(&'\n') => {}
            ('\n', None) => {
                cells.push(std::mem::take(&mut cell));
                let done = std::mem::take(&mut cells);
                if done.iter().any(|cell| !cell.trim().is_empty()) {
                    lines.push((began, done));
                }
                closed = false;
                number += 1;
                began = number;
            }
            (character, None) if closed && !character.is_whitespace() => return Err(number),
            (character, _) => {
                number += usize::from(character == '\n');
                cell.push(character);
            }
        }
    }
    if let Some(opened) = quoted {
        return Err(opened);
    }
    cells.push(cell);
    if cells.iter().any(|cell| !cell.trim().is_empty()) {
        lines.push((began, cells));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_run_nowhere() {
        for (text, expected) in
            [("a", "a"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("=1+1", "'=1+1"), ("-x\ny", "\"'-x\ny\"")]
        {
            assert_eq!(cell(text), expected);
            let read = read(&cell(text)).unwrap();
            assert_eq!(uncell(&read[0].1[0]), text, "it is read as it was written");
        }
    }

    #[test]
    fn lines_are_read_with_their_numbers() {
        let text = "\u{feff}acme.example,ada@example.com\r\n\n\"Söhne, \"\"Co\"\"\nGmbH\", grace@example.com \nlast";
        let lines = read(text).unwrap();
        assert_eq!(lines[0], (1, vec!["acme.example".to_owned(), "ada@example.com".to_owned()]));
        assert_eq!(lines[1], (3, vec!["Söhne, \"Co\"\nGmbH".to_owned(), " grace@example.com ".to_owned()]));
        assert_eq!(lines[2], (5, vec!["last".to_owned()]));
        assert_eq!(read("a\n\"b"), Err(2));
        assert_eq!(read("\"a\"b"), Err(1));
        assert_eq!(read(""), Ok(vec![]));
    }
}
