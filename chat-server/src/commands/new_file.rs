//! A file that is there as a whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// What becomes of a file that is in the place of the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// It stays, and the new one comes to nothing.
    Stays,
    /// The new one takes its place.
    Goes,
}

/// A file on its way: written beside its place under another name, which goes with this value where it does not get there.
/// Nobody but its owner can read it.
#[derive(Debug)]
pub(super) struct NewFile {
    file: NamedTempFile,
    folder: PathBuf,
    place: PathBuf,
}

impl NewFile {
    /// Begins an empty one. Only a file may be in its place: a device or a pipe is not to be put out of the way.
    pub(super) fn beside(place: &Path) -> io::Result<Self> {
        if fs::metadata(place).is_ok_and(|found| !found.is_file()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "what is there is no file"));
        }
        let folder = folder_of(place);
        let file = tempfile::Builder::new().prefix(".chat-").suffix(".part").tempfile_in(&folder)?;
        Ok(Self { file, folder, place: place.to_owned() })
    }

    /// Where it is for now.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// The file, to be written.
    pub(super) fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Puts it in its place, once it is on the disk.
    pub(super) fn put(self, existing: Existing) -> io::Result<()> {
        let Self { file, folder, place } = self;
        file.as_file().sync_all()?;
        match existing {
            Existing::Stays => file.persist_noclobber(place)?,
            Existing::Goes => file.persist(place)?,
        };
        File::open(folder)?.sync_all()
    }
}

/// Whether a place is that of an SQLite database, or of one of the files that SQLite keeps beside it: another file in its
/// place would be the end of the database.
pub(super) fn is_of_database(place: &Path, database: &Path) -> io::Result<bool> {
    // Where its folder is not there, neither is the database.
    let Ok(database) = resolved(database) else { return Ok(false) };
    let place = resolved(place)?;
    Ok(["", "-wal", "-shm", "-journal"].into_iter().any(|ending| {
        let mut path = database.clone().into_os_string();
        path.push(ending);
        place.as_os_str() == path.as_os_str()
    }))
}

/// The path without links and detours of a file that need not be there.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = path.file_name().ok_or(error)?;
            Ok(folder_of(path).canonicalize()?.join(name))
        }
        found => found,
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
