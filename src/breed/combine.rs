//! Recombination: a child takes each part whole from one of two parents, and parts that share variables still
//! work together.

use super::genome::Genome;
use super::graft::Graft;
use super::mutate::Mutation;
use super::part::{Part, is_color};
use crate::milk::text::lines;
use crate::units::Rng;

/// Where the parts of a child come from: 0 for the first parent, 1 for the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origins {
    /// The parent of each part.
    pub parts: [usize; Part::COUNT],
    /// The parent of the colours.
    pub palette: usize,
}

impl Origins {
    /// Draws a random combination whose parts work together, and that mixes the parents if possible.
    pub fn draw(parents: [&Genome; 2], rng: &mut Rng) -> Self {
        let all = (0..1_usize << Part::COUNT)
            .map(|bits| std::array::from_fn(|part| bits >> part & 1))
            .filter(|parts| is_consistent(parents, parts));
        let (mixed, whole): (Vec<_>, Vec<_>) = all.partition(|parts| is_mixed(parents, parts));
        let choice = if mixed.is_empty() { whole } else { mixed };
        Self { parts: choice[rng.below(choice.len())], palette: rng.below(2) }
    }

    /// Returns the parts that come from a parent.
    pub fn of(&self, parent: usize) -> impl Iterator<Item = Part> {
        Part::ALL.into_iter().filter(move |part| self.parts[*part as usize] == parent)
    }
}

/// Returns whether the parts work together: those that share registers, memory or blur ranges come from the same
/// parent, and those that read what per-frame code sets can be grafted.
fn is_consistent(parents: [&Genome; 2], origins: &[usize; Part::COUNT]) -> bool {
    let apart = Part::ALL.into_iter().flat_map(|one| Part::ALL.map(|other| (one, other)));
    let mut apart = apart.filter(|(one, other)| origins[*one as usize] != origins[*other as usize]);
    let separate = apart.all(|(one, other)| {
        let own = parents[origins[one as usize]];
        let foreign = parents[origins[other as usize]];
        !own.is_connected(one, own, other) && !own.is_connected(one, foreign, other)
    });
    separate && graft(parents, origins).is_some()
}

/// Returns the graft of the other parent's parts into the host, the parent that the child's per-frame code
/// comes from; `None` if it is impossible.
fn graft(parents: [&Genome; 2], origins: &[usize; Part::COUNT]) -> Option<Graft> {
    let host = origins[Part::Motion as usize];
    Graft::new(parents[host], parents[1 - host], |part| origins[part as usize] != host)
}

/// Returns whether both parents contribute something that the other does not have.
fn is_mixed(parents: [&Genome; 2], origins: &[usize; Part::COUNT]) -> bool {
    let differs = |part: &Part| parents[0].lines[*part as usize] != parents[1].lines[*part as usize];
    let from = |parent: usize| {
        Part::ALL.iter().filter(|part| differs(part)).any(|part| origins[*part as usize] == parent)
    };
    from(0) && from(1)
}

/// Returns the text of the child with these origins, with its constants varied by `mutation`.
pub(super) fn child(parents: [&Genome; 2], origins: Origins, mutation: Mutation, rng: &mut Rng) -> String {
    let model = |part: Part, at: usize| parents[origins.parts[part as usize]].models[at];
    let (warp, composite) = (model(Part::Warp, 0), model(Part::Composite, 1));
    let mut out = vec![
        "MILKDROP_PRESET_VERSION=201".to_owned(),
        format!("PSVERSION={}", warp.max(composite)),
        format!("PSVERSION_WARP={warp}"),
        format!("PSVERSION_COMP={composite}"),
        "[preset00]".to_owned(),
    ];
    let host = origins.parts[Part::Motion as usize];
    let graft = graft(parents, &origins.parts).unwrap_or_default();
    out.extend(comments(parents, origins, graft.has_code()));
    let colors = &parents[origins.palette].colors;
    for part in Part::ALL {
        let origin = origins.parts[part as usize];
        for raw in &parents[origin].lines[part as usize] {
            let raw = if origin == host { raw.clone() } else { graft.line(raw) };
            let color = lines(&raw).next().filter(|line| is_color(&line.key)).and_then(|_| {
                let (key, _) = raw.split_once('=')?;
                let (_, value) = colors.iter().find(|(known, _)| known == key.trim())?;
                Some(format!("{key}={value}"))
            });
            out.extend(lines(&color.unwrap_or(raw)).map(|line| mutation.line(&line, rng)));
        }
        if part == Part::Motion {
            let code = graft.code(parents[host], parents[1 - host]).join("\n");
            out.extend(lines(&code).map(|line| mutation.line(&line, rng)));
        }
    }
    out.join("\r\n") + "\r\n"
}

