"""What a hashed lock says of each package, and under which licence the package stands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parents[1]
RUN, SCALE = "requirements.lock", "requirements-scale.lock"
PROJECT = "liqwatch"

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]*))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"^\s*#\s+(?:via\s+)?([A-Za-z0-9][A-Za-z0-9._-]*)(?:\s|$)")

NOT_HERE = {"colorama": "BSD-3-Clause"}
"""Packages that other systems install; read from their own metadata by hand."""

_SPOKEN = {
    "BSD 3-Clause License": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
}
"""Licences in the words of older metadata, by their SPDX names."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One pinned package; `wanted_by` are the packages that need it, `PROJECT` being this one."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    wanted_by: tuple[str, ...]


def read_lock(path: Path) -> Sequence[Locked]:
    """Every pin of a lock as `uv pip compile --generate-hashes` writes it, in its order."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", path.read_text(encoding="utf-8").strip())
    return [_package(block) for block in blocks]


def _package(block: str) -> Locked:
    pin = _PIN.match(block)
    if pin is None:
        raise ValueError(f"no pin: {block.splitlines()[0]}")
    parents = [found[1] for line in block.splitlines()[1:] if (found := _VIA.match(line)) and found[1] != "via"]
    marker = " ".join((pin["marker"] or "").split())
    return Locked(pin["name"], pin["version"], marker, tuple(_HASH.findall(block)), tuple(parents))


def licence(name: str) -> str:
    """The SPDX name of an installed package's licence. Raises LookupError where its metadata does not tell one."""
    try:
        told = cast(Message, metadata(name))
    except PackageNotFoundError:
        if name in NOT_HERE:
            return NOT_HERE[name]
        raise LookupError(f"{name} is not installed here: its licence is not known") from None
    if told.get("License-Expression"):
        return str(told["License-Expression"])
    named = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or () if line.startswith("License ::")]
    short = str(told.get("License") or "").strip()
    for words in (short, *named):
        if words in _SPOKEN:
            return _SPOKEN[words]
    if short and "\n" not in short and len(short) < 40:
        return short
    raise LookupError(f"the licence of {name} is not told in a known way: {short[:60]!r}, {named}")
