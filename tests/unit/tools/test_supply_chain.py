"""What the bot is made of: pinned with hashes, justified, licensed, and told truly."""

import json
import re
import tomllib

import pytest

from tools.audit import Answer, audit
from tools.licences import with_paragraph
from tools.locks import PROJECT, ROOT, RUN, SCALE, Locked, licence, read_lock
from tools.sbom import bill, main

DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = (RUN, SCALE, "requirements-dev.lock", "requirements-audit.lock")
MOST_PACKAGES = 60
"""Of those that the bot runs on: each more is one more to trust."""


def declared() -> set[str]:
    extras = [one for group in DECLARED["optional-dependencies"].values() for one in group]
    return {re.split(r"[\[<>=]", one)[0] for one in (*DECLARED["dependencies"], *extras)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_is_pinned_with_hashes(lock: str) -> None:
    packages = read_lock(ROOT / lock)
    assert len(packages) > 5
    assert all(one.hashes and one.version for one in packages)
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert text.count("--hash=") == sum(len(one.hashes) for one in packages), "none was overlooked"


def test_the_larger_locks_agree_with_the_smaller() -> None:
    small, middle, large = ({(one.name, one.version) for one in read_lock(ROOT / lock)} for lock in LOCKS[:3])
    assert small <= middle <= large


def test_each_direct_dependency_is_justified_in_one_line_and_no_other() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| ([a-z0-9-]+) \| (.+) \|$", page)
    justified = {name for name, _ in rows if name != "package"}
    assert justified == declared()
    assert all(len(why) > 10 for name, why in rows if name != "package")


def test_what_the_bot_runs_on_stays_few() -> None:
    assert len({one.name for one in read_lock(ROOT / SCALE)}) <= MOST_PACKAGES


def test_the_readme_lists_the_licences_as_they_are() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_paragraph(page) == page, "run make licences"
    for name in {one.name for one in read_lock(ROOT / SCALE)}:
        assert re.search(rf"[:,] {re.escape(name)}(,|$)", page, flags=re.MULTILINE), name


def test_no_package_stands_under_a_licence_that_forbids_running_it_for_others() -> None:
    licences = {licence(one.name) for one in read_lock(ROOT / SCALE)}
    assert not {one for one in licences if re.search(r"(?<!L)A?GPL|SSPL|BUSL|Commons", one)}


def test_an_unknown_licence_is_said_and_not_guessed() -> None:
    with pytest.raises(LookupError, match="nobody-ever-wrote-this is not installed here"):
        licence("nobody-ever-wrote-this")


def test_the_bill_of_materials_names_every_package_once_and_who_needs_whom() -> None:
    packages = read_lock(ROOT / SCALE)
    content = bill(packages, version="1.2.3")
    assert (content["bomFormat"], content["specVersion"]) == ("CycloneDX", "1.6")
    refs = [one["bom-ref"] for one in content["components"]]
    assert len(refs) == len(set(refs)) == len(packages)
    known = {*refs, f"pkg:pypi/{PROJECT}@1.2.3"}
    needs = {one["ref"]: one["dependsOn"] for one in content["dependencies"]}
    assert needs.keys() == known
    assert {ref for wanted in needs.values() for ref in wanted} == set(refs), "every package is needed by some other"
    direct = {ref.split("@")[0].removeprefix("pkg:pypi/") for ref in needs[f"pkg:pypi/{PROJECT}@1.2.3"]}
    runs_on = {re.split(r"[\[<>=]", one)[0] for one in DECLARED["dependencies"]}
    assert runs_on <= direct <= declared()
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", content["serialNumber"])


def test_the_same_lock_gives_the_same_bill(tmp_path_factory: pytest.TempPathFactory) -> None:
    one, two = (tmp_path_factory.mktemp("bill") / "sbom.json" for _ in range(2))
    for target in (one, two):
        main(target)
    assert one.read_bytes() == two.read_bytes()
    changed = [Locked("numpy", "9.9.9", "", ("0" * 64,), (PROJECT,))]
    assert bill(changed, version="1")["serialNumber"] != json.loads(one.read_text(encoding="utf-8"))["serialNumber"]


SOUND = json.dumps({"dependencies": [{"name": "numpy", "version": "2.2.0", "vulns": []}]})
FLAWED = json.dumps(
    {
        "dependencies": [
            {"name": "httpx", "version": "0.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2"]}]},
            {"name": "mako", "version": "1", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]},
        ]
    }
)
PASSED_OVER = [{"name": name, "skip_reason": "not on the index"} for name in ("mako", "babel")]
SKIPPED = json.dumps({"dependencies": [*PASSED_OVER, {"name": "numpy", "version": "2.2.0", "vulns": []}]})


class TestAudit:
    """The wrapper around pip-audit, whose own exit code does not tell a flaw from a service that is away."""

    def test_no_flaw_is_0(self) -> None:
        assert audit(["a.lock"], lambda lock: Answer(SOUND, "")) == (0, ["no known vulnerability in a.lock"])

    def test_flaws_are_1_and_each_is_told_once_with_what_mends_it(self) -> None:
        code, said = audit(["a.lock", "b.lock"], lambda lock: Answer(FLAWED, "Found 2 known vulnerabilities"))
        assert code == 1
        assert said == ["httpx 0.1: PYSEC-1, mended in: 0.2", "mako 1: PYSEC-2, mended in: none yet"]

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (Answer("", "Traceback\nConnectionError: no route\n"), "ConnectionError: no route"),
            (Answer("", ""), "it said nothing"),
            (Answer("[]", "odd"), "odd"),
        ],
    )
    def test_a_service_that_does_not_answer_is_2_in_one_line(self, answer: Answer, why: str) -> None:
        assert audit(["a.lock"], lambda lock: answer) == (2, [f"could not tell of a.lock: {why}"])

    def test_packages_that_were_passed_over_are_not_called_sound(self) -> None:
        code, [line] = audit(["a.lock"], lambda lock: Answer(SKIPPED, ""))
        assert (code, line) == (2, "could not tell of 2 of 3 packages of a.lock: not on the index")

    def test_a_flaw_counts_more_than_a_service_that_is_away(self) -> None:
        answers = {"a.lock": Answer("", "away"), "b.lock": Answer(FLAWED, "")}
        code, said = audit(["a.lock", "b.lock"], answers.__getitem__)
        assert code == 1
        assert said[-1] == "could not tell of a.lock: away"
