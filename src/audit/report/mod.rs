//! The audit report: one page with counts, reasons, distributions and pictures, and lists of presets to act
//! on.
//!
//! The page is self-contained. Next to it are `accepted.txt`, `rescue.txt`, `ban.txt` and `flash.txt` with
//! one path per line, as read by `aivj bake pack --rel-paths`, and `preset-families.json`.

mod chart;
mod html;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::audit::probe::thumb_path;
use crate::audit::repeats::{Member, Repeats};
use crate::audit::verdict::{Gates, LookVerdict, Record, Safety};
use crate::audit::{AuditPlan, Ledger, PlannedFile, read_run};
use crate::disk;
use crate::facts::PresetId;
use crate::jobs::{iso, now};
use crate::media::flash::FlashVerdict;
use crate::store::Store;
use crate::units::counted;
use html::HtmlPage;

/// File name of the page.
pub const PAGE: &str = "report.html";
/// File name of the list of accepted presets.
pub const ACCEPTED: &str = "accepted.txt";
/// Maximum number of presets shown per look or problem.
const SHOWN: usize = 24;
/// Maximum number of groups of similar presets shown.
const SHOWN_GROUPS: usize = 12;

/// Writes the report and the preset lists of the audit to `out`; returns the path of the report.
pub fn write(out: &Path, store: Store) -> anyhow::Result<PathBuf> {
    let run = read_run(out)?;
    let plan = AuditPlan::last(&store, run.libraries.into_iter().map(|root| root.0))?;
    let ledger = Ledger::new(store, run.recipe).within(run.gates);
    write_with(out, &plan, &ledger)
}

/// Writes the report and the preset lists of a plan with the verdicts in `ledger` to `out`; returns the path
/// of the report.
pub fn write_with(out: &Path, plan: &AuditPlan, ledger: &Ledger) -> anyhow::Result<PathBuf> {
    let audit = Audit::gather(out, plan, ledger)?;
    let lines =
        |presets: &[&ReportRow]| presets.iter().map(|preset| preset.path.clone() + "\n").collect::<String>();
    let lists = [
        (ACCEPTED, audit.accepted()),
        ("rescue.txt", audit.rescue()),
        ("ban.txt", audit.ban()),
        ("flash.txt", audit.flashing()),
    ];
    for (name, presets) in lists {
        let text = lines(&presets);
        disk::write(&out.join(name), text.as_bytes())?;
    }
    disk::write_json(&out.join("preset-families.json"), &audit.repeats)?;
    let page = audit.page();
    let path = out.join(PAGE);
    disk::write(&path, page.as_bytes())?;
    Ok(path)
}

/// One preset with its verdict.
struct ReportRow {
    id: PresetId,
    path: String,
    file: PathBuf,
    record: Record,
    look: LookVerdict,
}

/// The contents of the page.
struct Audit<'a> {
    out: &'a Path,
    plan: &'a AuditPlan,
    gates: Gates,
    presets: Vec<ReportRow>,
    repeats: Repeats,
}

impl<'a> Audit<'a> {
    fn gather(out: &'a Path, plan: &'a AuditPlan, ledger: &Ledger) -> anyhow::Result<Self> {
        let gates = ledger.gates(plan)?;
        let mut records = BTreeMap::new();
        ledger.each(plan, |id, record, _| {
            records.insert(id, record.without_params());
        })?;
        let mut files: Vec<&PlannedFile> = plan.each_preset().collect();
        files.sort_by_cached_key(|file| plan.relative(file));
        let (mut presets, mut members) = (Vec::new(), Vec::new());
        for file in files {
            let Some(record) = records.remove(&file.id) else { continue };
            members.push(Member::new(
                file.id,
                file.family,
                record.evidence.perceptual_hash,
                record.evidence.look.as_ref(),
            ));
            let look = record.look_verdict(&gates);
            let (path, file_path) = (plan.relative(file), plan.path(file));
            presets.push(ReportRow { id: file.id, path, file: file_path, record, look });
        }
        let repeated = plan.files() - plan.presets();
        let repeats = Repeats::of(members.len() + repeated, &members);
        Ok(Self { out, plan, gates, presets, repeats })
    }

    fn select(&self, which: impl Fn(&ReportRow) -> bool) -> Vec<&ReportRow> {
        self.presets.iter().filter(|preset| which(preset)).collect()
    }

    /// Returns the playable presets whose look may become ok: images are missing, or the picture is only too
    /// dark, too bright or too still.
    fn rescue(&self) -> Vec<&ReportRow> {
        self.select(|preset| {
            let weak =
                matches!(preset.look, LookVerdict::TooDark | LookVerdict::TooBright | LookVerdict::LowMotion);
            let missing_image = preset.look != LookVerdict::Ok && !preset.record.evidence.missing.is_empty();
            preset.record.safety == Safety::Ok && (weak || missing_image)
        })
    }

    /// Returns the playable presets with an acceptable look.
    fn accepted(&self) -> Vec<&ReportRow> {
        self.select(|preset| preset.record.safety == Safety::Ok && preset.look == LookVerdict::Ok)
    }

