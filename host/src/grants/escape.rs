//! Text of others, made safe to look at.

use std::borrow::Cow;

/// Text that a plugin or a file's name chose, safe to show: what is no visible character (escape sequences, line ends,
/// marks that turn the direction of writing) stands as `\u{…}`.
///
/// ```
/// assert_eq!(aimu_host::escaped("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
/// ```
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            // Harmless, and more readable as they are.
            '\'' | '"' | '\\' => safe.push(c),
            c => safe.extend(c.escape_debug()),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_is_left() {
        for hostile in
            ["\u{1b}]52;c;x\u{7}", "\u{9b}2J", "a\rb", "\u{202e}cod", "\u{200b}", "\u{feff}", "\u{2028}"]
        {
            let safe = escaped(hostile);
            assert!(safe.contains('\\') && safe.chars().all(|c| !c.is_control()), "{safe:?}");
            assert!(safe.is_ascii(), "{safe}");
        }
        assert_eq!(escaped("it's \"Zoë\" \\o/"), "it's \"Zoë\" \\o/");
    }
}
