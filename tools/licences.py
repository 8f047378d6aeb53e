"""`make licences`: writes into README.md under which licences the packages stand that the bot runs on."""

from collections import defaultdict
from collections.abc import Iterable

from tools.locks import ROOT, SCALE, licence, read_lock

BEGIN, END = "<!-- licences: made by `make licences` -->", "<!-- end of licences -->"


def paragraph(names: Iterable[str]) -> str:
    """Licences with their packages, the commonest first."""
    by_licence: dict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        by_licence[licence(name)].append(name)
    ordered = sorted(by_licence.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return "\n".join(f"- {name}: {', '.join(packages)}" for name, packages in ordered)


def with_paragraph(readme: str) -> str:
    """The README with the list as it is now. Raises ValueError where it has no place for it."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md has no {BEGIN} … {END}")
    listed = paragraph(one.name for one in read_lock(ROOT / SCALE))
    return f"{before}{begin}\n{listed}\n{end}{after}"


if __name__ == "__main__":
    page = ROOT / "README.md"
    page.write_text(with_paragraph(page.read_text(encoding="utf-8")), encoding="utf-8")