    /// Returns the presets with more than three flashes within a second, or with a harmful regular pattern, when played
    /// without the flash limiter.
    fn flashing(&self) -> Vec<&ReportRow> {
        self.select(|preset| preset.record.flash_verdict() == Some(FlashVerdict::Fail))
    }

    /// Returns the presets to ban: unplayable, or black, white or frozen although no image is missing.
    fn ban(&self) -> Vec<&ReportRow> {
        self.select(|preset| {
            let empty = matches!(preset.look, LookVerdict::Black | LookVerdict::White | LookVerdict::Frozen);
            preset.record.safety != Safety::Ok || (empty && preset.record.evidence.missing.is_empty())
        })
    }

    fn page(&self) -> String {
        let roots: Vec<_> = self.plan.libraries.iter().map(|l| l.root.to_string_lossy()).collect();
        let mut page = HtmlPage::new(&format!("Audit of {}", roots.join(", ")), &iso(now()));
        self.summary(&mut page);
        self.distributions(&mut page);
        self.lists(&mut page);
        self.groups(&mut page);
        page.finish()
    }

    fn summary(&self, page: &mut HtmlPage) {
        let count = |which: &dyn Fn(&ReportRow) -> bool| self.select(which).len();
        let ok = count(&|preset| preset.record.good(&self.gates));
        page.cards(&[
            ("Files", self.plan.files()),
            ("Distinct presets", self.plan.presets()),
            ("Audited", self.presets.len()),
            ("OK", ok),
            ("Unplayable", count(&|preset| preset.record.safety != Safety::Ok)),
            ("Flashing", self.flashing().len()),
            ("Missing images", count(&|preset| !preset.record.evidence.missing.is_empty())),
            ("Repeats", self.repeats.repeats),
        ]);
        let row = |label: &str, which: &dyn Fn(&ReportRow) -> bool| (label.to_owned(), count(which));
        let safety = Safety::ALL.map(|safety| row(safety.label(), &|p| p.record.safety == safety));
        let look = LookVerdict::ALL.map(|look| row(look.label(), &|p| p.look == look));
        let flash = [Some(FlashVerdict::Pass), Some(FlashVerdict::Warn), Some(FlashVerdict::Fail), None];
        let flash = flash.map(|flash| row(flash_word(flash), &|p| p.record.flash_verdict() == flash));
        let parts = [
            row("complete", &|p| p.record.evidence.missing.is_empty() && p.record.evidence.broken.is_empty()),
            row("missing images", &|p| !p.record.evidence.missing.is_empty()),
            row("broken parts", &|p| !p.record.evidence.broken.is_empty()),
        ];
        let whole = self.presets.len();
        page.tables(
            whole,
            &[("Safety", &safety), ("Look", &look), ("Flash", &flash), ("Completeness", &parts)],
        );
        let Repeats { identical, same_code, same_look, repeats, .. } = &self.repeats;
        let share = 100.0 * *repeats as f64 / whole.max(1) as f64;
        page.text(&format!(
            "Repeats: {} identical to another, {} with the same code, {} with the same look; {} in total \
            ({share:.1}%).",
            counted(*identical, "file"),
            counted(*same_code, "preset"),
            counted(*same_look, "preset"),
            counted(*repeats, "preset")
        ));
        let Gates { dark, bright, still, from, .. } = self.gates;
        page.text(&format!(
            "Looks are judged relative to the library: too dark below {dark:.4} mean luma, too bright above {bright:.3}, \
            low motion below {still:.5} per frame (based on {from} looks)."
        ));
        let flashing = self.flashing().len();
        let share = 100.0 * flashing as f64 / whole.max(1) as f64;
        page.text(&format!(
            "Flashes: {} ({share:.0}%) above the limits of WCAG 2.2 and ITU-R BT.1702: more than three general or red \
            flashes within a second over a quarter of a 10-degree field or of the screen, or a harmful regular pattern. \
            Measured on the preset alone at 30 frames per second. The flash limiter of the show reduces both before they \
            reach the screen; for a show without it, create the pack with --safe-flash.",
            counted(flashing, "preset")
        ));
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for preset in &self.presets {
            let missing =
                preset.record.evidence.missing.iter().map(|name| format!("missing texture: {name}"));
            let parts = preset.record.evidence.broken.iter().map(|part| short(part, 90));
            let why = (preset.record.safety != Safety::Ok)
                .then(|| format!("{}: {}", preset.record.safety.label(), short(&preset.record.why, 90)));
            missing.chain(parts).chain(why).for_each(|reason| *reasons.entry(reason).or_default() += 1);
        }
        let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
        reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), reason.clone()));
        reasons.truncate(20);
        if !reasons.is_empty() {
            page.tables(whole, &[("Most frequent problems", &reasons)]);
        }
    }

    fn distributions(&self, page: &mut HtmlPage) {
        let looks = || self.presets.iter().filter_map(|preset| preset.record.evidence.look.as_ref());
        let own_looks = || self.presets.iter().filter_map(|preset| preset.record.measured_look());
        let measured = || self.presets.iter().filter(|preset| preset.record.is_measured());
        page.heading("Distributions and cost on this computer");
        let charts = [
            chart::linear("Luma", looks().map(|look| look.luma), 0.0, 1.0, Some(self.gates.dark)),
            chart::decades(
                "Motion per frame",
                looks().map(|look| look.motion),
                -4,
                0,
                Some(self.gates.still),
            ),
            chart::linear("Contrast", own_looks().map(|look| look.contrast), 0.0, 0.5, None),
            chart::linear("Colourfulness", own_looks().map(|look| look.colour), 0.0, 1.5, None),
            chart::decades("Detail", own_looks().map(|look| look.detail), -4, 0, None),
            chart::linear("Symmetry", own_looks().map(|look| look.symmetry), -1.0, 1.0, None),
            chart::linear(
                "Flashes in the worst second",
                measured().map(|p| f64::from(p.record.evidence.flash.flashes())),
                0.0,
                16.0,
                Some(4.0),
            ),
            chart::decades(
                "Loading time (ms)",
                measured().map(|p| p.record.evidence.cost.prepare_ms),
                0,
                4,
                None,
            ),
            chart::decades(
                "Estimated frame time at 1080p (ms)",
                measured().map(|p| p.record.evidence.cost.full_hd_ms),
                0,
                4,
                None,
            ),
        ];
        page.charts(&charts);
    }

    fn lists(&self, page: &mut HtmlPage) {
        page.heading("Recommended actions");
        let (rescue, ban, flashing) = (self.rescue(), self.ban(), self.flashing());
        let entries = |presets: &[&ReportRow]| {
            let entry = |preset: &&ReportRow| {
                (preset.file.clone(), preset.path.clone(), preset.record.reasons(&self.gates).join("; "))
            };
            presets.iter().take(200).map(entry).collect::<Vec<_>>()
        };
        page.list(
            &format!(
                "Rescue: {} with missing images, or too little light or motion (rescue.txt)",
                rescue.len()
            ),
            &entries(&rescue),
            rescue.len(),
        );
        page.list(&format!("Ban: {} unplayable or empty (ban.txt)", ban.len()), &entries(&ban), ban.len());
        let title = format!(
            "Flash: {} with too many flashes or a harmful regular pattern (flash.txt)",
            flashing.len()
        );
        page.list(&title, &entries(&flashing), flashing.len());
        page.links(&[
            "preset-audit.json",
            "audit-summary.json",
            "quality-blacklist.json",
            "preset-families.json",
            ACCEPTED,
            "rescue.txt",
            "ban.txt",
            "flash.txt",
        ]);
    }

    fn groups(&self, page: &mut HtmlPage) {
        for look in LookVerdict::ALL.into_iter().filter(|look| *look != LookVerdict::Unseen) {
            let group = self.select(|preset| preset.look == look && preset.record.safety == Safety::Ok);
            self.gallery(page, &format!("Look: {}", look.label()), &sample(&group));
        }
        self.gallery(page, "Flashing", &sample(&self.flashing()));
        let missing = self.select(|preset| !preset.record.evidence.missing.is_empty());
        self.gallery(page, "Missing images", &sample(&missing));
        let by_id: BTreeMap<PresetId, &ReportRow> =
            self.presets.iter().map(|preset| (preset.id, preset)).collect();
        for group in self.repeats.look_alikes.iter().take(SHOWN_GROUPS) {
            let members: Vec<&ReportRow> =
                group.iter().filter_map(|id| by_id.get(id).copied()).take(6).collect();
            self.gallery(page, &format!("{} similar presets", group.len()), &(members, group.len()));
        }
    }

    fn gallery(&self, page: &mut HtmlPage, title: &str, (members, whole): &(Vec<&ReportRow>, usize)) {
        if members.is_empty() {
            return;
        }
        page.heading(&format!("{title} ({whole})"));
        let picture = |preset: &&ReportRow| {
            let picture =
                disk::read(&thumb_path(&self.out.join("thumbs"), preset.id), disk::limit::IMAGE).ok();
            let reasons = preset.record.reasons(&self.gates).join("; ");
            (preset.file.clone(), preset.path.clone(), reasons, picture)
        };
        page.gallery(&members.iter().map(picture).collect::<Vec<_>>());
    }
}

/// Returns up to [`SHOWN`] evenly spaced members of a group, and the size of the group.
fn sample<'a>(group: &[&'a ReportRow]) -> (Vec<&'a ReportRow>, usize) {
    let shown = group.len().min(SHOWN);
    ((0..shown).map(|at| group[at * group.len() / shown]).collect(), group.len())
}

fn flash_word(flash: Option<FlashVerdict>) -> &'static str {
    match flash {
        Some(FlashVerdict::Pass) => "pass",
        Some(FlashVerdict::Warn) => "at the limit",
        Some(FlashVerdict::Fail) => "fail",
        None => "not measured",
    }
}

/// Returns the first line of a text, truncated to `most` characters.
fn short(text: &str, most: usize) -> String {
    text.lines().next().unwrap_or_default().chars().take(most).collect()
}
