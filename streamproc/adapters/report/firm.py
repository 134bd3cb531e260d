"""The firm at a glance: its story as charts and tables, in one language."""

from collections.abc import Callable, Iterable, Sequence

from streamproc.adapters.report import charts
from streamproc.adapters.report.benchmarks import beside_the_field
from streamproc.adapters.report.charts import Link, Mark
from streamproc.adapters.report.document import DASH, Document, Option, Section, Table
from streamproc.desk.benchmarks import benchmarks
from streamproc.desk.report import Summary
from streamproc.desk.story import GONE, MOVED_DAYS, NEW, Flow, Point, Story
from streamproc.words import Words
from streamproc.words.terms import TERMS

YEARLY_LOSS = 0.1
"""What firms lose of their customers a year on average, to compare with."""

MINUTE, HOUR = 60, 3600


def firm_document(story: Story, now: Summary, words: Words) -> Document:
    """The report; `now` is what `status` says."""
    money = words.money
    tiles = [
        (words.say("Customers"), words.number(now.customers)),
        (words.say("Relationships (N)"), words.number(now.growth.customers)),
        (words.say("Customer equity"), money(now.customer_equity, now.currency)),
        (words.say("Value at risk"), money(now.value_at_risk, now.currency)),
        (words.say("Open warnings"), words.number(now.open_warnings)),
        (words.say("Silent and unhappy"), words.number(now.unhappy)),
        (words.say("Satisfaction, last year"), share(words, now.satisfaction)),
        (
            words.say("Cost of a new customer, by the last campaign"),
            DASH if now.acquisition_cost is None else money(now.acquisition_cost, now.currency),
        ),
    ]
    points = story.points
    sections = [
        _lifecycle(story.flows, words),
        _churn(points, words),
        _pyramid(story, words),
        _segments(story, words),
        _concentration(story, now, words),
        _growth(points, story.currency, words),
        _content(points, words),
        _complaints(points, words),
        _causes(story.losses, words),
        _equity(points, story.currency, words),
        _acquisition(points, story.currency, words),
        beside_the_field(benchmarks(story), story.currency, words),
    ]
    clock = DASH if now.clock is None else words.moment(now.clock)
    return Document(
        language=words.language,
        title=words.say("The firm at a glance"),
        subtitle=words.say(
            "As of {clock}. Amounts in {currency}; {days} without a purchase count as lost.",
            clock=clock,
            currency=story.currency,
            days=words.days(now.horizon_days),
        ),
        tiles=tiles,
        sections=sections,
        figures=words.say("The figures"),
        untold=words.say("Nothing is told of it yet."),
    )


def share(words: Words, value: float | None) -> str:
    """A share in percent, a dash where there is none."""
    return DASH if value is None else words.share(value)


def coded(words: Words, kind: str, code: str) -> str:
    """The term of a code, also where it cannot be told."""
    return words.say("unknown") if code == "unknown" else words.term(kind, code)


def percent(value: float | None) -> float | None:
    """A share as a number of percent for a chart."""
    return None if value is None else round(100 * value, 2)


def _months(points: Sequence[Point]) -> list[str]:
    return [point.month for point in points]


def _by_code(
    points: Sequence[Point], kind: str, words: Words, counts: Callable[[Point], dict[str, int]]
) -> dict[str, list[float | None]]:
    """Counts over the months, a series a code that ever came."""
    seen = {code for point in points for code in counts(point)}
    known = [code for code in TERMS[kind] if code in seen]
    codes = known + sorted(seen - set(known))
    return {coded(words, kind, code): [counts(point).get(code, 0) for point in points] for code in codes}


def _table(points: Sequence[Point], words: Words, columns: dict[str, list[str]]) -> Table:
    """A row a month."""
    rows = [(point.month, *(cells[n] for cells in columns.values())) for n, point in enumerate(points)]
    return Table((words.say("Month"), *columns), rows)


