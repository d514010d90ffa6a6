//! The morning's page: what was accepted, what was dropped and why, what the clusters look like, what has changed.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::moved;
use crate::bake::cluster::Styles;
use crate::bake::files;
use crate::bake::frames::{self, Rendered};

/// Pictures of a contact sheet.
const SHEET: usize = 8;
/// Dropped presets named on the page.
const NAMED: usize = 200;

/// What the page tells of.
pub(super) struct Night<'a> {
    pub styles: &'a Styles,
    pub before: Option<&'a Styles>,
    /// Presets left out, and why.
    pub dropped: &'a [(String, String)],
    pub rendered: Rendered,
}

/// Writes `morning.html` into the pack's folder.
pub(super) fn write(folder: &Path, night: &Night) -> Result<PathBuf, String> {
    let path = folder.join("morning.html");
    let entries = frames::read(folder);
    let pictures: HashMap<&str, &str> =
        entries.iter().filter_map(|(id, entry)| Some((id.as_str(), entry.frames.last()?.as_str()))).collect();
    let text = page(night, &pictures).map_err(|error| error.to_string())?;
    files::write_whole(&path, text.as_bytes())?;
    Ok(path)
}

fn page(night: &Night, pictures: &HashMap<&str, &str>) -> Result<String, std::fmt::Error> {
    let Night { styles, before, dropped, rendered } = night;
    let mut html = String::from(
        "<!doctype html><meta charset=utf-8><title>aivj: the morning after</title><style>body{background:#14151a;\
         color:#ddd;font:15px sans-serif;margin:2em}img{width:112px;height:112px;margin:1px}h2{margin:1.2em 0 .2em}\
         td{padding:0 1em 0 0;vertical-align:top}.quiet{color:#889}</style>",
    );
    writeln!(html, "<h1>{}</h1><p class=quiet>{}</p>", escaped(&styles.pack), escaped(&styles.generated_at))?;
    writeln!(
        html,
        "<p>{} presets in the index, {} left out. Rendered tonight: {} good, {} failed; {} were there already.</p>",
        styles.members.len(),
        dropped.len(),
        rendered.ok,
        rendered.failed,
        rendered.kept
    )?;
    if let Some(before) = before {
        let new = styles.members.keys().filter(|id| !before.members.contains_key(*id)).count();
        let gone = before.members.keys().filter(|id| !styles.members.contains_key(*id)).count();
        let moved = moved(before, styles);
        writeln!(html, "<p>Since last night: {new} new, {gone} gone, {moved} in another cluster.</p>")?;
    }
    for style in &styles.clusters {
        let [calm, groove, peak] = style.energies;
        writeln!(html, "<h2>{} {}</h2>", style.id, escaped(&style.label))?;
        writeln!(
            html,
            "<p class=quiet>{} presets: {calm} calm, {groove} groove, {peak} peak. Words: {}</p><p>",
            style.count,
            escaped(&style.words.join(", "))
        )?;
        for id in style.central.iter().take(SHEET) {
            if let Some(picture) = pictures.get(id.as_str()) {
                writeln!(html, "<img loading=lazy src=\"{}\" title=\"{}\">", escaped(picture), escaped(id))?;
            }
        }
        html.push_str("</p>");
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    dropped.iter().for_each(|(_, why)| *reasons.entry(why).or_default() += 1);
    html.push_str("<h2>Left out</h2><p>");
    for (why, count) in reasons {
        writeln!(html, "{count} {}<br>", escaped(why))?;
    }
    html.push_str("</p><table class=quiet>");
    for (id, why) in dropped.iter().take(NAMED) {
        writeln!(html, "<tr><td>{}<td>{}", escaped(id), escaped(why))?;
    }
    html.push_str("</table>");
    Ok(html)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_what_is_central_and_says_what_changed() {
        let members = |ids: &[(&str, u32)]| ids.iter().map(|(id, c)| ((*id).to_owned(), *c)).collect();
        let style = crate::bake::cluster::Style {
            id: "c00".into(),
            label: "calm <star>".into(),
            count: 2,
            words: vec!["star".into()],
            central: vec!["a".into(), "b".into()],
            energies: [2, 0, 0],
            centroid: vec![],
        };
        let now =
            Styles { clusters: vec![style], members: members(&[("a", 0), ("b", 0)]), ..Styles::default() };
        let before = Styles { members: members(&[("a", 1), ("c", 0)]), ..Styles::default() };
        let dropped = [("x".to_owned(), "black".to_owned())];
        let rendered = Rendered::default();
        let night = Night { styles: &now, before: Some(&before), dropped: &dropped, rendered };
        let html = page(&night, &HashMap::from([("a", "frames/a.webp")])).expect("written");
        assert!(html.contains("calm &lt;star&gt;") && html.contains("frames/a.webp"));
        assert!(html.contains("1 new, 1 gone, 1 in another cluster") && html.contains("1 black"));
    }
}
