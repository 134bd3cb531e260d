"""Orders, corrections and returns as lines of the purchases feed."""

from math import exp
from random import Random

from streamproc.core.time import DAY, HOUR, SECOND
from streamproc.simulate.person import CONSUMER, Person
from streamproc.simulate.records import PURCHASES, Pen, clock_text, members, money_text
from streamproc.simulate.shop import chance
from streamproc.simulate.world import CATEGORIES, FOREIGN, RATE, World

_AT_HOME = 0.75  # share of orders in the customer's own category
_CANCELLED = 0.004
_CORRECTED = 0.006
_RAIDED_ORDERS = 0.4  # share of orders that go to the dealer from another region, once there is one
_WHOLE_RETURNED = 0.6
_CHOICE_SEEN = 0.6  # share of consumers' orders where the time taken to choose is known
_LEAST = 100  # cents
_YEAR = 365 * DAY


class Till:
    """Rings up the orders of one customer.

    `raided_at` (µs) is when they last bought from a dealer of another region, None for never.
    """

    __slots__ = ("_currency", "_pen", "_person", "_raider", "_rng", "_world", "raided_at")

    def __init__(self, world: World, person: Person, pen: Pen, rng: Random) -> None:
        self._world, self._person, self._pen, self._rng = world, person, pen, rng
        self._currency = FOREIGN if person.wallet.foreign else world.shop.currency
        self._raider = None if person.dealer is None else world.raiders.get(person.region)
        self.raided_at: int | None = None

    def order(self, at: int, appetite: float, pressure: float) -> tuple[bool, int]:
        """Write an order; `appetite` scales its amount, `pressure` (0-1) the time taken to choose.

        Answers whether it stands (is not cancelled) and its amount in cents.
        """
        rng, person, pen = self._rng, self._person, self._pen
        wallet, consumer = person.wallet, person.kind is CONSUMER
        category = person.category if chance(rng, _AT_HOME) else rng.choice(CATEGORIES)
        units = wallet.level * appetite * exp(rng.gauss(0, wallet.spread))
        units *= self._world.price_index(person.category, at)
        listed = max(_LEAST, int(units / RATE if wallet.foreign else units))
        price, amount = self._price(listed, at)
        quantity = 1 + int(rng.expovariate(1.0 if consumer else 0.1))
        body = (
            f',"quantity":{quantity},"category":"{category}","channel":"{person.channel}"'
            f',"region":"{person.region}"{pen.about}'
        )
        if person.dealer is not None:
            body += f',"dealer_id":"{self._seller(at, person.dealer)}"'
        if person.contract:
            years = (at - person.arrives_at) // _YEAR + 1
            body += f',"contract_until":"{clock_text(person.arrives_at + years * _YEAR)}"'
        if consumer and chance(rng, _CHOICE_SEEN):
            body += f',"deliberation_s":{int(exp(rng.gauss(6.5, 0.9)) * (1 + 2 * pressure))}'
        order_id = f',"order_id":"o{pen.next_ref()}"'
        pen.put(at, PURCHASES, order_id + price + body)
        return self._afterthought(at, order_id, listed, body), amount

    def _price(self, listed: int, at: int) -> tuple[str, int]:
        """The members that speak of money, and the amount paid, both in the customer's currency."""
        rng, wallet = self._rng, self._person.wallet
        amount, extra = listed, ""
        over = wallet.price_loyal and at >= self._world.discounts_end_at
        if not over and chance(rng, wallet.discounted):
            amount = listed * rng.randrange(60, 91, 5) // 100
        if amount < listed or self._person.invoiced():
            extra = f',"list_amount":{money_text(listed)}'
        if wallet.member and chance(rng, 0.15):
            extra += f',"reward_amount":{money_text(amount // 20)}'
        if wallet.cost:
            extra += f',"cost":{money_text(int(listed * wallet.cost))}'
        return f',"amount":{money_text(amount)},"currency":"{self._currency}"{extra}', amount

    def _seller(self, at: int, own: int) -> str:
        raider = self._raider
        if raider is not None and at >= (raider.raids_from or 0) and chance(self._rng, _RAIDED_ORDERS):
            self.raided_at = at
            return raider.dealer_id
        return self._world.dealers[own].dealer_id

    def _afterthought(self, at: int, order_id: str, listed: int, body: str) -> bool:
        """A few orders are corrected or cancelled within hours; False if cancelled."""
        dial = self._rng.random()
        if dial > _CORRECTED + _CANCELLED:
            return True
        later = at + self._rng.randrange(60, 7200) * SECOND
        price, _ = self._price(listed * self._rng.randrange(70, 120) // 100, at)
        if dial < _CANCELLED:
            cancelled = f'{order_id},"revision":1,"cancelled":true{price}{body}'
            return not self._pen.put(later, PURCHASES, cancelled)
        self._pen.put(later, PURCHASES, f'{order_id},"revision":1{price}{body}')
        return True

    def give_back(self, at: int, amount: int) -> bool:
        """Return goods of an order of `amount` cents some days later; False if that is past the end."""
        rng = self._rng
        later = at + rng.randrange(2, 18) * DAY + rng.randrange(12) * HOUR
        part = amount if chance(rng, _WHOLE_RETURNED) else amount * rng.randrange(20, 90) // 100
        body = members(order_id=f"r{self._pen.next_ref()}", currency=self._currency, region=self._person.region)
        return self._pen.put(later, PURCHASES, f'{body},"amount":{money_text(-part)}{self._pen.about}')