/// Returns the comment lines that name the parents, the parts from each, and the parents' licences.
fn comments(parents: [&Genome; 2], origins: Origins, grafted: bool) -> Vec<String> {
    let host = origins.parts[Part::Motion as usize];
    let mut comments = Vec::new();
    for (parent, genome) in parents.into_iter().enumerate() {
        let palette = (origins.palette == parent).then_some("palette");
        let code = (grafted && parent != host).then_some("per-frame code for these");
        let parts: Vec<&str> = origins.of(parent).map(Part::label).chain(code).chain(palette).collect();
        if parts.is_empty() {
            continue;
        }
        comments.push(format!("// Bred from {}: {}", genome.name, parts.join(", ")));
        for licence in &genome.licences {
            let line = format!("// {licence}");
            if !comments.contains(&line) {
                comments.push(line);
            }
        }
    }
    comments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::milk::Program;
    use crate::milk::text::{Decoded, Key};

    const NONE: Mutation = Mutation { share: 0.0, strength: 0.0 };

    fn read(name: &str, text: &str) -> Genome {
        Genome::read(name, text.as_bytes()).expect("a preset")
    }

    /// Returns a preset whose warp shader reads what its per-frame code sets.
    fn dependent(name: &str, q: u32) -> Genome {
        let text = format!(
            "MILKDROP_PRESET_VERSION=201\nPSVERSION_WARP=2\nzoom=1.0{q}\nper_frame_1=q{q} = bass;\n\
             warp_1=`shader_body {{ ret = tex2D(sampler_main, uv).xyz * q{q}; }}\nnWaveMode={q}\nwave_r=0.{q}\n\
             // Licence of {name}: free\nshapecode_0_enabled=1\nshapecode_0_r=0.{q}\n"
        );
        read(name, &text)
    }

    #[test]
    fn a_shader_comes_with_the_per_frame_code_that_sets_its_variables() {
        let parents = [&dependent("A", 1), &dependent("B", 2)];
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let origins = Origins::draw(parents, &mut Rng::new(seed));
            seen.insert(origins.parts);
            if origins.parts[Part::Warp as usize] == 1 && origins.parts[Part::Motion as usize] == 0 {
                let text = child(parents, origins, NONE, &mut Rng::new(1));
                for wanted in [
                    "per_frame_1=q1 = bass;",
                    "per_frame_2=q6 = bass;",
                    "(sampler_main, uv).xyz * q6;",
                    "per-frame code for these",
                ] {
                    assert!(text.contains(wanted), "{wanted} is missing in {text}");
                }
            }
        }
        assert!(seen.len() >= 12, "{seen:?}");
    }

    #[test]
    fn a_grafted_shader_does_not_read_variables_that_the_host_sets() {
        let reader = read(
            "reader",
            "MILKDROP_PRESET_VERSION=201\nwarp_1=`shader_body { ret = tex2D(sampler_main, uv).xyz * (1 - q3); }",
        );
        let writer = read("writer", "per_frame_1=q3 = 1;\nnWaveMode=5");
        for parts in [[1, 0, 0, 0, 0, 0], [1, 1, 0, 1, 1, 1]] {
            let text = child([&reader, &writer], Origins { parts, palette: 0 }, NONE, &mut Rng::new(1));
            assert!(text.contains("per_frame_1=q3 = 1;") && text.contains("(1 - q7)"), "{text}");
        }
    }

    #[test]
    fn a_child_names_its_parents_and_keeps_their_licences() {
        let parents = [&dependent("A", 1), &dependent("B", 2)];
        let origins = Origins { parts: [0, 0, 0, 0, 1, 0], palette: 1 };
        let text = child(parents, origins, NONE, &mut Rng::new(1));
        for wanted in [
            "// Bred from A: motion, per-vertex code, warp, composite, shapes\r\n",
            "// Bred from B: waves, palette\r\n",
            "// Licence of A: free\r\n",
            "// Licence of B: free\r\n",
            "nWaveMode=2\r\n",
            "zoom=1.01\r\n",
            "shapecode_0_r=0.2\r\n",
            "PSVERSION_WARP=2\r\n",
        ] {
            assert!(text.contains(wanted), "{wanted:?} is missing in {text}");
        }
    }

    #[test]
    fn children_of_built_in_presets_compile_and_survive_a_round_trip() {
        let parents: Vec<Genome> =
            crate::library::built_in().map(|preset| read(preset.name(), preset.text)).collect();
        let mutation = Mutation { share: 0.3, strength: 0.3 };
        let mut mixed = 0;
        for seed in 0..60 {
            let mut rng = Rng::new(seed);
            let pair = [(); 2].map(|()| &parents[rng.below(parents.len())]);
            let origins = Origins::draw(pair, &mut rng);
            mixed += usize::from(is_mixed(pair, &origins.parts));
            let text = child(pair, origins, mutation, &mut rng);
            let program = Program::compile_interpreted(text.as_bytes()).expect("a preset");
            assert!(program.problems.is_empty(), "{:?}\n{text}", program.problems);
            let again = Genome::read("child", text.as_bytes()).expect("a preset");
            let decoded = Decoded::new(text.as_bytes());
            let rest: Vec<&str> = lines(&decoded.text)
                .filter(|line| Part::of(&line.key).is_some())
                .map(|line| line.raw)
                .collect();
            assert!(rest.iter().eq(again.lines.iter().flatten()), "the parts are in order");
            assert!(lines(&text).any(|line| line.key == Key::None && line.raw.starts_with("// Bred from")));
        }
        assert!(mixed > 40, "{mixed} of 60 children have parts of both parents");
    }

    #[test]
    fn equal_seeds_give_equal_children() {
        let parents = [&dependent("A", 1), &dependent("B", 2)];
        let make = |seed| {
            let mut rng = Rng::new(seed);
            let origins = Origins::draw(parents, &mut rng);
            child(parents, origins, Mutation { share: 0.5, strength: 0.3 }, &mut rng)
        };
        assert_eq!(make(4), make(4));
        assert_ne!(make(4), make(5));
    }
}
