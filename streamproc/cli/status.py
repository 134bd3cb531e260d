"""`streamproc status`: the whole base at a glance."""

from collections import Counter

from rich.table import Table

from streamproc.cli.common import ConfigOption, DataOption, JsonOption, LanguageOption, Screen, command, print_json
from streamproc.cli.customer import print_pairs
from streamproc.cli.home import home_of
from streamproc.desk.report import Summary
from streamproc.monitor.blame import UNKNOWN
from streamproc.words import service_lines
from streamproc.words.terms import TERMS


def status(
    *, json: JsonOption = False, data: DataOption = None, lang: LanguageOption = None, config: ConfigOption = None
) -> None:
    """The whole base at a glance: clock, customers by stage and grade, what is at risk, the model, how warnings fared.

    Where Kafka brokers are set and no `--data` is given, the cluster is asked.

    For example:

        streamproc status
        streamproc status --json | jq .value_at_risk
    """
    with command(config, data, lang) as screen, home_of(screen.settings, data) as home:
        summary = home.summary()
        if json:
            print_json(summary)
        else:
            _show(screen, summary)


def _show(screen: Screen, summary: Summary) -> None:
    words = screen.words
    clock = "-" if summary.clock is None else words.moment(summary.clock)
    print_pairs(
        screen,
        [
            (words.say("Clock"), f"{clock} ({words.term('clock', summary.mode)})"),
            (words.say("Journal records"), words.number(summary.records)),
            (words.say("Customers"), words.number(summary.customers)),
            (words.say("Customer equity"), words.money(summary.customer_equity, summary.currency)),
            (words.say("Value at risk"), words.money(summary.value_at_risk, summary.currency)),
            (words.say("Cost of a new customer, by the last campaign"), _cost(screen, summary)),
            (words.say("Open warnings"), words.number(summary.open_warnings)),
            (words.say("Warnings judged"), _judged(screen, summary)),
            (words.say("Revenue of the top 20 %"), _share(screen, summary.revenue_shares.top_20)),
            (words.say("Contribution of the top 20 %"), _share(screen, summary.contribution_shares.top_20)),
            (words.say("Contribution of the bottom 30 %"), _share(screen, summary.contribution_shares.bottom_30)),
            *_growth(screen, summary),
            (words.say("Satisfaction, last year"), _share(screen, summary.satisfaction)),
            *_by_grade(screen, summary),
            *service_lines(words, summary.service),
            (words.say("Silent and unhappy"), words.number(summary.unhappy)),
            (words.say("Model"), _model(screen, summary)),
            (words.say("Dead letters"), words.number(summary.dead_letters)),
        ],
    )
    table = Table.grid(padding=(0, 2))
    for kind, counts in (("stage", summary.stages), ("grade", summary.grades)):
        for code in TERMS[kind]:
            if code in counts:
                table.add_row(words.number(counts[code]), words.term(kind, code))
    screen.line()
    screen.out.print(table)
    _losses(screen, summary)


def _losses(screen: Screen, summary: Summary) -> None:
    """Why customers were lost, over the months kept."""
    words = screen.words
    causes = Counter[str]()
    for loss in summary.losses:
        causes[loss.cause] += loss.customers
    if not causes:
        return
    table = Table.grid(padding=(0, 2))
    for cause, n in sorted(causes.items(), key=lambda item: (item[0] == UNKNOWN, -item[1], item[0])):
        name = words.say("cause not known") if cause == UNKNOWN else words.term("cause", cause)
        table.add_row(words.number(n), name)
    screen.line()
    screen.line(words.say("Lost in the last two years, by likely cause"), "bold")
    screen.out.print(table)


def _growth(screen: Screen, summary: Summary) -> list[tuple[str, str]]:
    words, told = screen.words, summary.growth
    tenure, revenue, breadth = told.mean_tenure_days, told.revenue_a_customer, told.categories_a_customer
    return [
        (words.say("Relationships (N)"), words.number(told.customers)),
        (words.say("Mean time as a customer (t)"), "-" if tenure is None else words.days(round(tenure))),
        (
            words.say("Revenue a customer, last year (D)"),
            "-" if revenue is None else words.money(revenue, summary.currency),
        ),
        (words.say("Categories a customer (D)"), "-" if breadth is None else words.number(breadth)),
    ]


def _by_grade(screen: Screen, summary: Summary) -> list[tuple[str, str]]:
    words, found = screen.words, summary.satisfaction_by_grade
    said = words.say("; ").join(
        words.say("{name}: {text}", name=words.term("grade", grade), text=words.share(share))
        for grade, share in found.items()
    )
    return [(words.say("Satisfaction by grade"), said)] if found else []


def _judged(screen: Screen, summary: Summary) -> str:
    words = screen.words
    right, judged = summary.verdicts["right"], sum(summary.verdicts.values())
    if not judged:
        return words.say("none yet")
    return words.say("{n}, {share} of them right", n=words.number(judged), share=words.share(right / judged))


def _cost(screen: Screen, summary: Summary) -> str:
    cost = summary.acquisition_cost
    return "-" if cost is None else screen.words.money(cost, summary.currency)


def _share(screen: Screen, share: float | None) -> str:
    return "-" if share is None else screen.words.share(share)


def _model(screen: Screen, summary: Summary) -> str:
    words, model = screen.words, summary.model
    outcomes = words.count("{n} outcome", "{n} outcomes", model.examples)
    text = f"{model.id} ({words.term('speaks', model.speaks)}; {outcomes})"
    return f"{text}, {words.say('pinned')}" if model.pinned else text
