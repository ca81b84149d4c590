"""ZIPs of functions whose bytes depend on what is in them and on nothing else."""

import hashlib
import zipfile
from pathlib import Path

# The first time that a ZIP can hold.
EPOCH = (1980, 1, 1, 0, 0, 0)
UNIX = 3


def write_zip(program: Path, archive: Path) -> None:
    """Writes an archive with the program as `bootstrap`, which may be executed."""
    entry = zipfile.ZipInfo("bootstrap", EPOCH)
    entry.create_system = UNIX
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as zip_:
        zip_.writestr(entry, program.read_bytes(), compresslevel=9)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
