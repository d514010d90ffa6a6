//! The breeding report: the best children, each with its parents.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::report::{PAGE, STYLE};
use crate::breed::{Bred, Brood, Origin};
use crate::disk;
use crate::frames;
use crate::units::counted;

const BROOD_STYLE: &str = "
.child{display:flex;gap:1em;align-items:flex-start;margin:1em 0}
.child>figure>img{width:224px;height:224px}figure{margin:0;max-width:224px}figcaption{overflow-wrap:anywhere}
";

/// Paths of each preset's frames, by the path of the preset.
type Pictures = HashMap<String, Vec<String>>;

/// Writes the report to the folder of the brood and returns its path.
pub fn write_brood_page(folder: &Path, brood: &Brood) -> Result<PathBuf, disk::FileError> {
    let entries = frames::read(folder).into_iter();
    let pictures = entries.map(|(id, entry)| (id, entry.frames)).collect();
    let path = folder.join(PAGE);
    disk::write(&path, page(brood, &pictures).into_string().as_bytes())?;
    Ok(path)
}

fn page(brood: &Brood, pictures: &Pictures) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "aivj breeding report" }
                style { (PreEscaped(STYLE)) (PreEscaped(BROOD_STYLE)) }
            }
            body {
                h1 { "Bred presets" }
                (summary(brood))
                h2 { "Top " (brood.best) }
                @for bred in &brood.kept[..brood.best] {
                    (child(bred, pictures))
                }
                h2 { "All kept children" }
                table.quiet {
                    @for bred in &brood.kept {
                        tr {
                            td { (bred.path) }
                            td { @for origin in &bred.parents { (origin.name) ": " (origin.parts.join(", ")) br; } }
                            td { (remarks(bred)) }
                        }
                    }
                }
            }
        }
    }
}

fn summary(brood: &Brood) -> Markup {
    let Brood { parents, children, rejected, repeats, far, median, kept, favourites, .. } = brood;
    let lost: usize = rejected.values().sum();
    html! {
        p {
            (children) " children of " (counted(*parents, "parent")) ": "
            (kept.len()) " kept, " (lost) " rejected, " (counted(*repeats, "duplicate")) ", "
            (far) " too different from the favourites; " (counted(favourites.len(), "favourite")) "."
        }
        p { @for (why, count) in rejected { (count) " " (why) br; } }
        @if let Some(median) = median {
            p.quiet {
                "Median distance from the library to the nearest favourite: " (format!("{median:.2}"))
            }
        }
    }
}

fn child(bred: &Bred, pictures: &Pictures) -> Markup {
    html! {
        div.child {
            (figure(&bred.path, pictures, 3, &html! { (bred.path) br; (remarks(bred)) }))
            @for Origin { name, path, parts } in &bred.parents {
                (figure(path, pictures, 1, &html! { (name) br; span.quiet { (parts.join(", ")) } }))
            }
        }
    }
}

/// Returns the distance to the nearest favourite and whether the child flashes, as text.
fn remarks(bred: &Bred) -> String {
    format!("distance {:.2}{}", bred.distance, if bred.flashes { ", exceeds the flash limit" } else { "" })
}

/// Returns a figure with the last `count` frames of a preset.
fn figure(path: &str, pictures: &Pictures, count: usize, caption: &Markup) -> Markup {
    let frames = pictures.get(path).map(Vec::as_slice).unwrap_or_default();
    html! {
        figure style=(format!("max-width:{}px", 230 * count)) {
            @for frame in &frames[frames.len().saturating_sub(count)..] { img loading="lazy" src=(frame); }
            figcaption { (caption) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::PresetId;

    #[test]
    fn the_best_children_are_shown_with_their_parents() {
        let bred = |name: &str| Bred {
            id: PresetId::of(name.as_bytes()),
            path: format!("children/{name}.milk"),
            parents: vec![Origin {
                name: "Star <1>".into(),
                path: "parents/001 Star.milk".into(),
                parts: vec!["motion", "waves"],
            }],
            distance: 1.25,
            flashes: true,
        };
        let brood = Brood {
            parents: 2,
            children: 9,
            rejected: [("black".to_owned(), 3)].into(),
            repeats: 2,
            far: 1,
            median: Some(2.5),
            kept: vec![bred("a"), bred("b")],
            best: 1,
            favourites: vec!["children/a.milk".into()],
            notes: Vec::new(),
        };
        let frames =
            |name: &str| (0..3).map(|frame| format!("frames/{name}{frame}.webp")).collect::<Vec<_>>();
        let pictures = HashMap::from([
            ("children/a.milk".to_owned(), frames("a")),
            ("children/b.milk".to_owned(), frames("b")),
            ("parents/001 Star.milk".to_owned(), frames("star")),
        ]);
        let html = page(&brood, &pictures).into_string();
        for wanted in [
            "9 children of 2 parents: 2 kept, 3 rejected, 2 duplicates, 1 too different from the favourites; 1 favourite.",
            "frames/a0.webp",
            "frames/star2.webp",
            "Star &lt;1&gt;",
            "motion, waves",
            "distance 1.25, exceeds the flash limit",
            "nearest favourite: 2.50",
            "children/b.milk",
        ] {
            assert!(html.contains(wanted), "{wanted} is missing in {html}");
        }
        assert!(!html.contains("frames/b0.webp") && !html.contains("frames/star0.webp"), "{html}");
    }
}
