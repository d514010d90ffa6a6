//! The durability of the store, with killed processes and disks that are full or read-only.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aivj::facts::PresetId;
use aivj::store::STORE_FILE;
use aivj::store::{BanKind, Store, StoreStatus, StoreWrite, StoreWriter};

/// Environment variable with the folder of the store that the child process writes to.
const CHILD: &str = "AIVJ_TEST_STORE";

fn id(number: u64) -> PresetId {
    PresetId::of(&number.to_le_bytes())
}

/// Returns the write with this number, cycling through four kinds.
fn mark(number: u64) -> StoreWrite {
    match number % 4 {
        0 => StoreWrite::Favourite(id(number), true),
        1 => StoreWrite::Ban(id(number), BanKind::Permanent, "by the performer".into()),
        2 => StoreWrite::Rating(id(number), Some(4)),
        _ => StoreWrite::Played { id: id(number), seconds: 2.0, skipped: false },
    }
}

/// Returns the numbers below `bound` of all marks in the store, and checks that no play is stored twice.
fn marks(store: &Store, bound: u64) -> BTreeSet<u64> {
    let favourites = store.favourites().expect("read");
    let bans: BTreeSet<PresetId> = store.bans(1).expect("read").into_iter().map(|ban| ban.id).collect();
    let plays = store.plays().expect("read");
    assert!(plays.values().all(|play| play.plays == 1), "a play was saved twice");
    let there = |number: &u64| match number % 4 {
        0 => favourites.contains(&id(*number)),
        1 => bans.contains(&id(*number)),
        2 => store.opinion(id(*number)).expect("read").rating == Some(4),
        _ => plays.contains_key(&id(*number)),
    };
    (0..bound).filter(there).collect()
}

fn wait_for(writer: &StoreWriter, wanted: impl Fn(&StoreStatus) -> bool) -> StoreStatus {
    loop {
        match writer.new_status() {
            Some(status) if wanted(&status) => return status,
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// The child process to be killed: writes marks and prints the number of each once it is committed.
#[test]
fn child_writes_marks_until_killed() {
    let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let opened = Store::open(&folder, 1).expect("opens");
    let first: u64 =
        std::fs::read_to_string(folder.join("next")).map_or(0, |text| text.parse().expect("a number"));
    let writer = StoreWriter::start(opened.store, 1).expect("starts");
    for number in first.. {
        writer.write(mark(number), 1);
        wait_for(&writer, |status| status.saved > number - first);
        println!("confirmed {number}");
        std::io::stdout().flush().expect("printed");
    }
}

/// A process that is killed when it is dropped.
struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.kill().ok(); // It may have ended already.
        self.0.wait().ok();
    }
}

/// Set `AIVJ_KILLS` to change the number of kills.
#[test]
fn a_killed_process_loses_no_committed_write_and_repeats_none() {
    let kills: u64 = std::env::var("AIVJ_KILLS").map_or(5, |text| text.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let mut rng = aivj::units::Rng::new(5);
    let mut next = 0;
    for kill in 0..kills {
        std::fs::write(folder.path().join("next"), next.to_string()).expect("written");
        let mut child = KillOnDrop(
            Command::new(std::env::current_exe().expect("this program"))
                .args(["child_writes_marks_until_killed", "--exact", "--nocapture"])
                .env(CHILD, folder.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("started"),
        );
        let lines = BufReader::new(child.0.stdout.take().expect("its output")).lines();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(rng.below(400) as u64));
            drop(child);
            rng
        });
        let confirmed = lines.map_while(Result::ok).filter_map(|line| {
            line.rsplit_once("confirmed ").map(|(_, number)| number.parse::<u64>().expect("a number"))
        });
        let confirmed = confirmed.last().map_or(next, |last| last + 1);
        rng = killer.join().expect("killed");
        let opened = Store::open(folder.path(), 1).expect("opens");
        assert_eq!(opened.notice, None, "kill {kill}");
        let found = marks(&opened.store, confirmed + 1000);
        assert!((0..confirmed).all(|number| found.contains(&number)), "kill {kill} lost a mark");
        next = found.last().map_or(0, |last| last + 1);
    }
    println!("{kills} kills, {next} marks, none lost");
    let leftovers = std::fs::read_dir(folder.path()).expect("read").flatten().map(|entry| entry.file_name());
    let parts = leftovers.filter(|name| name.to_string_lossy().ends_with(".part")).count();
    assert!(parts <= 1, "interrupted backups pile up");
}

