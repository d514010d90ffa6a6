//! The morning's page: what was accepted, what was left out and why, what the clusters look like, what has changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::presets::kind;
use super::stages::AUDIT_FOLDER;
use crate::cluster::{ClusterStyle, Styles};
use crate::frames::{self, Rendered};
use crate::jobs::files;

/// Pictures of a contact sheet.
const SHEET: usize = 12;
/// Presets named in a list.
const NAMED: usize = 200;

/// What the page tells of.
pub(super) struct PageInput<'a> {
    pub styles: &'a Styles,
    pub before: Option<&'a Styles>,
    /// Presets the night was asked for.
    pub presets: usize,
    /// Presets left out, and why.
    pub dropped: &'a [(String, String)],
    /// Presets without a verdict.
    pub waiting: usize,
    /// How varied the pack is, in words; nothing when none was copied.
    pub light: Option<String>,
    pub rendered: Rendered,
    /// What the night has taken, all its starts together.
    pub spent: Duration,
}

/// Writes `morning.html` into the pack's folder.
pub(super) fn write(folder: &Path, told: &PageInput) -> Result<PathBuf, String> {
    let path = folder.join("morning.html");
    let entries = frames::read(folder);
    let pictures: HashMap<&str, &str> =
        entries.iter().filter_map(|(id, entry)| Some((id.as_str(), entry.frames.last()?.as_str()))).collect();
    let text = page(told, &pictures).map_err(|error| error.to_string())?;
    files::write_whole(&path, text.as_bytes())?;
    Ok(path)
}

fn page(told: &PageInput, pictures: &HashMap<&str, &str>) -> Result<String, std::fmt::Error> {
    let mut html = String::from(
        "<!doctype html><meta charset=utf-8><title>aivj: the morning after</title><style>body{background:#14151a;\
         color:#ddd;font:15px sans-serif;margin:2em}img{width:112px;height:112px;margin:1px;background:#000}\
         h2{margin:1.4em 0 .2em}h3{margin:1.2em 0 .2em}td{padding:0 1em 0 0;vertical-align:top}.quiet{color:#889}\
         a{color:#8fc7f5}details{margin:.3em 0}summary{cursor:pointer}</style>",
    );
    summary(&mut html, told)?;
    changes(&mut html, told, pictures)?;
    writeln!(html, "<h2>{} clusters</h2>", told.styles.clusters.len())?;
    for style in &told.styles.clusters {
        cluster(&mut html, style, pictures)?;
    }
    left_out(&mut html, told.dropped)?;
    Ok(html)
}

fn summary(html: &mut String, told: &PageInput) -> std::fmt::Result {
    let PageInput { styles, presets, dropped, waiting, light, rendered, spent, .. } = told;
    writeln!(html, "<h1>{}</h1><p class=quiet>{}</p>", escaped(&styles.pack), escaped(&styles.generated_at))?;
    writeln!(
        html,
        "<p>Of {presets} presets {} are in the index, {} are left out, {waiting} wait for a verdict.",
        styles.members.len(),
        dropped.len()
    )?;
    writeln!(
        html,
        "Rendered tonight: {} good, {} failed; {} were there already. It took {}.</p>",
        rendered.ok,
        rendered.failed,
        rendered.kept,
        words(*spent)
    )?;
    if let Some(light) = light {
        writeln!(html, "<p>The pack is {}.</p>", escaped(light))?;
    }
    writeln!(html, "<p><a href=\"{AUDIT_FOLDER}/report.html\">The audit, preset by preset</a></p>")
}

/// What is another than last night: counts, clusters that came, went or changed their size, and names.
fn changes(html: &mut String, told: &PageInput, pictures: &HashMap<&str, &str>) -> std::fmt::Result {
    let PageInput { styles, before, dropped, .. } = told;
    html.push_str("<h2>Since last night</h2>");
    let Some(before) = before else {
        html.push_str("<p>This is the first night here.</p>");
        return Ok(());
    };
    let new: BTreeSet<&String> =
        styles.members.keys().filter(|id| !before.members.contains_key(*id)).collect();
    let gone: BTreeSet<&String> =
        before.members.keys().filter(|id| !styles.members.contains_key(*id)).collect();
    let moved = |(id, cluster): &(&String, &u32)| before.members.get(*id).is_some_and(|old| old != *cluster);
    let moved: BTreeSet<&String> = styles.members.iter().filter(moved).map(|(id, _)| id).collect();
    writeln!(html, "<p>{} new, {} gone, {} in another cluster.</p>", new.len(), gone.len(), moved.len())?;
    html.push_str("<p>");
    for &id in new.iter().take(SHEET) {
        picture(html, id, pictures)?;
    }
    html.push_str("</p>");
    let reasons: HashMap<&str, &str> = dropped.iter().map(|(id, why)| (id.as_str(), why.as_str())).collect();
    for (title, ids) in [("New", &new), ("Gone", &gone), ("In another cluster", &moved)] {
        if ids.is_empty() {
            continue;
        }
        writeln!(html, "<details><summary>{title}: {}</summary><table class=quiet>", ids.len())?;
        for id in ids.iter().take(NAMED) {
            let why = reasons.get(id.as_str()).copied().unwrap_or_default();
            writeln!(html, "<tr><td>{}<td>{}", escaped(id), escaped(why))?;
        }
        html.push_str("</table></details>");
    }
    let old: HashMap<&str, &ClusterStyle> =
        before.clusters.iter().map(|style| (style.id.as_str(), style)).collect();
    html.push_str("<table>");
    for style in &styles.clusters {
        let was = match old.get(style.id.as_str()) {
            None => "a new cluster".to_owned(),
            Some(was) if was.count == style.count => continue,
            Some(was) => format!("{} before", was.count),
        };
        let label = escaped(&style.label);
        writeln!(html, "<tr><td>{}<td>{label}<td>{}<td class=quiet>{was}", style.id, style.count)?;
    }
    let now: BTreeSet<&str> = styles.clusters.iter().map(|style| style.id.as_str()).collect();
    for style in before.clusters.iter().filter(|style| !now.contains(style.id.as_str())) {
        let label = escaped(&style.label);
        writeln!(html, "<tr><td>{}<td>{label}<td>0<td class=quiet>{} before", style.id, style.count)?;
    }
    html.push_str("</table>");
    Ok(())
}

