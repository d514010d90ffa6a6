//! A page that needs nothing but itself.

use std::path::{Path, PathBuf};

/// A file, its name, what is said about it.
type Line = (PathBuf, String, String);
/// The same with a picture (JPEG bytes), where there is one.
type Shown = (PathBuf, String, String, Option<Vec<u8>>);

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

/// A page under way.
pub struct HtmlPage(String);

impl HtmlPage {
    /// Begins a page.
    pub fn new(title: &str, at: &str) -> Self {
        let title = escaped(title);
        Self(format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style>\
             <h1>{title}</h1><small>{at}</small>"
        ))
    }

    /// Ends it.
    pub fn end(self) -> String {
        self.0 + "</html>\n"
    }

    /// A heading.
    pub fn heading(&mut self, text: &str) {
        self.0 += &format!("<h2>{}</h2>", escaped(text));
    }

    /// A paragraph.
    pub fn text(&mut self, text: &str) {
        self.0 += &format!("<p class=\"dim\">{}</p>", escaped(text));
    }

    /// Large numbers.
    pub fn cards(&mut self, cards: &[(&str, usize)]) {
        self.0 += "<div class=\"cards\">";
        for (label, number) in cards {
            self.0 += &format!("<div><b>{number}</b>{}</div>", escaped(label));
        }
        self.0 += "</div>";
    }

    /// Tables of counts side by side, with their share of `whole`; rows that count nothing are left out.
    pub fn tables(&mut self, whole: usize, tables: &[(&str, &[(String, usize)])]) {
        self.0 += "<div class=\"tables\">";
        for (title, rows) in tables {
            self.0 += &format!("<table><tr><th colspan=\"3\">{}</th></tr>", escaped(title));
            for (label, count) in rows.iter().filter(|(_, count)| *count > 0) {
                let share = 100.0 * *count as f64 / whole.max(1) as f64;
                let label = escaped(label);
                self.0 += &format!(
                    "<tr><td>{label}</td><td class=\"n\">{count}</td><td class=\"n dim\">{share:.1} %</td></tr>"
                );
            }
            self.0 += "</table>";
        }
        self.0 += "</div>";
    }

    /// Drawings side by side.
    pub fn charts(&mut self, charts: &[String]) {
        self.0 += &format!("<div class=\"charts\">{}</div>", charts.concat());
    }

    /// A list that opens; `whole` counts more than are listed.
    pub fn list(&mut self, title: &str, lines: &[Line], whole: usize) {
        self.0 += &format!("<details><summary>{}</summary><ol>", escaped(title));
        for (file, name, said) in lines {
            self.0 += &format!("<li>{} <small>{}</small></li>", link(file, name), escaped(said));
        }
        self.0 += "</ol>";
        if whole > lines.len() {
            self.0 += &format!("<p class=\"dim\">and {} more in the file</p>", whole - lines.len());
        }
        self.0 += "</details>";
    }

    /// Links to files beside the page.
    pub fn links(&mut self, names: &[&str]) {
        let links: Vec<String> = names.iter().map(|name| format!("<a href=\"{name}\">{name}</a>")).collect();
        self.0 += &format!("<p>{}</p>", links.join(" &middot; "));
    }

    /// Presets with their pictures.
    pub fn gallery(&mut self, presets: &[Shown]) {
        self.0 += "<div class=\"gallery\">";
        for (file, name, said, picture) in presets {
            let picture = picture.as_ref().map_or(String::new(), |jpeg| {
                format!("<img loading=\"lazy\" alt=\"\" src=\"data:image/jpeg;base64,{}\">", base64(jpeg))
            });
            self.0 +=
                &format!("<div>{picture}{}<br><small>{}</small></div>", link(file, name), escaped(said));
        }
        self.0 += "</div>";
    }
}

/// A link to a file on this machine.
fn link(file: &Path, name: &str) -> String {
    let path = file.to_string_lossy().replace('\\', "/");
    let encoded: String = path
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b':' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("<a href=\"file://{encoded}\">{}</a>", escaped(name))
}

/// Names come from strangers: nothing in them is taken for markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let number = (0..3).fold(0_u32, |n, at| n << 8 | u32::from(part.get(at).copied().unwrap_or(0)));
        for digit in 0..4 {
            let padding = digit > part.len();
            let value = (number >> (18 - 6 * digit)) as usize & 63;
            text.push(if padding { '=' } else { char::from(DIGITS[value]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads_as_the_standard_says() {
        let pairs = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, coded) in pairs {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_name_never_becomes_markup() {
        let mut page = HtmlPage::new("<b>", "now");
        page.gallery(&[("/a b/\"<x>.milk".into(), "<script>".into(), "a & b".into(), None)]);
        let page = page.end();
        assert!(
            page.contains("&lt;script&gt;")
                && !page.contains("<script>")
                && page.contains("/a%20b/%22%3Cx%3E")
        );
    }
}