/// A disk of 2 MiB in memory (tmpfs).
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount() -> Self {
        let path = tempfile::tempdir().expect("a folder").keep();
        run("mount", &["-t", "tmpfs", "-o", "size=2m", "tmpfs", path.to_str().expect("UTF-8")]);
        Self(path)
    }

    fn remount(&self, how: &str) {
        run("mount", &["-o", &format!("remount,{how}"), self.0.to_str().expect("UTF-8")]);
    }

    /// Fills the disk completely; returns the file that fills it.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path).expect("created");
        for size in [4096, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok(); // Nothing else can be done.
        std::fs::remove_dir(&self.0).ok();
    }
}

fn run(program: &str, arguments: &[&str]) {
    assert!(Command::new(program).args(arguments).status().expect("started").success(), "{program} failed");
}

fn open(folder: &Path) -> Store {
    Store::open(folder, 1).expect("opens").store
}

#[test]
#[ignore = "mounts a disk, which needs root"]
fn a_full_disk_loses_nothing_whether_freed_before_or_after_exit() {
    for before_the_end in [true, false] {
        let disk = SmallDisk::mount();
        let writer = StoreWriter::start(open(&disk.0), 1).expect("starts");
        writer.write(mark(0), 1);
        wait_for(&writer, |status| status.saved == 1);
        let filler = disk.fill();
        // The write-ahead log has some room left at its end.
        (1..400).for_each(|number| writer.write(mark(number), 1));
        let big = format!("\"{}\"", "x".repeat(1 << 20));
        writer.write(StoreWrite::Remember("taste".into(), big), 1);
        let status = wait_for(&writer, |status| status.waiting > 0);
        assert!(status.problem.contains("full"), "{status:?}");
        if before_the_end {
            std::fs::remove_file(&filler).expect("removed");
            disk.remount("size=16m");
            wait_for(&writer, |status| status.waiting == 0);
            drop(writer);
        } else {
            drop(writer);
            std::fs::remove_file(&filler).expect("removed");
            disk.remount("size=16m");
        }
        assert_eq!(marks(&open(&disk.0), 400).len(), 400, "freed before exit: {before_the_end}");
    }
}

#[test]
#[ignore = "mounts a disk, which needs root"]
fn changes_on_a_read_only_disk_are_saved_once_it_is_writable() {
    let disk = SmallDisk::mount();
    let writer = StoreWriter::start(open(&disk.0), 1).expect("starts");
    writer.write(mark(0), 1);
    drop(writer);
    let before = std::fs::read(disk.0.join(STORE_FILE)).expect("read");
    disk.remount("ro");
    let opened = Store::open(&disk.0, 1).expect("opens");
    assert!(opened.notice.is_some_and(|notice| notice.contains("1 favourite")));
    assert_eq!(marks(&opened.store, 4), [0].into());
    let writer = StoreWriter::start(opened.store, 1).expect("starts");
    writer.write(mark(4), 1);
    wait_for(&writer, |status| status.waiting == 1);
    assert!(std::fs::read(disk.0.join(STORE_FILE)).expect("read") == before);
    disk.remount("rw");
    wait_for(&writer, |status| status.saved == 1);
    drop(writer);
    assert_eq!(marks(&open(&disk.0), 8), [0, 4].into());
}
