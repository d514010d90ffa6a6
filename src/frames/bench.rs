//! Results of benchmarking presets, their summary as a table, and comparisons with earlier results.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::single::{RenderReport, RenderStatus};

/// The results of one benchmark, stored as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bench {
    /// Version of aivj.
    pub version: String,
    /// CPU and number of cores.
    pub machine: String,
    /// Graphics adapter and backend.
    pub adapter: String,
    /// Name and version of the graphics driver.
    pub driver: String,
    /// Number of frames drawn per preset.
    pub frames: u32,
    /// Number of times each preset is measured; the lowest figures are kept.
    pub rounds: u32,
    /// One row per preset, render size and mesh size.
    pub rows: Vec<BenchRow>,
}

/// The results of one preset at one render size and mesh size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchRow {
    /// Path of the preset file or built-in preset.
    pub preset: String,
    /// Width and height of the picture, in pixels.
    pub size: [u32; 2],
    /// Columns and rows of the warp mesh.
    pub mesh: [u32; 2],
    /// CPU time per frame over all threads, in milliseconds, excluding the first frame.
    pub cpu_ms: f64,
    /// Median frame time, in milliseconds.
    pub frame_ms: f64,
    /// Time from reading the file to the first frame, including shader compilation in the driver, in
    /// milliseconds.
    pub first_picture_ms: f64,
}

/// Percentiles of a set of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The 10th percentile.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// The 90th percentile.
    pub high: f64,
    /// The largest number.
    pub worst: f64,
}

impl Spread {
    /// Returns the spread of `numbers`, or `None` if there are none.
    pub fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        let at = |share: f64| numbers[(share * (numbers.len() - 1) as f64).round() as usize];
        (!numbers.is_empty()).then(|| Self { low: at(0.1), median: at(0.5), high: at(0.9), worst: at(1.0) })
    }
}

/// Picture size and mesh size, by which rows are grouped.
type Group = ([u32; 2], [u32; 2]);

impl Bench {
    /// Adds a row for the report of a preset. If there already is one for the same preset and sizes, keeps
    /// the lower figures. Returns false if the preset could not be drawn.
    pub fn add(&mut self, preset: &str, [size, mesh]: [[u32; 2]; 2], report: &RenderReport) -> bool {
        if report.status != RenderStatus::Ok {
            return false;
        }
        let row = BenchRow {
            preset: preset.to_owned(),
            size,
            mesh,
            cpu_ms: report.figures.cpu_ms_per_frame,
            frame_ms: report.figures.frame_ms_median,
            first_picture_ms: report.first_picture_ms,
        };
        match self.rows.iter_mut().find(|known| known.key() == row.key()) {
            Some(known) => {
                known.cpu_ms = known.cpu_ms.min(row.cpu_ms);
                known.frame_ms = known.frame_ms.min(row.frame_ms);
                known.first_picture_ms = known.first_picture_ms.min(row.first_picture_ms);
            }
            None => self.rows.push(row),
        }
        true
    }

    /// Formats the results as a Markdown table.
    pub fn table(&self) -> String {
        let Self { version, machine, adapter, driver, frames, rounds, .. } = self;
        let mut text = format!(
            "aivj {version}, {machine}, {adapter}, {driver}\n{frames} frames per preset, lowest of {rounds}; \
             median (10th to 90th percentile, worst)\n\n\
             | Size | Mesh | Presets | CPU ms per frame | Frame ms | First picture ms |\n|---|---|---|---|---|---|\n"
        );
        for ((size, mesh), rows) in self.groups() {
            let column = |value: fn(&BenchRow) -> f64| {
                Spread::of(rows.iter().map(|row| value(row)).collect()).map(cell).unwrap_or_default()
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} |",
                pair(size),
                pair(mesh),
                rows.len(),
                column(|row| row.cpu_ms),
                column(|row| row.frame_ms),
                column(|row| row.first_picture_ms),
            );
        }
        text
    }

    /// Formats the ratios of these results to those of `before` as a Markdown table, for the presets in both.
    pub fn compared_with(&self, before: &Self) -> String {
        let mut text = format!(
            "now: aivj {}, {}, {}, {}\nbefore: aivj {}, {}, {}, {}\nnow / before; median (10th to 90th percentile, worst)\n\n\
             | Size | Mesh | Presets | CPU time | Frame time | First picture | Worst preset |\n\
             |---|---|---|---|---|---|---|\n",
            self.version,
            self.machine,
            self.adapter,
            self.driver,
            before.version,
            before.machine,
            before.adapter,
            before.driver,
        );
        for ((size, mesh), rows) in self.groups() {
            let pairs: Vec<(&BenchRow, &BenchRow)> = rows
                .iter()
                .filter_map(|&row| Some((row, before.rows.iter().find(|known| known.key() == row.key())?)))
                .collect();
            let ratio = |value: fn(&BenchRow) -> f64, (now, before): &(&BenchRow, &BenchRow)| {
                value(now) / value(before).max(1e-6)
            };
            let column = |value: fn(&BenchRow) -> f64| {
                let ratios = pairs.iter().map(|pair| ratio(value, pair)).collect();
                Spread::of(ratios).map(cell).unwrap_or_default()
            };
            let cpu = |row: &BenchRow| row.cpu_ms;
            let worst = pairs.iter().max_by(|a, b| ratio(cpu, a).total_cmp(&ratio(cpu, b)));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} |",
                pair(size),
                pair(mesh),
                pairs.len(),
                column(cpu),
                column(|row| row.frame_ms),
                column(|row| row.first_picture_ms),
                worst.map_or("", |(now, _)| now.preset.as_str()),
            );
        }
        text
    }

    /// Writes the results as JSON.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        Ok(crate::disk::write(path, text.as_bytes())?)
    }

    /// Reads results from a file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is not a benchmark result.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        use anyhow::Context as _;
        let text = crate::disk::read_text(path, crate::disk::limit::LIST)
            .with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| {
            format!("{} is not a result of `aivj bench --json`; measure again to create one", path.display())
        })
    }

    fn groups(&self) -> BTreeMap<Group, Vec<&BenchRow>> {
        let mut groups: BTreeMap<Group, Vec<&BenchRow>> = BTreeMap::new();
        for row in &self.rows {
            groups.entry((row.size, row.mesh)).or_default().push(row);
        }
        groups
    }
}

