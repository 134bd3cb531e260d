"""Likely causes and what to do about them, as sentences."""

from collections.abc import Sequence

from streamproc.words.language import Words
from streamproc.words.shapes import Cause, Clue, Step, Texts


def cause_said(words: Words, cause: Cause) -> str:
    """A cause with its strength, and how a service was poor where that is told."""
    name = words.term("cause", cause.cause)
    if cause.manner is not None:
        name = words.say("{cause} ({manner})", cause=name, manner=words.term("manner", cause.manner))
    return words.say("Likely cause: {cause}, strength {share}", cause=name, share=words.share(cause.strength))


def no_cause_said(words: Words) -> str:
    """What stands where no cause has left evidence."""
    return words.say("Likely cause: not known")


def _clue_said(words: Words, clue: Clue) -> str:
    """A piece of evidence: what it is, when, and its event's id where there is one."""
    what = words.term("clue", clue.sign)
    if clue.sign == "price_raised" and clue.size is not None:
        what = words.say("list price raised by {share}", share=words.share(clue.size))
    when = words.date(clue.occurred_at)
    if clue.event_id is None:
        return words.say("{what} on {date}", what=what, date=when)
    return words.say("{what} on {date} ({id})", what=what, date=when, id=clue.event_id)


def clues_said(words: Words, cause: Cause) -> str:
    """All of a cause's evidence."""
    return words.say("; ").join(_clue_said(words, clue) for clue in cause.evidence)


def step_said(words: Words, step: Step) -> str:
    """What to do, who does it, and until when."""
    what, who = (step.en, step.role_en) if words.language == "en" else (step.zh, step.role_zh)
    if step.tie is not None:
        what = words.say("{what} [{tie}]", what=what, tie=words.term("tie", step.tie))
    return words.say("By {time}, {who}: {what}", time=words.moment(step.due_by), who=who, what=what)


def stance_said(words: Words, stance: Texts) -> str:
    """How customers like this one are treated."""
    return stance.en if words.language == "en" else stance.zh


def first_steps(steps: Sequence[Step], at_most: int) -> list[Step]:
    """The steps that are due first."""
    return sorted(steps, key=lambda step: step.due_by)[:at_most]