fn cluster(html: &mut String, style: &ClusterStyle, pictures: &HashMap<&str, &str>) -> std::fmt::Result {
    let [calm, groove, peak] = style.energies;
    writeln!(html, "<h3>{} {}</h3>", style.id, escaped(&style.label))?;
    writeln!(
        html,
        "<p class=quiet>{} presets: {calm} calm, {groove} groove, {peak} peak. Words: {}</p><p>",
        style.count,
        escaped(&style.words.join(", "))
    )?;
    for id in style.central.iter().take(SHEET) {
        picture(html, id, pictures)?;
    }
    html.push_str("</p>");
    Ok(())
}

fn picture(html: &mut String, id: &str, pictures: &HashMap<&str, &str>) -> std::fmt::Result {
    match pictures.get(id) {
        Some(path) => {
            writeln!(html, "<img loading=lazy src=\"{}\" title=\"{}\">", escaped(path), escaped(id))
        }
        None => Ok(()),
    }
}

fn left_out(html: &mut String, dropped: &[(String, String)]) -> std::fmt::Result {
    writeln!(html, "<h2>Left out: {}</h2><p>", dropped.len())?;
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    dropped.iter().for_each(|(_, why)| *kinds.entry(kind(why)).or_default() += 1);
    let mut kinds: Vec<(&str, usize)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
    for (kind, count) in kinds {
        writeln!(html, "{count} {}<br>", escaped(kind))?;
    }
    html.push_str("</p><table class=quiet>");
    for (id, why) in dropped.iter().take(NAMED) {
        writeln!(html, "<tr><td>{}<td>{}", escaped(id), escaped(why))?;
    }
    html.push_str("</table>");
    if let Some(more) = dropped.len().checked_sub(NAMED).filter(|more| *more > 0) {
        writeln!(html, "<p class=quiet>and {more} more; the audit's page has them all</p>")?;
    }
    Ok(())
}

/// `2 h 05 min`, `3 min`.
fn words(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(id: &str, count: usize) -> ClusterStyle {
        ClusterStyle {
            id: id.into(),
            label: "calm <star>".into(),
            count,
            words: vec!["star".into()],
            central: vec!["a".into(), "b".into()],
            energies: [2, 0, 0],
            centroid: vec![],
        }
    }

    #[test]
    fn a_page_shows_what_is_central_and_says_what_changed_and_why() {
        let members = |ids: &[(&str, u32)]| ids.iter().map(|(id, c)| ((*id).to_owned(), *c)).collect();
        let now = Styles {
            clusters: vec![style("c00", 2)],
            members: members(&[("a", 0), ("b", 0)]),
            ..Styles::default()
        };
        let before = Styles {
            clusters: vec![style("c00", 1), style("c01", 1)],
            members: members(&[("a", 1), ("x", 0)]),
            ..Styles::default()
        };
        let dropped = [("x", "too dark: light 0.001"), ("y", "too dark: light 0.002")]
            .map(|(id, why)| (id.to_owned(), why.to_owned()));
        let told = PageInput {
            styles: &now,
            before: Some(&before),
            presets: 5,
            dropped: &dropped,
            waiting: 1,
            light: Some("green: varied".into()),
            rendered: Rendered::default(),
            spent: Duration::from_secs(7500),
        };
        let html = page(&told, &HashMap::from([("a", "frames/a.webp")])).expect("written");
        for wanted in [
            "calm &lt;star&gt;",
            "frames/a.webp",
            "1 new, 1 gone, 1 in another cluster",
            "Of 5 presets 2 are in the index, 2 are left out, 1 wait",
            "2 too dark<br>",
            "too dark: light 0.001",
            "2 h 05 min",
            "<td>c01<td>calm &lt;star&gt;<td>0",
            "green: varied",
        ] {
            assert!(html.contains(wanted), "{wanted} is missing in {html}");
        }
    }
}
