"""`make sbom`: what the bot is made of, as CycloneDX 1.6 JSON, from the lock alone.

The same lock gives the same bytes: there is no time in it, and the serial number comes from the content.
"""

import json
import sys
import tomllib
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.locks import PROJECT, ROOT, SCALE, Locked, licence, read_lock


def bill(packages: Sequence[Locked], *, version: str) -> dict[str, Any]:
    """The bill of materials: every package with its hashes and licence, and who needs whom."""
    own = f"pkg:pypi/{PROJECT}@{version}"
    refs: dict[str, list[str]] = {PROJECT: [own]}
    for one in packages:
        refs.setdefault(one.name, []).append(_purl(one))
    needs: dict[str, set[str]] = {ref: set() for found in refs.values() for ref in found}
    for one in packages:
        for parent in one.wanted_by:
            for ref in refs.get(parent, ()):
                needs[ref].add(_purl(one))
    content: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": PROJECT,
                "version": version,
                "purl": own,
                "licenses": [{"expression": "MIT"}],
            }
        },
        "components": [_component(one) for one in packages],
        "dependencies": [{"ref": ref, "dependsOn": sorted(wanted)} for ref, wanted in sorted(needs.items())],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content, sort_keys=True))
    return {**content, "serialNumber": f"urn:uuid:{serial}"}


def _component(one: Locked) -> dict[str, Any]:
    """A package; its hashes are of the files that may be installed, any of which is the whole of it."""
    hashes = [{"name": "liqwatch:sha256", "value": digest} for digest in one.hashes]
    marker = [{"name": "liqwatch:marker", "value": one.marker}] if one.marker else []
    return {
        "type": "library",
        "bom-ref": _purl(one),
        "name": one.name,
        "version": one.version,
        "purl": _purl(one),
        "licenses": [{"expression": licence(one.name)}],
        "properties": [*marker, *hashes],
    }


def _purl(one: Locked) -> str:
    return f"pkg:pypi/{one.name.lower().replace('_', '-')}@{one.version}"


def main(target: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    content = bill(read_lock(ROOT / SCALE), version=project["version"])
    target.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
