"""Checks what `sam build` made: one bootstrap per Rust function, for the right processor, small enough for Lambda, and
linked with no library but those of libc.

Usage: check_functions.py BUILD_DIR AArch64|X86-64
"""

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from cfnlint.decode import cfn_yaml

# e_machine in the ELF header.
MACHINES = {"AArch64": 183, "X86-64": 62}
# Lambda's quota for a ZIP that is uploaded directly.
MAX_ZIP_BYTES = 50 * 1024 * 1024

# libc, its parts, and the unwinder of the compiler: what the runtime of Lambda has for every program.
LIBC = re.compile(r"(ld-linux.*|libc|libm|libdl|librt|libpthread|libgcc_s)\.so(\.\d+)?")


def rust_functions(template: str) -> list[str]:
    """The logical ids of the functions that cargo builds."""
    resources = cfn_yaml.load(template)["Resources"]
    return [i for i, r in resources.items() if r.get("Metadata", {}).get("BuildMethod") == "rust-cargolambda"]


def zipped_size(path: Path) -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    return len(buffer.getvalue())


def other_libraries(bootstrap: Path) -> list[str]:
    """The shared libraries that the program asks for, without those of libc."""
    dynamic = subprocess.run(["readelf", "--dynamic", "--wide", bootstrap], capture_output=True, text=True, check=True)
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic.stdout)
    return [library for library in needed if not LIBC.fullmatch(library)]


def problem(bootstrap: Path, machine: str) -> str | None:
    if not bootstrap.is_file():
        return "there is no bootstrap"
    if not bootstrap.stat().st_mode & 0o111:
        return "the bootstrap is not executable"
    header = bootstrap.read_bytes()[:20]
    if header[:4] != b"\x7fELF" or int.from_bytes(header[18:20], "little") != MACHINES[machine]:
        return f"the bootstrap is no ELF program for {machine}"
    if libraries := other_libraries(bootstrap):
        return f"the bootstrap needs {', '.join(libraries)}"
    if zipped_size(bootstrap) > MAX_ZIP_BYTES:
        return f"the ZIP has {zipped_size(bootstrap)} bytes, the limit is {MAX_ZIP_BYTES}"
    return None


def main() -> int:
    build, machine = Path(sys.argv[1]), sys.argv[2]
    functions = rust_functions("infra/template.yaml")
    failed = not functions
    for function in functions:
        bootstrap = build / function / "bootstrap"
        found = problem(bootstrap, machine)
        failed = failed or found is not None
        sizes = "" if found else f"{bootstrap.stat().st_size:,} bytes, {zipped_size(bootstrap):,} zipped"
        print(f"{function}: {found or sizes} ({machine})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
