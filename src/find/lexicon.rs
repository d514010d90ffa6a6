//! Words, and the measured properties, visual elements and energies that they stand for.

use super::axis::Axis;
use crate::facts::{Energy, Tag};

/// A feature of presets that a word stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Feature {
    /// A high value of a property.
    Much(Axis),
    /// A low value of a property.
    Little(Axis),
    /// A visual element or other tag.
    Has(Tag),
    /// An energy.
    Energy(Energy),
}

/// The meaning of a group of synonyms.
#[derive(Debug, PartialEq)]
pub(super) struct Concept {
    /// The words, in lower case; several words form a phrase.
    pub words: &'static [&'static str],
    /// The features that the words stand for; a preset's fit is the geometric mean over them.
    pub features: &'static [Feature],
    /// Weight, 0 to 1, of a match in a preset's path, tags, energy or labels: a preset named "tunnel" probably
    /// shows a tunnel, but a preset named "blue" may be red.
    pub by_name: f32,
}

use Feature::{Has, Little, Much};

const fn look(words: &'static [&'static str], features: &'static [Feature]) -> Concept {
    Concept { words, features, by_name: 0.1 }
}

const fn thing(words: &'static [&'static str], features: &'static [Feature]) -> Concept {
    Concept { words, features, by_name: 0.9 }
}