impl BenchRow {
    fn key(&self) -> (&str, Group) {
        (&self.preset, (self.size, self.mesh))
    }
}

fn pair([first, second]: [u32; 2]) -> String {
    format!("{first}x{second}")
}

fn cell(Spread { low, median, high, worst }: Spread) -> String {
    format!("{median:.2} ({low:.2} to {high:.2}, {worst:.2})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bench(costs: &[(&str, f64)]) -> Bench {
        let row = |&(preset, cpu_ms): &(&str, f64)| BenchRow {
            preset: preset.into(),
            size: [320, 240],
            mesh: [48, 36],
            cpu_ms,
            frame_ms: cpu_ms * 0.5,
            first_picture_ms: 10.0,
        };
        Bench {
            version: "1".into(),
            machine: "two cores".into(),
            adapter: "a".into(),
            driver: "d".into(),
            frames: 40,
            rounds: 2,
            rows: costs.iter().map(row).collect(),
        }
    }

    #[test]
    fn the_spread_of_five_numbers() {
        let spread = Spread::of(vec![5.0, 1.0, 4.0, 2.0, 3.0]).expect("numbers");
        assert_eq!(spread, Spread { low: 1.0, median: 3.0, high: 5.0, worst: 5.0 });
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn a_comparison_covers_the_presets_in_both_results() {
        let before = bench(&[("a", 10.0), ("b", 10.0), ("gone", 10.0)]);
        let now = bench(&[("a", 5.0), ("b", 20.0), ("new", 1.0)]);
        let table = now.compared_with(&before);
        assert!(
            table.starts_with("now: aivj 1, two cores, a, d\nbefore: aivj 1, two cores, a, d\n"),
            "{table}"
        );
        let line = table.lines().last().expect("a line");
        assert!(line.starts_with("| 320x240 | 48x36 | 2 | 2.00 (0.50 to 2.00, 2.00) |"), "{line}");
        assert!(line.ends_with("| 1.00 (1.00 to 1.00, 1.00) | b |"), "{line}");
    }

    #[test]
    fn the_lowest_of_several_rounds_counts_and_failures_are_ignored() {
        let mut results = bench(&[("a", 10.0)]);
        let path = Path::new("a");
        let mut report = RenderReport::without_picture(path, RenderStatus::Ok, String::new());
        (report.figures.cpu_ms_per_frame, report.figures.frame_ms_median) = (8.0, 9.0);
        report.first_picture_ms = 12.0;
        let places = [[320, 240], [48, 36]];
        assert!(results.add("a", places, &report));
        let [row] = &results.rows[..] else { panic!("one row: {:?}", results.rows) };
        assert_eq!((row.cpu_ms, row.frame_ms, row.first_picture_ms), (8.0, 5.0, 10.0));
        assert!(!results.add(
            "b",
            places,
            &RenderReport::without_picture(path, RenderStatus::Timeout, "".into())
        ));
        assert_eq!(results.rows.len(), 1);
    }

    #[test]
    fn results_survive_being_saved_and_another_file_is_rejected() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.json");
        let results = bench(&[("a", 10.0)]);
        results.save(&file).expect("written");
        #[cfg(unix)]
        {
            let linked = folder.path().join("linked.json");
            std::os::unix::fs::symlink(&file, &linked).expect("linked");
            bench(&[]).save(&linked).expect("written");
        }
        assert_eq!(Bench::load(&file).expect("read"), results);
        std::fs::write(&file, "{}").expect("written");
        let error = format!("{:#}", Bench::load(&file).expect_err("not results"));
        assert!(error.contains("a.json is not a result of `aivj bench --json`"), "{error}");
    }
}
