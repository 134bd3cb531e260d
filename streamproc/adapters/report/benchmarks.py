"""The firm's own figures beside those of the field, as a table of the report."""

from streamproc.adapters.report.document import DASH, Section, Table
from streamproc.desk import benchmarks as field
from streamproc.desk.benchmarks import Benchmarks
from streamproc.words import Words


def beside_the_field(ours: Benchmarks, currency: str, words: Words) -> Section:
    """One row a figure; a dash where the firm cannot be measured."""
    least, most = (words.share(share) for share in field.PROFIT_OF_LESS_CHURN)
    keeping = DASH if ours.keeping_cost is None else words.money(f"{ours.keeping_cost:.2f}", currency)
    rows = [
        (words.say("Customers lost a year"), _share(words, ours.yearly_churn), words.share(field.YEARLY_CHURN)),
        (
            words.say("More lifetime value with {points} percentage points less of it", points=words.number(5)),
            _share(words, ours.profit_of_less_churn),
            words.say("{least} to {most} more profit", least=least, most=most),
        ),
        (
            words.say("What keeping a customer may cost"),
            keeping,
            words.say("winning one costs {n} times keeping one", n=words.number(field.WINNING_TO_KEEPING)),
        ),
        (
            words.say("Targets who bought"),
            _share(words, ours.prospects_who_buy),
            words.say("{share} of prospects", share=words.share(field.PROSPECTS_WHO_BUY)),
        ),
        (
            words.say("First-time buyers who bought again"),
            _share(words, ours.first_time_who_buy_again),
            words.share(field.FIRST_TIME_WHO_BUY_AGAIN),
        ),
        (
            words.say("Others swayed by the unhappy of the last year"),
            words.number(ours.swayed),
            words.say("{n} by each", n=words.number(field.SWAYED_BY_ONE_UNHAPPY)),
        ),
    ]
    return Section(
        words.say("Beside the figures of the field"),
        words.say("What is known of firms in general, and what this one shows of itself."),
        (),
        Table((words.say("Figure"), words.say("here"), words.say("the field")), rows),
    )


def _share(words: Words, value: float | None) -> str:
    return DASH if value is None else words.share(value)
