//! Histograms as SVG for the report.

use maud::{Markup, html};

/// Number of bars in a histogram.
const BARS: usize = 32;
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 90.0;

/// Draws a histogram from `low` to `high`; values outside that range are counted in the first or last bar. A
/// line marks `gate`, if any.
pub fn linear(
    title: &str,
    values: impl Iterator<Item = f64>,
    low: f64,
    high: f64,
    gate: Option<f64>,
) -> Markup {
    let place = |value: f64| (value - low) / (high - low);
    draw(title, values.map(place), &format!("{low}"), &format!("{high}"), gate.map(place))
}

/// Draws a histogram like [`linear`], but on a logarithmic axis from 10^`low` to 10^`high`.
pub fn decades(
    title: &str,
    values: impl Iterator<Item = f64>,
    low: i32,
    high: i32,
    gate: Option<f64>,
) -> Markup {
    let span = f64::from(high - low);
    let place = |value: f64| (value.max(1e-12).log10() - f64::from(low)) / span;
    let name = |power: i32| {
        if power < 0 { format!("{}", 10f64.powi(power)) } else { 10i64.pow(power as u32).to_string() }
    };
    draw(title, values.map(place), &name(low), &name(high), gate.map(place))
}

fn draw(title: &str, places: impl Iterator<Item = f64>, low: &str, high: &str, gate: Option<f64>) -> Markup {
    let mut bars = [0_usize; BARS];
    for place in places.filter(|place| !place.is_nan()) {
        bars[((place * BARS as f64).max(0.0) as usize).min(BARS - 1)] += 1;
    }
    let highest = bars.iter().copied().max().unwrap_or(0).max(1);
    let height = |count: usize| HEIGHT * count as f64 / highest as f64;
    let step = WIDTH / BARS as f64;
    let base = HEIGHT + 13.0;
    let tenths = |value: f64| format!("{value:.1}");
    html! {
        figure {
            figcaption { (title) }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT + 16.0) } role="img" {
                @for (at, &count) in bars.iter().enumerate() {
                    rect x=(tenths(at as f64 * step)) y=(tenths(HEIGHT - height(count)))
                        width=(tenths(step - 1.0)) height=(tenths(height(count))) {
                        title { (count) }
                    }
                }
                @if let Some(gate) = gate.filter(|gate| (0.0..=1.0).contains(gate)) {
                    line x1=(tenths(gate * WIDTH)) x2=(tenths(gate * WIDTH)) y1="0" y2=(HEIGHT) {}
                }
                text x="0" y=(base) { (low) }
                text x=(WIDTH) y=(base) text-anchor="end" { (high) }
                text x=(WIDTH / 2.0) y=(base) text-anchor="middle" { "highest bar: " (highest) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_value_is_counted() {
        let svg = linear("light", [0.0, 0.5, 1.0, 9.0, -3.0, f64::NAN].into_iter(), 0.0, 1.0, Some(0.25));
        let count = |text: &str| svg.0.matches(text).count();
        assert_eq!((count("<title>2</title>"), count("<title>1</title>"), count("<line")), (2, 1, 1));
        assert!(decades("cost", [0.0, 5.0, 1e9].into_iter(), 0, 4, None).0.contains(">10000<"));
    }
}
