//! The verdict on a look.

use serde::{Deserialize, Serialize};

/// Whether the look of a preset is acceptable and, if not, why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookVerdict {
    /// The look is acceptable.
    #[default]
    Ok,
    /// The picture is all black.
    Black,
    /// The picture is all white.
    White,
    /// Nothing in the picture moves.
    Frozen,
    /// Much darker than the rest of the library, without highlights.
    TooDark,
    /// Much brighter than the rest of the library.
    TooBright,
    /// Hardly any motion, compared with the rest of the library.
    LowMotion,
    /// Rendering is slower than the user's limits allow.
    Slow,
    /// The preset was not drawn.
    Unseen,
}

impl LookVerdict {
    /// Every value, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Black,
        Self::White,
        Self::Frozen,
        Self::TooDark,
        Self::TooBright,
        Self::LowMotion,
        Self::Slow,
        Self::Unseen,
    ];

    /// Returns the name used in files and reports.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Black => "black",
            Self::White => "white",
            Self::Frozen => "frozen",
            Self::TooDark => "too-dark",
            Self::TooBright => "too-bright",
            Self::LowMotion => "low-motion",
            Self::Slow => "slow",
            Self::Unseen => "unseen",
        }
    }

    /// Returns the corresponding reason in the predecessor's format; `None` for [`Self::Ok`] and
    /// [`Self::Unseen`].
    pub fn reference_reason(self) -> Option<&'static str> {
        match self {
            Self::Ok | Self::Unseen => None,
            Self::Black | Self::TooDark => Some("too-dark"),
            Self::White | Self::TooBright => Some("too-bright"),
            Self::Frozen | Self::LowMotion => Some("low-motion"),
            Self::Slow => Some("slow-render-avg"),
        }
    }

    /// Returns the verdict for this reason in the predecessor's format; `None` if the reason is not about the
    /// look.
    pub fn of_reference_reason(reason: &str) -> Option<Self> {
        match reason {
            "too-dark" | "no-luma" => Some(Self::TooDark),
            "too-bright" => Some(Self::TooBright),
            "low-motion" | "no-motion-sample" => Some(Self::LowMotion),
            "slow-render-avg" | "slow-render-p95" => Some(Self::Slow),
            _ => None,
        }
    }
}