/// All concepts. A word or phrase belongs to the first concept that lists it.
pub(super) const CONCEPTS: &[Concept] = &[
    look(
        &[
            "black and white",
            "black-and-white",
            "monochrome",
            "grey",
            "gray",
            "greyscale",
            "colourless",
            "colorless",
            "desaturated",
            "silver",
        ],
        &[Little(Axis::Colour)],
    ),
    look(
        &["on black", "black background", "on a black background", "black"],
        &[Much(Axis::Black), Little(Axis::Brightness)],
    ),
    look(&["low motion"], &[Little(Axis::Motion)]),
    look(&["high contrast"], &[Much(Axis::Contrast)]),
    look(&["low contrast"], &[Little(Axis::Contrast)]),
    // Light.
    look(
        &["dark", "dim", "night", "nocturnal", "gloomy", "shadow", "shadowy", "midnight", "moody"],
        &[Little(Axis::Brightness)],
    ),
    look(
        &["bright", "light", "luminous", "sunny", "glaring", "brilliant", "radiant"],
        &[Much(Axis::Brightness)],
    ),
    look(&["white", "snow", "snowy"], &[Much(Axis::Brightness), Little(Axis::Colour)]),
    look(&["pastel", "pale", "faded"], &[Much(Axis::Brightness), Little(Axis::Contrast)]),
    look(&["neon", "glowing", "glow"], &[Much(Axis::Colour), Much(Axis::Contrast)]),
    look(&["contrasty", "hard", "harsh", "stark", "crisp", "sharp"], &[Much(Axis::Contrast)]),
    look(
        &["foggy", "fog", "mist", "misty", "hazy", "flat", "milky", "soft"],
        &[Little(Axis::Contrast), Little(Axis::Detail)],
    ),
    // Colours.
    look(&["red", "crimson", "scarlet", "blood", "ruby"], &[Much(Axis::Red)]),
    look(
        &["orange", "amber", "fire", "fiery", "flame", "flames", "lava", "warm", "sunset", "copper", "rust"],
        &[Much(Axis::Red), Much(Axis::Yellow)],
    ),
    look(&["yellow", "lemon"], &[Much(Axis::Yellow)]),
    look(&["gold", "golden"], &[Much(Axis::Yellow), Much(Axis::Red)]),
    look(
        &["brown", "earth", "earthy", "sepia"],
        &[Much(Axis::Red), Much(Axis::Yellow), Little(Axis::Brightness)],
    ),
    look(&["green", "emerald", "jungle", "forest", "toxic", "acid"], &[Much(Axis::Green)]),
    look(&["cyan", "turquoise", "teal", "aqua"], &[Much(Axis::Cyan)]),
    look(&["blue", "azure", "sapphire", "indigo"], &[Much(Axis::Blue)]),
    look(
        &["sea", "ocean", "deep sea", "underwater", "ice", "icy", "cold", "cool"],
        &[Much(Axis::Blue), Much(Axis::Cyan)],
    ),
    look(&["purple", "violet", "lavender", "ultraviolet"], &[Much(Axis::Blue), Much(Axis::Magenta)]),
    look(&["magenta", "fuchsia"], &[Much(Axis::Magenta)]),
    look(&["pink", "rose"], &[Much(Axis::Magenta), Much(Axis::Red)]),
    look(
        &[
            "colourful",
            "colorful",
            "colour",
            "color",
            "colours",
            "colors",
            "rainbow",
            "vivid",
            "psychedelic",
            "saturated",
            "candy",
            "multicoloured",
            "multicolored",
        ],
        &[Much(Axis::Colour)],
    ),
    // Motion and energy.
    look(
        &["slow", "still", "quiet", "gentle", "drifting", "floating", "lazy", "hypnotic", "static", "steady"],
        &[Little(Axis::Motion)],
    ),
    look(
        &["calm", "relaxed", "peaceful", "soothing", "chill", "meditative"],
        &[Little(Axis::Motion), Little(Axis::Flashes)],
    ),
    look(&["fast", "quick", "rapid", "moving", "motion", "speedy", "racing"], &[Much(Axis::Motion)]),
    look(
        &[
            "wild",
            "hectic",
            "frantic",
            "chaotic",
            "energetic",
            "intense",
            "aggressive",
            "explosive",
            "nervous",
        ],
        &[Much(Axis::Motion), Much(Axis::Contrast)],
    ),
    look(&["peak"], &[Feature::Energy(Energy::Peak)]),
    look(&["groove", "groovy"], &[Feature::Energy(Energy::Groove)]),
    look(
        &[
            "strobe",
            "strobing",
            "strobes",
            "flash",
            "flashes",
            "flashing",
            "flicker",
            "flickering",
            "blinking",
        ],
        &[Much(Axis::Flashes)],
    ),
    look(&["bass", "kick", "bassy", "low frequencies"], &[Much(Axis::Low)]),
    look(&["vocals", "synth", "mids"], &[Much(Axis::Mid)]),
    look(&["hats", "hihat", "hihats", "highs", "treble"], &[Much(Axis::High)]),
    look(&["reactive", "responsive", "audio reactive"], &[Much(Axis::Low), Much(Axis::High)]),
    // Structure.
    look(
        &[
            "detailed",
            "detail",
            "details",
            "fine",
            "intricate",
            "busy",
            "complex",
            "dense",
            "noisy",
            "grainy",
            "textured",
            "full",
        ],
        &[Much(Axis::Detail)],
    ),
    look(
        &["simple", "minimal", "minimalist", "clean", "smooth", "blurry", "blurred", "empty", "sparse"],
        &[Little(Axis::Detail)],
    ),
    look(&["symmetric", "symmetrical", "symmetry", "mirrored", "mirror"], &[Much(Axis::Symmetry)]),
    look(&["asymmetric", "asymmetrical", "lopsided", "irregular"], &[Little(Axis::Symmetry)]),
    thing(
        &["mandala", "mandalas", "kaleidoscope", "kaleidoscopic"],
        &[Much(Axis::Symmetry), Much(Axis::Detail)],
    ),
    thing(
        &["tunnel", "tunnels", "vortex", "wormhole", "spiral", "spirals", "portal"],
        &[Much(Axis::Symmetry), Little(Axis::Centre)],
    ),
    thing(
        &[
            "sun", "star", "orb", "ball", "sphere", "centre", "center", "centred", "centered", "core",
            "middle",
        ],
        &[Much(Axis::Centre)],
    ),
    // Visual elements.
    thing(
        &[
            "particle",
            "particles",
            "dot",
            "dots",
            "dotted",
            "sparkle",
            "sparkles",
            "sparkling",
            "stars",
            "glitter",
            "dust",
        ],
        &[Has(Tag::Dots)],
    ),
    thing(&["line", "lines", "wire", "wires", "laser", "lasers", "thick lines"], &[Has(Tag::Line)]),
    thing(&["wave", "waves", "waveform", "waveforms", "oscilloscope", "scope"], &[Has(Tag::Wave)]),
    thing(
        &[
            "shape",
            "shapes",
            "geometric",
            "geometry",
            "polygon",
            "polygons",
            "cube",
            "cubes",
            "triangle",
            "triangles",
            "squares",
        ],
        &[Has(Tag::Geometric)],
    ),
    thing(
        &["liquid", "fluid", "flowing", "flow", "water", "smoke", "smoky", "melting", "molten"],
        &[Has(Tag::Liquid)],
    ),
    thing(&["abstract"], &[Has(Tag::Abstract)]),
    thing(&["fractal", "fractals"], &[Has(Tag::Shader), Much(Axis::Detail)]),
    thing(&["vectors", "vector", "arrows"], &[Has(Tag::Vectors)]),
    thing(&["shader", "shaders"], &[Has(Tag::Shader)]),
    thing(&["image", "images", "photo", "photos", "texture", "textures"], &[Has(Tag::Textured)]),
    thing(&["echo", "trails", "trail", "ghosting"], &[Has(Tag::Echo)]),
];

