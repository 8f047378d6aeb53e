"""`make audit`: asks pip-audit whether a locked package has a known vulnerability.

Exit codes: 0 none is known, 1 there are some (listed), 2 it could not be told, with one line why.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.locks import ROOT

TIMEOUT_S = 300
LOCKS = ("requirements-scale.lock", "requirements-dev.lock")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run of pip-audit left behind."""

    out: str
    err: str


Ask = Callable[[str], Answer]


def ask_pip_audit(lock: str) -> Answer:
    """Run it on a lock: nothing is installed, and what is asked about is exactly what is pinned."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / lock), "--require-hashes"]
    options = ["--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    try:
        done = subprocess.run(  # noqa: S603 - the words are our own
            [*command, *options], capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return Answer("", f"no answer within {TIMEOUT_S} s")
    return Answer(done.stdout, done.stderr)


def audit(locks: Sequence[str], ask: Ask) -> tuple[int, list[str]]:
    """The exit code, and a line for each vulnerability and for each lock of which it could not be told."""
    found: list[str] = []
    unknown: list[str] = []
    for lock in locks:
        answer = ask(lock)
        try:
            packages = json.loads(answer.out)["dependencies"]
        except (ValueError, KeyError, TypeError):
            lines = answer.err.strip().splitlines() or ["it said nothing"]
            unknown.append(f"could not tell of {lock}: {' '.join(lines[-1].split())[:200]}")
            continue
        passed_over = [one for one in packages if "skip_reason" in one]
        if passed_over:
            of = f"{len(passed_over)} of {len(packages)} packages of {lock}"
            unknown.append(f"could not tell of {of}: {passed_over[0]['skip_reason']}")
        for one in packages:
            for flaw in one.get("vulns", ()):
                mended = ", ".join(flaw["fix_versions"]) or "none yet"
                found.append(f"{one['name']} {one['version']}: {flaw['id']}, mended in: {mended}")
    if found:
        return 1, [*dict.fromkeys(found), *unknown]
    return (2, unknown) if unknown else (0, [f"no known vulnerability in {' and '.join(locks)}"])


if __name__ == "__main__":
    code, said = audit(LOCKS, ask_pip_audit)
    sys.stdout.write("\n".join(said) + "\n")
    raise SystemExit(code)
