"""The numbers that place and value a customer are the policy's, and a look goes by those in force."""

from streamproc.core.lifecycle import Stage, StageRules
from streamproc.core.policy import Policy
from streamproc.core.value import ValueRules
from streamproc.monitor.effects import Looked, Transition
from streamproc.testing.events import bought, on
from tests.monitor.bench import Bench


def stages(policy: Policy | None) -> list[Stage]:
    bench = Bench(policy=policy)
    bench.read([bought(on(day), 5_000) for day in (0, 10, 20)])
    bench.run_to(on(700))
    return [effect.after for effect in bench.all(Transition)]


def test_stages_go_by_the_policy_s_numbers() -> None:
    assert stages(None) == [Stage.FIRST_TIME, Stage.REPEAT, Stage.LOST, Stage.PERMANENTLY_LOST]
    slow = Policy(stages=StageRules(repeat_orders=4, loyal_orders=5))
    assert stages(slow) == [Stage.FIRST_TIME, Stage.LOST, Stage.PERMANENTLY_LOST]
    long = Policy(stages=StageRules(permanently_lost_days=2_000))
    assert stages(long) == [Stage.FIRST_TIME, Stage.REPEAT, Stage.LOST]


def test_what_a_customer_is_worth_goes_by_the_policy_s_numbers() -> None:
    def lifetime(policy: Policy | None) -> int:
        bench = Bench(policy=policy)
        bench.read([bought(on(day), 5_000) for day in (0, 10, 20)])
        bench.run_to(on(25))
        [*_, told] = [look.figures for look in bench.all(Looked) if look.figures is not None]
        return told.lifetime_value

    usual = lifetime(None)
    assert lifetime(Policy(value=ValueRules(assumed_cost_share=0.4))) == 2 * usual
    assert lifetime(Policy(value=ValueRules(discount=0.05))) < usual
