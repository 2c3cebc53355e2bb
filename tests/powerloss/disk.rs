//! A disk that loses power: what was flushed is there; of what was written since, anything may be.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use rand::Rng;
use recording_vfs::Act;

/// What a disk writes at once or not at all.
const SECTOR: usize = 512;

/// How a disk treats what was not flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It wrote in order, up to some point.
    Rest,
    /// It wrote some of it and not the rest: what came later may be there and what came before not.
    Some,
    /// Of each sector it has what it was at one time or another, also in the middle of a write.
    Torn,
}

impl Loss {
    pub(crate) const ALL: [Self; 3] = [Self::Rest, Self::Some, Self::Torn];
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
    Delete,
}

/// A file: none if it is not there.
type Content = Option<Vec<u8>>;

#[derive(Debug, Default)]
struct File {
    flushed: Content,
    since: Vec<Change>,
}

/// The disk, as far as the recording was played.
#[derive(Debug, Default)]
pub(crate) struct Disk(BTreeMap<PathBuf, File>);

impl Disk {
    /// Plays what happened next.
    pub(crate) fn play(&mut self, act: &Act) {
        match act {
            Act::Write { file, at, bytes } => {
                let at = usize::try_from(*at).expect("small");
                self.file(file).since.push(Change::Write(at, bytes.clone()));
            }
            Act::Truncate { file, size } => {
                let size = usize::try_from(*size).expect("small");
                self.file(file).since.push(Change::Truncate(size));
            }
            Act::Sync { file } => self.sync(file),
            Act::Delete { file, flushed } => {
                let file = self.file(file);
                file.since.push(Change::Delete);
                if *flushed {
                    file.flush();
                }
            }
            Act::Note(_) => {}
        }
    }

    /// With the first flush of a new log or journal `SQLite` flushes the folder (`unixSync`):
    /// what was deleted before it stays so.
    fn sync(&mut self, path: &Path) {
        let is_log = ["-wal", "-journal"].iter().any(|end| path.to_string_lossy().ends_with(end));
        if is_log && self.file(path).flushed.is_none() {
            for file in self.0.values_mut().filter(|file| file.is_deleted()) {
                file.flush();
            }
        }
        self.file(path).flush();
    }

    fn file(&mut self, path: &Path) -> &mut File {
        self.0.entry(path.to_owned()).or_default()
    }

    /// What is on it after the power failed now.
    pub(crate) fn crash(&self, loss: Loss, rng: &mut impl Rng) -> Vec<(&Path, Vec<u8>)> {
        let files = self.0.iter();
        let files = files.filter_map(|(path, file)| Some((path.as_path(), file.crash(loss, rng)?)));
        files.collect()
    }
}

impl File {
    fn flush(&mut self) {
        for change in std::mem::take(&mut self.since) {
            apply(&mut self.flushed, &change);
        }
    }

    fn is_deleted(&self) -> bool {
        self.since.iter().any(|change| matches!(change, Change::Delete))
    }

    fn crash(&self, loss: Loss, rng: &mut impl Rng) -> Content {
        let mut content = self.flushed.clone();
        match loss {
            Loss::Some => {
                for change in self.since.iter().filter(|_| rng.random()) {
                    apply(&mut content, change);
                }
                content
            }
            Loss::Torn if !self.is_deleted() && !self.since.is_empty() => Some(self.torn(rng)),
            Loss::Rest | Loss::Torn => {
                let written = rng.random_range(0..=self.since.len());
                for change in &self.since[..written] {
                    apply(&mut content, change);
                }
                content
            }
        }
    }

    /// Each sector, and the length, as it was after some change of its own or another.
    fn torn(&self, rng: &mut impl Rng) -> Vec<u8> {
        let flushed = self.flushed.clone().unwrap_or_default();
        let mut now = Some(flushed.clone());
        let mut lengths = vec![flushed.len()];
        let mut versions: HashMap<usize, Vec<Vec<u8>>> = HashMap::new();
        for change in &self.since {
            apply(&mut now, change);
            let image = now.as_deref().unwrap_or_default();
            lengths.push(image.len());
            let touched = match change {
                Change::Write(at, bytes) => *at / SECTOR..(at + bytes.len()).div_ceil(SECTOR),
                Change::Truncate(_) | Change::Delete => 0..0,
            };
            for sector in touched {
                let end = image.len().min((sector + 1) * SECTOR);
                versions.entry(sector).or_default().push(image[sector * SECTOR..end].to_vec());
            }
        }
        let mut torn = flushed;
        torn.resize(lengths[rng.random_range(0..lengths.len())], 0);
        for (sector, versions) in versions {
            let chosen = rng.random_range(0..=versions.len());
            let from = sector * SECTOR;
            if let Some(version) = chosen.checked_sub(1).map(|chosen| &versions[chosen])
                && from < torn.len()
            {
                let end = torn.len().min(from + version.len());
                torn[from..end].copy_from_slice(&version[..end - from]);
            }
        }
        torn
    }
}

fn apply(content: &mut Content, change: &Change) {
    match change {
        Change::Write(at, bytes) => {
            let content = content.get_or_insert_default();
            if content.len() < at + bytes.len() {
                content.resize(at + bytes.len(), 0);
            }
            content[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        Change::Truncate(size) => content.get_or_insert_default().resize(*size, 0),
        Change::Delete => *content = None,
    }
}
