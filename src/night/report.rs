//! The morning's page: what was accepted, what was left out and why, what the clusters look like, what has changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};

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
    files::write_whole(&path, page(told, &pictures).into_string().as_bytes())?;
    Ok(path)
}

const STYLE: &str = "
body{background:#14151a;color:#ddd;font:15px sans-serif;margin:2em}
img{width:112px;height:112px;margin:1px;background:#000}
h2{margin:1.4em 0 .2em}h3{margin:1.2em 0 .2em}td{padding:0 1em 0 0;vertical-align:top}.quiet{color:#889}
a{color:#8fc7f5}details{margin:.3em 0}summary{cursor:pointer}
";

/// Where the last picture of a preset is.
type Pictures<'a> = HashMap<&'a str, &'a str>;

fn page(told: &PageInput, pictures: &Pictures) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "aivj: the morning after" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (summary(told))
                h2 { "Since last night" }
                @match told.before {
                    Some(before) => (changes(told, before, pictures)),
                    None => p { "This is the first night here." },
                }
                h2 { (told.styles.clusters.len()) " clusters" }
                @for style in &told.styles.clusters {
                    (cluster(style, pictures))
                }
                (left_out(told.dropped))
            }
        }
    }
}

fn summary(told: &PageInput) -> Markup {
    let PageInput { styles, presets, dropped, waiting, light, rendered, spent, .. } = told;
    html! {
        h1 { (styles.pack) }
        p.quiet { (styles.generated_at) }
        p {
            "Of " (presets) " presets " (styles.members.len()) " are in the index, " (dropped.len())
            " are left out, " (waiting) " wait for a verdict. Rendered tonight: " (rendered.ok) " good, "
            (rendered.failed) " failed; " (rendered.kept) " were there already. It took " (words(*spent)) "."
        }
        @if let Some(light) = light {
            p { "The pack is " (light) "." }
        }
        p { a href={ (AUDIT_FOLDER) "/report.html" } { "The audit, preset by preset" } }
    }
}

/// What is another than last night: counts, clusters that came, went or changed their size, and names.
fn changes(told: &PageInput, before: &Styles, pictures: &Pictures) -> Markup {
    let PageInput { styles, dropped, .. } = told;
    let new: BTreeSet<&String> =
        styles.members.keys().filter(|id| !before.members.contains_key(*id)).collect();
    let gone: BTreeSet<&String> =
        before.members.keys().filter(|id| !styles.members.contains_key(*id)).collect();
    let moved = |(id, cluster): &(&String, &u32)| before.members.get(*id).is_some_and(|old| old != *cluster);
    let moved: BTreeSet<&String> = styles.members.iter().filter(moved).map(|(id, _)| id).collect();
    let reasons: HashMap<&str, &str> = dropped.iter().map(|(id, why)| (id.as_str(), why.as_str())).collect();
    html! {
        p { (new.len()) " new, " (gone.len()) " gone, " (moved.len()) " in another cluster." }
        p { @for id in new.iter().take(SHEET) { (picture(id, pictures)) } }
        @for (title, ids) in [("New", &new), ("Gone", &gone), ("In another cluster", &moved)] {
            @if !ids.is_empty() {
                details {
                    summary { (title) ": " (ids.len()) }
                    table.quiet {
                        @for id in ids.iter().take(NAMED) {
                            tr { td { (id) } td { (reasons.get(id.as_str()).copied().unwrap_or_default()) } }
                        }
                    }
                }
            }
        }
        (sizes(styles, before))
    }
}

/// Clusters that came, went or changed their size.
fn sizes(styles: &Styles, before: &Styles) -> Markup {
    let old: HashMap<&str, &ClusterStyle> =
        before.clusters.iter().map(|style| (style.id.as_str(), style)).collect();
    let now: BTreeSet<&str> = styles.clusters.iter().map(|style| style.id.as_str()).collect();
    let row = |style: &ClusterStyle, count: usize, was: &str| {
        html! { tr { td { (style.id) } td { (style.label) } td { (count) } td.quiet { (was) } } }
    };
    html! {
        table {
            @for style in &styles.clusters {
                @match old.get(style.id.as_str()) {
                    None => (row(style, style.count, "a new cluster")),
                    Some(was) if was.count == style.count => {},
                    Some(was) => (row(style, style.count, &format!("{} before", was.count))),
                }
            }
            @for style in before.clusters.iter().filter(|style| !now.contains(style.id.as_str())) {
                (row(style, 0, &format!("{} before", style.count)))
            }
        }
    }
}

fn cluster(style: &ClusterStyle, pictures: &Pictures) -> Markup {
    let [calm, groove, peak] = style.energies;
    html! {
        h3 { (style.id) " " (style.label) }
        p.quiet {
            (style.count) " presets: " (calm) " calm, " (groove) " groove, " (peak) " peak. Words: "
            (style.words.join(", "))
        }
        p { @for id in style.central.iter().take(SHEET) { (picture(id, pictures)) } }
    }
}

fn picture(id: &str, pictures: &Pictures) -> Markup {
    html! {
        @if let Some(path) = pictures.get(id) {
            img loading="lazy" src=(path) title=(id);
            " "
        }
    }
}

fn left_out(dropped: &[(String, String)]) -> Markup {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    dropped.iter().for_each(|(_, why)| *kinds.entry(kind(why)).or_default() += 1);
    let mut kinds: Vec<(&str, usize)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
    let more = dropped.len().saturating_sub(NAMED);
    html! {
        h2 { "Left out: " (dropped.len()) }
        p { @for (kind, count) in kinds { (count) " " (kind) br; } }
        table.quiet {
            @for (id, why) in dropped.iter().take(NAMED) {
                tr { td { (id) } td { (why) } }
            }
        }
        @if more > 0 {
            p.quiet { "and " (more) " more; the audit's page has them all" }
        }
    }
}

/// `2 h 05 min`, `3 min`.
fn words(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
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
        let html = page(&told, &HashMap::from([("a", "frames/a.webp")])).into_string();
        for wanted in [
            "calm &lt;star&gt;",
            "frames/a.webp",
            "1 new, 1 gone, 1 in another cluster",
            "Of 5 presets 2 are in the index, 2 are left out, 1 wait",
            "2 too dark<br>",
            "too dark: light 0.001",
            "2 h 05 min",
            "<td>c01</td><td>calm &lt;star&gt;</td><td>0</td>",
            "green: varied",
        ] {
            assert!(html.contains(wanted), "{wanted} is missing in {html}");
        }
    }
}
