"""deploy/Dockerfile, which nobody here can build: every line that can be wrong is held against the project."""

import json
import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import typer

from bot.cli import app
from bot.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS_OWN = {"PATH", "PYTHONDONTWRITEBYTECODE", "MPLCONFIGDIR"}


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction, its continuations joined; `stage` counts from 0."""

    stage: int
    word: str
    rest: str


def instructions() -> list[Line]:
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text(encoding="utf-8"))
    found: list[Line] = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            found.append(Line(sum(one.word == "FROM" for one in found) - (word != "FROM"), word, rest.strip()))
    return found


def of(word: str, *, stage: int | None = None) -> list[str]:
    return [line.rest for line in instructions() if line.word == word and stage in (None, line.stage)]


def copied() -> list[tuple[str, str]]:
    """Source and target of what is copied from the project."""
    pairs = []
    for rest in of("COPY"):
        if not rest.startswith("--from="):
            *sources, target = rest.split()
            pairs += [(source, target) for source in sources]
    return pairs


def test_every_instruction_is_one_that_docker_knows() -> None:
    known = {"FROM", "RUN", "COPY", "LABEL", "USER", "WORKDIR", "VOLUME", "ENV", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"}
    assert {line.word for line in instructions()} <= known | {"ENTRYPOINT", "CMD"}
    assert instructions()[0].word == "FROM"


def test_both_stages_stand_on_the_same_python_and_the_program_asks_for_no_newer() -> None:
    first, second = of("FROM")
    assert first == f"{second} AS build", "a venv runs on the Python that made it"
    version = re.fullmatch(r"python:(\d+)\.(\d+)-slim-\w+", second)
    assert version is not None
    needed = re.fullmatch(r">=(\d+)\.(\d+)", PROJECT["requires-python"])
    assert needed is not None
    assert tuple(map(int, version.groups())) >= tuple(map(int, needed.groups()))


def test_what_is_copied_is_there_and_passes_the_ignore_file() -> None:
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*", "a secret beside the sources must not reach the builder"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    for source, _ in copied():
        assert (ROOT / source).exists(), source
        assert source in let_in, source
    assert let_in == {source for source, _ in copied()}, "and nothing else does"
    assert not [name for name in (".env", "liqwatch.db", ".git") if any(fnmatch(name, kept) for kept in let_in)]


def test_all_that_the_package_is_made_of_is_copied_before_it_is_built() -> None:
    lines = instructions()
    build = next(at for at, line in enumerate(lines) if line.rest.endswith("--no-build-isolation ."))
    before = {source for line in lines[:build] if line.word == "COPY" for source in line.rest.split()[:-1]}
    packages = {"bot", "migrations"}
    assert packages | {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]} <= before


def test_libraries_come_from_a_hashed_lock_that_is_there() -> None:
    installs = [rest for rest in of("RUN") if " install " in rest and "pip" in rest]
    [locks] = [re.findall(r"-r (\S+)", rest) for rest in installs if "-r " in rest]
    assert locks == ["requirements-scale.lock"]
    assert all("--require-hashes" in rest or "--no-deps" in rest for rest in installs)
    lock = (ROOT / locks[0]).read_text(encoding="utf-8")
    named = {
        re.split(r"[\[>=<]", one)[0] for one in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["scale"]
    }
    assert {name for name in named if not re.search(rf"(?m)^{re.escape(name)}==", lock)} == set()
    assert re.search(r"(?m)^setuptools==", lock), "what builds the package without isolation"


def test_it_runs_as_nobody_in_particular_and_writes_to_one_folder() -> None:
    [user] = of("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user), "numbers, and not root's"
    last = [line.word for line in instructions() if line.stage == 1]
    assert "RUN" not in last[last.index("USER") :], "what needs root is done before"
    uid, gid = user.split(":")
    [folder] = of("VOLUME")
    assert any(rest.startswith(f"install -d -o {uid} -g {gid} ") and rest.endswith(folder) for rest in of("RUN"))
    assert of("WORKDIR", stage=1) == [folder]


def test_every_variable_is_a_setting_and_none_is_a_secret() -> None:
    pairs = dict(pair.split("=", 1) for rest in of("ENV") for pair in rest.split())
    assert pairs.keys() - PYTHONS_OWN <= {name.upper() for name in Settings.model_fields}
    assert not {name for name in pairs if name.endswith("TOKEN")}
    [folder] = of("VOLUME")
    assert pairs["DATABASE_URL"].startswith(f"sqlite:///{folder}/")
    assert of("EXPOSE") == [pairs["METRICS_PORT"]]


def test_every_command_it_runs_is_one_of_the_program() -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    [entry], [default], [check] = of("ENTRYPOINT"), of("CMD"), of("HEALTHCHECK")
    program, asked = json.loads(check.partition(" CMD ")[2])
    assert json.loads(entry) == [program] == list(PROJECT["scripts"])
    assert {asked, *json.loads(default)} <= commands
    assert of("STOPSIGNAL") == ["SIGTERM"]
