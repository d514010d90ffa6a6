//! Builds a self-contained HTML page.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// File, displayed name and remark.
type ListItem = (PathBuf, String, String);
/// File, displayed name, remark and, if there is one, JPEG picture.
type GalleryItem = (PathBuf, String, String, Option<Vec<u8>>);

const STYLE: &str = "
body{background:#14161a;color:#d8dbe0;font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1280px;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .6rem;color:#fff}small,figcaption,.dim{color:#98a0ab}
.cards{display:flex;flex-wrap:wrap;gap:.7rem;margin:1.2rem 0}.cards div{background:#1e2127;border-radius:.5rem;padding:.7rem 1rem}
.cards b{display:block;font-size:1.6rem;color:#fff}.tables{display:flex;flex-wrap:wrap;gap:2rem;align-items:flex-start}
table{border-collapse:collapse}th{text-align:left;color:#fff;padding-bottom:.3rem}td{padding:.1rem .9rem .1rem 0}td.n{text-align:right}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:1rem}figure{margin:0;background:#1e2127;border-radius:.5rem;padding:.7rem}
svg{width:100%}rect{fill:#5aa9e6}line{stroke:#ff6b6b;stroke-width:1.5}text{fill:#98a0ab;font-size:10px}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(290px,1fr));gap:.8rem}.gallery div{background:#1e2127;border-radius:.5rem;padding:.5rem;overflow:hidden}
.gallery img{width:100%;display:block;background:#000}a{color:#8fc7f5;text-decoration:none;overflow-wrap:anywhere}
details{background:#1e2127;border-radius:.5rem;padding:.6rem .9rem;margin:.5rem 0}summary{cursor:pointer;color:#fff}li{margin:.25rem 0}
";

/// Characters of a path that are percent-encoded in links.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b':');

/// A page being built.
pub struct HtmlPage {
    title: String,
    at: String,
    body: String,
}

impl HtmlPage {
    /// Creates a page with a title, and the time `at` below it.
    pub fn new(title: &str, at: &str) -> Self {
        Self { title: title.to_owned(), at: at.to_owned(), body: String::new() }
    }

    /// Completes the page and returns its HTML.
    pub fn finish(self) -> String {
        let Self { title, at, body } = self;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { (title) }
                    small { (at) }
                    (PreEscaped(body))
                }
            }
        };
        page.into_string()
    }

    fn add(&mut self, part: Markup) {
        self.body.push_str(&part.into_string());
    }

    /// Adds a heading.
    pub fn heading(&mut self, text: &str) {
        self.add(html! { h2 { (text) } });
    }

    /// Adds a paragraph.
    pub fn text(&mut self, text: &str) {
        self.add(html! { p.dim { (text) } });
    }

    /// Adds large numbers with labels.
    pub fn cards(&mut self, cards: &[(&str, usize)]) {
        self.add(html! {
            div.cards {
                @for (label, number) in cards {
                    div { b { (number) } (label) }
                }
            }
        });
    }

    /// Adds tables of counts side by side. Each row also shows the count as a share of `whole`; rows with a
    /// count of zero are omitted.
    pub fn tables(&mut self, whole: usize, tables: &[(&str, &[(String, usize)])]) {
        let share = |count: usize| format!("{:.1}%", 100.0 * count as f64 / whole.max(1) as f64);
        self.add(html! {
            div.tables {
                @for (title, rows) in tables {
                    table {
                        tr { th colspan="3" { (title) } }
                        @for (label, count) in rows.iter().filter(|(_, count)| *count > 0) {
                            tr { td { (label) } td.n { (count) } td.n.dim { (share(*count)) } }
                        }
                    }
                }
            }
        });
    }

    /// Adds charts side by side.
    pub fn charts(&mut self, charts: &[Markup]) {
        self.add(html! { div.charts { @for chart in charts { (chart) } } });
    }

    /// Adds a collapsible list; `whole` is the number of entries including omitted ones.
    pub fn list(&mut self, title: &str, lines: &[ListItem], whole: usize) {
        self.add(html! {
            details {
                summary { (title) }
                ol {
                    @for (file, name, remark) in lines {
                        li { (link(file, name)) " " small { (remark) } }
                    }
                }
                @if whole > lines.len() {
                    p.dim { "and " (whole - lines.len()) " more; see the list file" }
                }
            }
        });
    }

    /// Adds links to files next to the page.
    pub fn links(&mut self, names: &[&str]) {
        self.add(html! {
            p {
                @for (at, name) in names.iter().enumerate() {
                    @if at > 0 { " · " }
                    a href=(name) { (name) }
                }
            }
        });
    }

    /// Adds presets with their pictures.
    pub fn gallery(&mut self, presets: &[GalleryItem]) {
        self.add(html! {
            div.gallery {
                @for (file, name, remark, picture) in presets {
                    div {
                        @if let Some(jpeg) = picture {
                            img loading="lazy" alt="" src={ "data:image/jpeg;base64," (BASE64.encode(jpeg)) };
                        }
                        (link(file, name)) br; small { (remark) }
                    }
                }
            }
        });
    }
}

/// Returns a link to a local file.
fn link(file: &Path, name: &str) -> Markup {
    let path = file.to_string_lossy().replace('\\', "/");
    let root = if path.starts_with('/') { "" } else { "/" }; // Before a drive letter.
    html! { a href={ "file://" (root) (utf8_percent_encode(&path, ENCODED)) } { (name) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_work_on_every_platform() {
        for (file, address) in [("/a/b.milk", "file:///a/b.milk"), (r"C:\a\b.milk", "file:///C:/a/b.milk")] {
            let link = link(Path::new(file), "b").into_string();
            assert!(link.contains(&format!("\"{address}\"")), "{link}");
        }
    }

    #[test]
    fn names_are_escaped() {
        let mut page = HtmlPage::new("<b>", "now");
        page.gallery(&[(
            "/a b/\"<x>.milk".into(),
            "<script>".into(),
            "a & b".into(),
            Some(b"foob".to_vec()),
        )]);
        let page = page.finish();
        assert!(
            page.contains("&lt;script&gt;")
                && !page.contains("<script>")
                && page.contains("/a%20b/%22%3Cx%3E.milk\">")
                && page.contains("a &amp; b")
                && page.contains("base64,Zm9vYg==\"")
        );
    }
}
