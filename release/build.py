"""Builds what a release is made of. See `release/build`."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from archive import sha256, write_zip
from notices import notices
from sbom import sbom
from workspace import ROOT, TARGETS, functions, linked, metadata

# AWS Lambda takes more; this is what a function of this repository may have.
MAX_ZIP_BYTES = json.loads((ROOT / "release/limits.json").read_text())["aim"]["zip_kb"] * 1024


def reproducible(environment: dict[str, str], target_dir: Path) -> dict[str, str]:
    """The environment in which no path of this machine gets into a program."""
    home = Path(environment.get("CARGO_HOME", Path.home() / ".cargo"))
    command = ["rustc", "--print", "sysroot"]
    sysroot = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    # Of several that fit, the compiler takes the last one.
    prefixes = [(str(home), "/cargo"), (sysroot, "/rust"), (str(ROOT), "/stagegate"), (str(target_dir), "/target")]
    rust = [f"--remap-path-prefix={old}={new}" for old, new in prefixes]
    c = " ".join(f"-ffile-prefix-map={old}={new}" for old, new in prefixes)
    return {
        **environment,
        "RUSTFLAGS": " ".join(rust),
        "CFLAGS": c,
        "CXXFLAGS": c,
        "SOURCE_DATE_EPOCH": "315532800",
        "CARGO_INCREMENTAL": "0",
        "CARGO_TARGET_DIR": str(target_dir),
    }


def build(chosen: list[str], architecture: str, target_dir: Path, out: Path) -> list[Path]:
    """Builds functions as `sam build` does, but at once, and gives their ZIPs."""
    processor = {"arm64": "--arm64", "x86_64": "--x86-64"}[architecture]
    programs = target_dir / "lambda"
    command = ["cargo", "lambda", "build", "--release", "--locked", processor, "--lambda-dir", str(programs)]
    for function in chosen:
        command += ["--package", function, "--bin", function]
    subprocess.run(command, cwd=ROOT, env=reproducible(dict(os.environ), target_dir), check=True)
    archives = []
    for function in chosen:
        archives.append(out / f"{function}-{architecture}.zip")
        write_zip(programs / function / "bootstrap", archives[-1])
    return archives


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds what a release is made of.")
    parser.add_argument("--function", action="append", help="only this one; may be given several times")
    parser.add_argument("--architecture", choices=sorted(TARGETS), default="arm64")
    parser.add_argument("--out", type=Path, default=ROOT / "target/release-files")
    parser.add_argument("--papers-only", action="store_true", help="only the SBOM and the licences, without building")
    options = parser.parse_args()
    known = functions(options.architecture)
    chosen = sorted(set(options.function or known))
    if unknown := [name for name in chosen if name not in known]:
        parser.error(f"there is no function {', '.join(unknown)}; known are {', '.join(known)}")
    out = options.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    packages = metadata(options.architecture)["packages"]
    version = next(package["version"] for package in packages if package["name"] == "stagegate")
    crates = linked(chosen, options.architecture)
    if unlicensed := [crate.id for crate in crates if not crate.licence]:
        print(f"without a licence: {', '.join(unlicensed)}", file=sys.stderr)
        return 1
    (out / "stagegate.cdx.json").write_text(sbom(version, chosen, crates))
    (out / "THIRD-PARTY-LICENSES.txt").write_text(notices(chosen, crates))
    too_large = []
    if not options.papers_only:
        target_dir = ROOT / "target/release-build"
        for archive in build(chosen, options.architecture, target_dir, out):
            size = archive.stat().st_size
            print(f"{archive.name}: {size:,} bytes", flush=True)
            too_large += [archive.name] if size > MAX_ZIP_BYTES else []
    files = sorted(file for file in out.iterdir())
    (out / "SHA256SUMS").write_text("".join(f"{sha256(file)}  {file.name}\n" for file in files))
    print((out / "SHA256SUMS").read_text(), end="")
    if too_large:
        print(f"larger than {MAX_ZIP_BYTES:,} bytes: {', '.join(too_large)}", file=sys.stderr)
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main())
