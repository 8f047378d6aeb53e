"""Why an alert went out, waited or never came to be: one named reason for each, for the log, for /why and the tests."""

from enum import StrEnum


class Reason(StrEnum):
    """What became of an event, or of a look at a rule and a cluster that gave none."""

    # An event that goes out.
    TOLD = "told"
    GROUPED = "grouped"

    # An event that waits and is told of later, with others.
    HELD_BUDGET = "held_budget"
    HELD_QUIET = "held_quiet"
    HELD_MUTED = "held_muted"
    HELD_FLAPPING = "held_flapping"

    # A step of the state machine that gave no event.
    HOLDING = "holding"
    MISSED = "missed"
    LEFT = "left"
    HIT_AGAIN = "hit_again"
    REARMED = "rearmed"
    COOLING = "cooling"
    NOT_MORE_THAN_TOLD = "not_more_than_told"
    SNOOZED = "snoozed"
    BREAKER = "breaker"
    TRUE_WHEN_MADE = "true_when_made"

    # What is known of the data.
    STALE = "stale"
    BACK = "back"
    DUPLICATE_SLOT = "duplicate_slot"

    # Found when asked, never logged: it holds for every look that was not worth a closer one.
    PAUSED = "paused"
    NO_MAP = "no_map"
    NO_CLUSTER = "no_cluster"
    TOO_FAR = "too_far"
    TOO_WEAK = "too_weak"
    TOO_SMALL = "too_small"
    OTHER_SIDE = "other_side"
    OUT_OF_PLACE = "out_of_place"
    NO_CONFLUENCE = "no_confluence"
    GREW_TOO_LITTLE = "grew_too_little"
    TOLD_ALREADY = "told_already"
    ENDED = "ended"
    NOT_MET = "not_met"


TELLS = frozenset({Reason.TOLD, Reason.GROUPED})
"""The event is on its way."""

HELD = frozenset({Reason.HELD_BUDGET, Reason.HELD_QUIET, Reason.HELD_MUTED, Reason.HELD_FLAPPING})
"""The event waits for a message that sums up."""

TURNS = frozenset({Reason.LEFT, Reason.HIT_AGAIN})
"""Price went out of a rule's reach, or came back without an alert: what flapping is counted by."""

LASTING = frozenset({Reason.SNOOZED, Reason.BREAKER, Reason.PAUSED, Reason.NOT_MORE_THAN_TOLD})
"""A look finds them again while nothing has changed: they are logged once."""
