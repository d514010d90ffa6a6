//! The morning report: accepted presets, excluded ones with reasons, the clusters, and what has changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::presets::category;
use super::settings::AUDIT_FOLDER;
use super::stage_times::StageTime;
use super::{AUDIT, CLUSTER, EMBED, FRAMES, PACK, TUNE, stage_label};
use crate::cluster::{ClusterStyle, Styles};
use crate::disk;
use crate::frames::{self, Rendered};
use crate::units::counted;

/// Maximum number of pictures per contact sheet.
const SHEET: usize = 12;
/// Maximum number of presets named per list.
const NAMED: usize = 200;

/// Contents of the page.
pub(super) struct PageInput<'a> {
    pub styles: &'a Styles,
    pub previous: Option<&'a Styles>,
    /// Number of presets in the bake.
    pub presets: usize,
    /// IDs of excluded presets, with reasons.
    pub excluded: &'a [(String, String)],
    /// Number of presets without a verdict.
    pub pending: usize,
    /// Diversity grade of the pack, with reasons, if a pack was written.
    pub grade: Option<String>,
    /// Outcome of the tuning, if it was requested.
    pub tuning: Option<String>,
    pub rendered: Rendered,
    /// Time spent on the bake, earlier runs included.
    pub spent: Duration,
    /// What each stage has taken in all runs, by name.
    pub stages: BTreeMap<String, StageTime>,
}

/// File name of the report.
pub(super) const PAGE: &str = "morning.html";

/// Writes the report to the pack's folder and returns its path.
pub(super) fn write(folder: &Path, input: &PageInput) -> Result<PathBuf, String> {
    let path = folder.join(PAGE);
    let entries = frames::read(folder);
    let pictures: HashMap<&str, &str> =
        entries.iter().filter_map(|(id, entry)| Some((id.as_str(), entry.frames.last()?.as_str()))).collect();
    disk::write(&path, page(input, &pictures).into_string().as_bytes()).map_err(|error| error.to_string())?;
    Ok(path)
}

pub(super) const STYLE: &str = "
body{background:#14151a;color:#ddd;font:15px sans-serif;margin:2em}
img{width:112px;height:112px;margin:1px;background:#000}
h2{margin:1.4em 0 .2em}h3{margin:1.2em 0 .2em}td,th{padding:0 1em 0 0;vertical-align:top;text-align:left}.quiet{color:#889}
a{color:#8fc7f5}details{margin:.3em 0}summary{cursor:pointer}
";

/// Path of each preset's last frame, by preset ID.
type Pictures<'a> = HashMap<&'a str, &'a str>;

fn page(input: &PageInput, pictures: &Pictures) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "aivj bake report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (summary(input))
                (stage_table(&input.stages))
                h2 { "Changes since the last bake" }
                @match input.previous {
                    Some(previous) => (changes(input, previous, pictures)),
                    None => p { "First bake in this folder." },
                }
                h2 { (counted(input.styles.clusters.len(), "style")) }
                @for style in &input.styles.clusters {
                    (cluster(style, pictures))
                }
                (excluded_list(input.excluded))
            }
        }
    }
}

fn summary(input: &PageInput) -> Markup {
    let PageInput { styles, presets, excluded, pending, grade, tuning, rendered, spent, .. } = input;
    html! {
        h1 { (styles.pack) }
        p.quiet { (styles.generated_at) }
        p {
            (counted(*presets, "preset")) ": " (styles.members.len()) " indexed, " (excluded.len()) " excluded, "
            (pending) " pending. Frames: " (rendered.ok) " rendered, " (rendered.failed) " failed, "
            (rendered.kept) " from the audit or earlier runs. Total time: " (duration(*spent)) "."
        }
        @if let Some(grade) = grade {
            p { "Pack diversity: " (grade) "." }
        }
        @if let Some(tuning) = tuning {
            p { "Tuning: " (tuning) "." }
        }
        p { a href={ (AUDIT_FOLDER) "/report.html" } { "Audit report" } }
    }
}

/// Lists what each stage has taken, the smoke test included.
fn stage_table(stages: &BTreeMap<String, StageTime>) -> Markup {
    let order = [AUDIT, PACK, FRAMES, EMBED, TUNE, CLUSTER];
    let time = |secs: f64| duration(Duration::try_from_secs_f64(secs).unwrap_or_default());
    html! {
        table.quiet {
            tr { th { "Stage" } th { "Time" } th { "Presets per second" } th { "CPU time" } }
            @for (name, taken) in order.into_iter().filter_map(|name| Some((name, stages.get(name)?))) {
                tr {
                    td { (stage_label(name)) }
                    td { (time(taken.secs)) }
                    td {
                        @if taken.presets > 0 { (format!("{:.2}", taken.presets as f64 / taken.secs.max(1e-3))) }
                    }
                    td { (time(taken.cpu_secs)) }
                }
            }
        }
    }
}

