//! A page of HTML as text.
//!
//! Problem: a megabyte of tags can be a tree a hundred thousand levels deep, whose parser takes time by the square, or a
//! table of a thousand million cells. Decision: parsing ends when its time is over, and what came out is measured before it
//! is laid out. Price: such a page is refused, or cut.

use html2text::{Element, Handle, config};
use std::cell::Cell;
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Columns of the text: links and tables are not broken at every word.
const WIDTH: usize = 120;

/// Time to parse a page: a megabyte takes 0.3 s.
const TIME: Duration = Duration::from_secs(2);

/// Levels of nesting; pages have some thirty, and layout goes down a level a call.
const DEEPEST: usize = 256;

/// Nodes of a page: the longest articles have some 30,000. Each takes about a kilobyte to lay out.
const NODES: usize = 300_000;

/// Cells of all rows if each were as long as the longest, which is how tables are laid out.
const CELLS: usize = 2_000_000;

/// The text of a page, and whether its end is missing.
pub(super) fn text(html: &[u8]) -> Result<(String, bool), String> {
    let unreadable = |error: html2text::Error| format!("the page can't be read: {error}");
    let page = config::plain().allow_width_overflow().no_link_wrapping();
    let late = Cell::new(false);
    let dom =
        page.parse_html(Until { rest: html, end: Instant::now() + TIME, late: &late }).map_err(unreadable)?;
    measure(&dom.document)?;
    let tree = page.dom_to_render_tree(&dom).map_err(unreadable)?;
    let text = page.render_to_string(tree, WIDTH).map_err(unreadable)?;
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    Ok((lines.join("\n").trim().to_owned(), late.get()))
}

/// Refuses a page that can't be laid out in reasonable time and memory.
fn measure(document: &Handle) -> Result<(), String> {
    let (mut nodes, mut rows, mut longest) = (0, 0, 0);
    let mut left = vec![(document.clone(), 0)];
    while let Some((node, level)) = left.pop() {
        nodes += 1;
        if level > DEEPEST || nodes > NODES {
            return Err(format!("the page has more than {DEEPEST} levels or {NODES} elements"));
        }
        if let Element { name, attrs, .. } = &node.data {
            // A cell over a thousand rows makes each of them longer.
            attrs.borrow_mut().retain(|attribute| &*attribute.name.local != "rowspan");
            if &*name.local == "tr" {
                rows += 1;
                longest = longest.max(node.children.borrow().len());
            }
        }
        left.extend(node.children.borrow().iter().map(|child| (child.clone(), level + 1)));
    }
    if rows * longest > CELLS {
        return Err(format!("the page's tables have more than {CELLS} cells"));
    }
    Ok(())
}

/// What is left of a page, until the time is over.
struct Until<'a> {
    rest: &'a [u8],
    end: Instant,
    late: &'a Cell<bool>,
}

impl Read for Until<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if Instant::now() < self.end {
            return self.rest.read(buffer);
        }
        self.late.set(!self.rest.is_empty());
        Ok(0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_its_text() {
        let html = "<!doctype html><title>T</title><script>x()</script><h1>Head</h1><p>One <a href='/two'>two</a>\
                    <table><tr><td>a<td rowspan=2>b<tr><td>c</table>";
        let (text, cut) = text(html.as_bytes()).unwrap();
        assert!(!cut && text.contains("# Head") && text.contains("[two]"), "{text}");
        assert!(text.contains("/two") && !text.contains("x()"), "{text}");
    }

    #[test]
    fn a_page_that_is_made_to_take_too_much_ends() {
        let much = |unit: &str| unit.repeat((1 << 20) / unit.len());
        for unit in ["<div>", "<ul><li>", "<blockquote>", "<b>", "<table><tr><td>", "<p><b><i><u><a href=x>"]
        {
            assert!(text(much(unit).as_bytes()).unwrap_err().contains("levels"), "{unit}");
        }
        let wide =
            format!("<table><tr>{}</tr>{}", "<td>x".repeat(20_000), "<tr><td>a</td></tr>".repeat(20_000));
        assert!(text(wide.as_bytes()).unwrap_err().contains("cells"));
        let spans = "<tr><td rowspan=99999999 colspan=99999999>a</td><td>b</td></tr>".repeat(2_000);
        assert!(text(format!("<table>{spans}").as_bytes()).is_ok());
        assert!(text("<p>x".repeat(50_000).as_bytes()).is_ok());
        assert!(text(format!("{}x", "<div>".repeat(250)).as_bytes()).is_ok());
    }
}