/// Comparatives, each with the property it compares and whether it means a higher value.
pub(super) const COMPARATIVES: &[(&[&str], Axis, bool)] = &[
    (&["darker", "dimmer"], Axis::Brightness, false),
    (&["brighter", "lighter"], Axis::Brightness, true),
    (&["slower", "calmer", "quieter", "gentler", "stiller"], Axis::Motion, false),
    (&["faster", "wilder", "quicker", "livelier"], Axis::Motion, true),
    (&["simpler", "smoother", "cleaner", "blurrier"], Axis::Detail, false),
    (&["busier", "finer", "denser", "sharper"], Axis::Detail, true),
    (&["softer", "flatter", "paler"], Axis::Contrast, false),
    (&["harder", "harsher", "crisper"], Axis::Contrast, true),
    (&["greyer", "grayer"], Axis::Colour, false),
    (&["redder", "warmer"], Axis::Red, true),
    (&["greener"], Axis::Green, true),
    (&["bluer", "colder", "cooler"], Axis::Blue, true),
    (&["yellower"], Axis::Yellow, true),
    (&["pinker"], Axis::Magenta, true),
];

/// Returns the concept of a word or phrase. A plural that is not listed is looked up as its singular.
pub(super) fn concept(words: &str) -> Option<&'static Concept> {
    let find = |words: &str| CONCEPTS.iter().find(|concept| concept.words.contains(&words));
    find(words).or_else(|| find(words.strip_suffix('s')?))
}

/// Returns the property that a comparative compares, and whether it means a higher value.
pub(super) fn comparative(word: &str) -> Option<(Axis, bool)> {
    COMPARATIVES.iter().find(|(words, ..)| words.contains(&word)).map(|&(_, axis, more)| (axis, more))
}

/// Maximum number of words in a phrase.
pub(super) const MAX_PHRASE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_has_two_meanings() {
        let mut seen = std::collections::BTreeSet::new();
        for word in CONCEPTS.iter().flat_map(|concept| concept.words) {
            assert!(seen.insert(*word), "{word}");
            assert!(comparative(word).is_none(), "{word}");
            assert!(word.split(' ').count() <= MAX_PHRASE, "{word}");
        }
        assert!(concept("tunnel").is_some() && concept("strobes").is_some() && concept("xyzzy").is_none());
        assert_eq!(comparative("darker"), Some((Axis::Brightness, false)));
    }
}