def _counted(words: Words, series: dict[str, list[float | None]]) -> dict[str, list[str]]:
    return {name: [DASH if v is None else words.number(v) for v in values] for name, values in series.items()}


# ---------------------------------------------------------------------------------------------------- flows


def _lifecycle(flows: Sequence[Flow], words: Words) -> Section:
    return Section(
        words.say("Lifecycle"),
        words.say("Every step of a customer from one stage to another since the beginning of the journal."),
        (charts.flow(words.say("Customers moving on"), _stages(flows, words)),) if flows else (),
        Table(
            (words.say("From"), words.say("To"), words.say("Customers")),
            [
                (words.term("stage", f.before), _after(f, words), words.number(f.customers))
                for f in flows
            ],
        ),
    )  # fmt: skip


def _stages(flows: Iterable[Flow], words: Words) -> Iterable[Link]:
    """What leads back gets an end of its own, so that nothing runs in a circle."""
    for f in flows:
        yield Link(words.term("stage", f.before), _after(f, words), f.customers)


def _after(moved: Flow, words: Words) -> str:
    term, order = words.term("stage", moved.after), list(TERMS["stage"])
    if moved.won_back:
        return words.say("won back: {stage}", stage=term)
    if order.index(moved.after) < order.index(moved.before):
        return words.say("back to: {stage}", stage=term)
    return term


def _moved(title: str, flows: Sequence[Flow], kind: str, words: Words) -> tuple[Option, ...]:
    """Between two times; both sides have ends of their own."""

    def named(code: str) -> str:
        return {NEW: words.say("new customers"), GONE: words.term("stage", "lost")}.get(code) or coded(
            words, kind, code
        )

    links = [Link(words.say("{name}, before", name=named(f.before)), named(f.after), f.customers) for f in flows]
    return (charts.flow(title, links),) if links else ()


def _pyramid(story: Story, words: Words) -> Section:
    counts = _by_code(story.points, "tier", words, lambda point: point.tiers)
    moved = words.say("Between tiers, last {days}", days=words.days(MOVED_DAYS))
    return Section(
        words.say("Customer pyramid"),
        words.say("Platinum, gold, iron and lead at the end of each month, by the last look at each customer."),
        (charts.bars(words.say("Customers by tier"), _months(story.points), counts),
         *_moved(moved, story.tiers_moved, "tier", words)),
        _table(story.points, words, _counted(words, counts)),
    )  # fmt: skip