/// Lists the changes since the previous bake: counts, clusters, and names.
fn changes(input: &PageInput, previous: &Styles, pictures: &Pictures) -> Markup {
    let PageInput { styles, excluded, .. } = input;
    let new: BTreeSet<&String> =
        styles.members.keys().filter(|id| !previous.members.contains_key(*id)).collect();
    let gone: BTreeSet<&String> =
        previous.members.keys().filter(|id| !styles.members.contains_key(*id)).collect();
    let moved =
        |(id, cluster): &(&String, &u32)| previous.members.get(*id).is_some_and(|old| old != *cluster);
    let moved: BTreeSet<&String> = styles.members.iter().filter(moved).map(|(id, _)| id).collect();
    let reasons: HashMap<&str, &str> = excluded.iter().map(|(id, why)| (id.as_str(), why.as_str())).collect();
    html! {
        (new.len()) " new, " (gone.len()) " removed, " (moved.len()) " moved to another style."
        p { @for id in new.iter().take(SHEET) { (picture(id, pictures)) } }
        @for (title, ids) in [("New", &new), ("Removed", &gone), ("Moved to another style", &moved)] {
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
        (sizes(styles, previous))
    }
}

/// Lists the styles that are new, removed, or changed in size.
fn sizes(styles: &Styles, previous: &Styles) -> Markup {
    let old: HashMap<&str, &ClusterStyle> =
        previous.clusters.iter().map(|style| (style.id.as_str(), style)).collect();
    let now: BTreeSet<&str> = styles.clusters.iter().map(|style| style.id.as_str()).collect();
    let row = |style: &ClusterStyle, count: usize, was: &str| {
        html! { tr { td { (style.id) } td { (style.label) } td { (count) } td.quiet { (was) } } }
    };
    html! {
        table {
            @for style in &styles.clusters {
                @match old.get(style.id.as_str()) {
                    None => (row(style, style.count, "new")),
                    Some(was) if was.count == style.count => {},
                    Some(was) => (row(style, style.count, &format!("previously {}", was.count))),
                }
            }
            @for style in previous.clusters.iter().filter(|style| !now.contains(style.id.as_str())) {
                (row(style, 0, &format!("previously {}", style.count)))
            }
        }
    }
}

fn cluster(style: &ClusterStyle, pictures: &Pictures) -> Markup {
    let [calm, groove, peak] = style.energies;
    html! {
        h3 { (style.id) " " (style.label) }
        p.quiet {
            (counted(style.count, "preset")) ": " (calm) " calm, " (groove) " groove, " (peak) " peak. Words: "
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

fn excluded_list(excluded: &[(String, String)]) -> Markup {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    excluded.iter().for_each(|(_, why)| *kinds.entry(category(why)).or_default() += 1);
    let mut kinds: Vec<(&str, usize)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
    let more = excluded.len().saturating_sub(NAMED);
    html! {
        h2 { "Excluded: " (excluded.len()) }
        p { @for (kind, count) in kinds { (count) " " (kind) br; } }
        table.quiet {
            @for (id, why) in excluded.iter().take(NAMED) {
                tr { td { (id) } td { (why) } }
            }
        }
        @if more > 0 {
            p.quiet { "and " (more) " more; see the audit report" }
        }
    }
}

/// Formats a duration, rounded up to minutes, such as `2 h 05 min` or `3 min`.
fn duration(time: Duration) -> String {
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
    fn the_page_shows_central_presets_changes_and_reasons() {
        let members = |ids: &[(&str, u32)]| ids.iter().map(|(id, c)| ((*id).to_owned(), *c)).collect();
        let now = Styles {
            clusters: vec![style("c00", 2)],
            members: members(&[("a", 0), ("b", 0)]),
            ..Styles::default()
        };
        let previous = Styles {
            clusters: vec![style("c00", 1), style("c01", 1)],
            members: members(&[("a", 1), ("x", 0)]),
            ..Styles::default()
        };
        let excluded = [("x", "too dark: light 0.001"), ("y", "too dark: light 0.002")]
            .map(|(id, why)| (id.to_owned(), why.to_owned()));
        let input = PageInput {
            styles: &now,
            previous: Some(&previous),
            presets: 5,
            excluded: &excluded,
            pending: 1,
            grade: Some("good (mean distance 1.20x)".into()),
            tuning: Some("using the tuned embeddings: retrieval 0.400 instead of 0.350".into()),
            rendered: Rendered::default(),
            spent: Duration::from_secs(7500),
            stages: BTreeMap::from([(
                AUDIT.to_owned(),
                StageTime { presets: 600, secs: 240.0, cpu_secs: 480.0 },
            )]),
        };
        let html = page(&input, &HashMap::from([("a", "frames/a.webp")])).into_string();
        for wanted in [
            "calm &lt;star&gt;",
            "frames/a.webp",
            "1 new, 1 removed, 1 moved to another style",
            "<td>Audit presets</td><td>4 min</td><td>2.50</td><td>8 min</td>",
            "5 presets: 2 indexed, 2 excluded, 1 pending",
            "2 too dark<br>",
            "too dark: light 0.001",
            "2 h 05 min",
            "<td>c01</td><td>calm &lt;star&gt;</td><td>0</td>",
            "Pack diversity: good (mean distance 1.20x).",
            "Tuning: using the tuned embeddings: retrieval 0.400 instead of 0.350.",
        ] {
            assert!(html.contains(wanted), "{wanted} is missing in {html}");
        }
    }
}
