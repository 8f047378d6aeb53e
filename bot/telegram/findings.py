"""What is wrong with a bot, as /healthz, /admin, `liqwatch doctor` and the metrics all tell it."""

from dataclasses import dataclass
from enum import StrEnum

from bot.telegram.texts import Html, Texts


class Trouble(StrEnum):
    """Each has its text in the catalogue, and one figure in the metrics."""

    LOOP_STILL = "loop_still"
    JOB_STUCK = "job_stuck"
    JOB_SILENT = "job_silent"
    BLIND = "blind"
    DATABASE_SILENT = "database_silent"
    DATABASE_REFUSES = "database_refuses"
    UNDELIVERED = "undelivered"
    NO_PRICES = "no_prices"
    DEAF = "deaf"


_SENTENCES = {
    Trouble.LOOP_STILL: "the event loop has stood still for {seconds:.0f} s",
    Trouble.JOB_STUCK: "the job {subject} has not ended in {seconds:.0f} s",
    Trouble.JOB_SILENT: "the job {subject} has not ended well for {seconds:.0f} s",
    Trouble.BLIND: "health was last looked at {seconds:.0f} s ago",
    Trouble.DATABASE_SILENT: "the database does not answer",
    Trouble.DATABASE_REFUSES: "{subject}",
    Trouble.UNDELIVERED: "a message has waited {seconds:.0f} s to be delivered",
    Trouble.NO_PRICES: "no exchange gives fresh prices",
    Trouble.DEAF: "Telegram is not heard ({subject})",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: for how long, and with what, where that says something."""

    trouble: Trouble
    subject: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        """A few words, in English."""
        return _SENTENCES[self.trouble].format(subject=self.subject, seconds=self.seconds)


def finding_words(finding: Finding, texts: Texts) -> Html:
    """The finding in the reader's language."""
    long = texts.figures.duration(max(1000, round(finding.seconds) * 1000))
    return texts.of("finding", finding.trouble, subject=finding.subject, long=long)