def _segments(story: Story, words: Words) -> Section:
    counts = _by_code(story.points, "segment", words, lambda point: point.segments)
    moved = words.say("Between segments, last {days}", days=words.days(MOVED_DAYS))
    return Section(
        words.say("Five segments"),
        words.say("By what they bring and what they mean to the firm."),
        (charts.bars(words.say("Customers by segment"), _months(story.points), counts),
         *_moved(moved, story.segments_moved, "segment", words)),
        _table(story.points, words, _counted(words, counts)),
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------- rates


def _churn(points: Sequence[Point], words: Words) -> Section:
    codes = [code for code in (*TERMS["grade"], "all") if any(code in point.churn for point in points)]
    rates = {
        words.say("all customers") if code == "all" else words.term("grade", code): [p.churn.get(code) for p in points]
        for code in codes
    }
    monthly = 1 - (1 - YEARLY_LOSS) ** (1 / 12)
    compared = words.say("for comparison: {share} a year", share=words.share(YEARLY_LOSS))
    drawn = {name: [percent(rate) for rate in values] for name, values in rates.items()}
    drawn[compared] = [percent(monthly)] * len(points)
    return Section(
        words.say("Churn rate by grade"),
        words.say("Customers lost in the month, as a share of those of the grade when it began."),
        (charts.lines(words.say("Lost a month"), _months(points), drawn, " %"),),
        _table(points, words, {name: [share(words, rate) for rate in values] for name, values in rates.items()}),
    )  # fmt: skip


def _concentration(story: Story, now: Summary, words: Words) -> Section:
    step = 100 / max(1, len(story.revenue_curve or story.contribution_curve) - 1)
    told = {words.say("revenue"): story.revenue_curve, words.say("contribution"): story.contribution_curve}
    series = {
        name: [(n * step, round(100 * value, 2)) for n, value in enumerate(curve)]
        for name, curve in told.items()
        if curve
    }
    marks = [
        Mark(words.say("{share} of revenue from the top {top}", share=words.share(0.8), top=words.share(0.2)), 20, 80),
        Mark(words.say("{share} of profit from the top {top}", share=words.share(1.5), top=words.share(0.2)), 20, 150),
        Mark(
            words.say("{share} of profit from the bottom {bottom}", share=words.share(-0.5), bottom=words.share(0.3)),
            70,
            150,
        ),
    ]
    axes = words.say("customers, the best first"), words.say("share of the total")
    chart = charts.curves(words.say("Who brings how much"), axes, series, (words.say("figures of the field"), marks))
    shares = [
        (words.say("revenue"), share(words, now.revenue_shares.top_20), share(words, now.revenue_shares.bottom_30)),
        (
            words.say("contribution"),
            share(words, now.contribution_shares.top_20),
            share(words, now.contribution_shares.bottom_30),
        ),
        (words.say("figures of the field, revenue"), words.share(0.8), DASH),
        (words.say("figures of the field, profit"), words.share(1.5), words.share(-0.5)),
    ]
    return Section(
        words.say("Concentration"),
        words.say("How much of the last year's total the best customers bring. Above 100 %, the others cost the firm."),
        (chart,) if series else (),
        Table(("", words.say("top 20 %"), words.say("bottom 30 %")), shares),
    )


def _growth(points: Sequence[Point], currency: str, words: Words) -> Section:
    months = _months(points)
    n, t = words.say("Relationships (N)"), words.say("Mean time as a customer (t)")
    d, breadth = words.say("Revenue a customer, last year (D)"), words.say("Categories a customer (D)")
    told = [point.growth for point in points]
    revenue = [None if g.revenue_a_customer is None else float(g.revenue_a_customer) for g in told]
    return Section(
        words.say("Three dimensions of growth"),
        words.say("More relationships, longer ones, deeper ones."),
        (
            charts.lines(n, months, {n: [g.customers for g in told]}),
            charts.lines(t, months, {words.say("days"): [g.mean_tenure_days for g in told]}),
            charts.lines(d, months, {currency: revenue}),
            charts.lines(breadth, months, {breadth: [g.categories_a_customer for g in told]}),
        ),
        _table(
            points,
            words,
            {
                n: [words.number(g.customers) for g in told],
                t: [DASH if g.mean_tenure_days is None else words.days(round(g.mean_tenure_days)) for g in told],
                d: [_money(words, g.revenue_a_customer, currency) for g in told],
                breadth: [
                    DASH if g.categories_a_customer is None else words.number(g.categories_a_customer) for g in told
                ],
            },
        ),
    )


def _money(words: Words, amount: str | None, currency: str) -> str:
    return DASH if amount is None else words.money(amount, currency)


# ---------------------------------------------------------------------------------------------------- content


def _content(points: Sequence[Point], words: Words) -> Section:
    months, told = _months(points), [point.service for point in points]
    satisfied = [point.satisfaction for point in points]
    accurate, reliable = words.term("service", "accurate"), words.term("service", "reliable")
    timely, consistent = words.term("service", "timely"), words.term("service", "consistent")
    waits = [None if s.mean_wait_s is None else round(s.mean_wait_s / MINUTE, 2) for s in told]
    answers = [None if s.mean_answer_s is None else round(s.mean_answer_s / HOUR, 2) for s in told]
    spread = [None if s.spread is None else round(s.spread, 2) for s in told]
    wait_name, answer_name = words.say("minutes waited"), words.say("hours to answer a complaint")
    points_name = words.say("points of spread")
    satisfaction = words.say("satisfaction")
    shares = {satisfaction: satisfied, accurate: [s.accurate for s in told], reliable: [s.reliable for s in told]}
    return Section(
        words.say("Satisfaction and service"),
        words.say("Over the last year: what was perceived over what was expected, and the four properties of service."),
        (
            charts.lines(
                words.say("Satisfied, solved the first time, not repeated"),
                months,
                {name: [percent(value) for value in values] for name, values in shares.items()},
                " %",
            ),
            charts.lines(words.say("Satisfaction by grade"), months, _satisfied_by_grade(points, words), " %"),
            charts.lines(timely, months, {wait_name: waits, answer_name: answers}),
            charts.lines(consistent, months, {points_name: spread}),
        ),
        _table(
            points,
            words,
            {name: [share(words, value) for value in values] for name, values in shares.items()}
            | _counted(words, {wait_name: waits, answer_name: answers, points_name: spread}),
        ),
    )


def _satisfied_by_grade(points: Sequence[Point], words: Words) -> dict[str, list[float | None]]:
    grades = sorted({grade for point in points for grade in point.satisfaction_by_grade})
    return {
        words.term("grade", grade): [percent(point.satisfaction_by_grade.get(grade)) for point in points]
        for grade in grades
    }


def _complaints(points: Sequence[Point], words: Words) -> Section:
    counts = _by_code(points, "cause", words, lambda point: point.complaints)
    return Section(
        words.say("Complaints by category"),
        words.say("Complaints heard for the first time, by month."),
        (charts.bars(words.say("Complaints a month"), _months(points), counts),) if counts else (),
        _table(points, words, _counted(words, counts)),
    )


def _causes(losses: dict[str, dict[str, int]], words: Words) -> Section:
    causes = sorted(losses, key=lambda cause: (-sum(losses[cause].values()), cause))
    grades = sorted({grade for counts in losses.values() for grade in counts})
    series = {coded(words, "grade", g): [losses[cause].get(g, 0) for cause in causes] for g in grades}
    names = [coded(words, "cause", cause) for cause in causes]
    return Section(
        words.say("Causes of the lost"),
        words.say("The likeliest cause of everybody lost in the last two years, by the grade they had."),
        (charts.rows(words.say("Lost by cause"), names, series),) if names else (),
        Table(
            (words.say("Cause"), *series),
            [(name, *(words.number(v[n]) for v in series.values())) for n, name in enumerate(names)],
        ),
    )


# ---------------------------------------------------------------------------------------------------- value


def _equity(points: Sequence[Point], currency: str, words: Words) -> Section:
    equity, at_risk = words.say("Customer equity"), words.say("Value at risk")
    columns = {equity: [point.equity for point in points], at_risk: [point.at_risk for point in points]}
    return Section(
        words.say("Equity and value at risk"),
        words.say("The sum of all lifetime values, and the expected loss over the open warnings."),
        tuple(charts.lines(name, _months(points), {currency: [*map(float, v)]}) for name, v in columns.items()),
        _table(points, words, {name: [_money(words, v, currency) for v in values] for name, values in columns.items()}),
    )


def _acquisition(points: Sequence[Point], currency: str, words: Words) -> Section:
    cost, value = words.say("Cost of a new customer"), words.say("Mean lifetime value")
    costs = [point.acquisition_cost for point in points]
    values = [None if point.lifetime_value is None else float(point.lifetime_value) for point in points]
    return Section(
        words.say("Acquisition cost against lifetime value"),
        words.say("What a new customer costs by the last campaign told, beside what a customer is worth on average."),
        (charts.columns(words.say("In {currency}", currency=currency), _months(points), {cost: costs, value: values}),),
        _table(
            points,
            words,
            {
                cost: [_money(words, None if c is None else f"{c:.2f}", currency) for c in costs],
                value: [_money(words, point.lifetime_value, currency) for point in points],
            },
        ),
    )
