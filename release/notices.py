"""The licences of everything that is linked, in the words of its authors, as their licences ask for."""

from collections import defaultdict
from pathlib import Path

from workspace import Crate

NAMES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")


def texts(folder: Path) -> list[str]:
    """What the files of a crate say about its licence."""
    files = [file for file in folder.iterdir() if file.is_file() and file.name.upper().startswith(NAMES)]
    read = (file.read_text(encoding="utf-8", errors="replace") for file in sorted(files))
    return ["\n".join(line.rstrip() for line in text.strip().splitlines()) for text in read]


def notices(functions: list[str], crates: list[Crate]) -> str:
    """One text for all: first which crate is under what, then each text once with the crates that have it."""
    foreign = [crate for crate in crates if crate.is_foreign]
    users: dict[str, list[str]] = defaultdict(list)
    without = []
    for crate in foreign:
        found = texts(crate.folder)
        for text in found:
            users[text].append(f"{crate.name} {crate.version}")
        if not found:
            without.append(crate)
    lines = [f"What is linked into {', '.join(functions)} besides Stagegate itself.", ""]
    lines += [f"{crate.name} {crate.version}: {crate.licence} {crate.repository}".rstrip() for crate in foreign]
    if without:
        lines += ["", "These crates come without the text of their licence; it is the one of that name at https://spdx.org/licenses/:"]
        lines += [f"{crate.name} {crate.version}: {crate.licence}" for crate in without]
    for text, crates_ in sorted(users.items(), key=lambda item: (-len(item[1]), item[0])):
        lines += ["", "=" * 80, ", ".join(crates_), "=" * 80, "", text]
    return "\n".join(lines) + "\n"
