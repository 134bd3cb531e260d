"""Orders, corrections and returns as lines of the purchases feed."""

from random import Random

from streamproc.core.time import DAY, HOUR, SECOND
from streamproc.simulate.person import CONSUMER, Person
from streamproc.simulate.records import PURCHASES, Pen, clock_text, members, money_text
from streamproc.simulate.world import CATEGORIES, FOREIGN, World

_AT_HOME = 0.75  # share of orders in the customer's own category
_CORRECTED = 0.006
_CANCELLED = 0.004
_RAIDED_ORDERS = 0.4  # share of orders that go to the dealer from another region, once there is one
_RATE = 0.92  # what a foreign amount is divided by: near enough to the dated rates
_YEAR = 365 * DAY


class Till:
    """Rings up the orders of one customer.

    `raider` is the dealer who sells into the customer's region from `raider_from` (µs) on; None: nobody does.
    """

    __slots__ = (
        "_currency",
        "_fixed",
        "_pen",
        "_person",
        "_raider",
        "_raider_from",
        "_rng",
        "_world",
        "raided_at",
    )

    def __init__(self, world: World, person: Person, pen: Pen, rng: Random) -> None:
        self._world, self._person, self._pen, self._rng = world, person, pen, rng
        self._currency = FOREIGN if person.wallet.foreign else world.shop.currency
        self._fixed = members(region=person.region)
        raiders = [d for d in world.dealers if d.raided == person.region and d.raids_from is not None]
        self._raider = min(raiders, key=lambda d: d.raids_from or 0, default=None)
        self._raider_from = self._raider.raids_from or 0 if self._raider else 0
        self.raided_at: int | None = None

    def order(self, at: int, appetite: float, pressure: float) -> tuple[bool, int]:
        """Write an order; `appetite` scales its amount, `pressure` (0-1) the time taken to choose.

        Answers whether it stands (is not cancelled) and its amount in cents.
        """
        rng, person, pen = self._rng, self._person, self._pen
        wallet, kind = person.wallet, person.kind
        category = person.category if rng.random() < _AT_HOME else rng.choice(CATEGORIES)
        listed = wallet.level * appetite * rng.lognormvariate(0, wallet.spread)
        listed *= self._world.price_index(person.category, at)
        if wallet.foreign:
            listed /= _RATE
        price, amount = self._price(max(100, int(listed)), at)
        quantity = 1 + int(rng.expovariate(1.0 if kind is CONSUMER else 0.1))
        body = f',"quantity":{quantity},"category":"{category}","channel":"{person.channel}"{self._fixed}'
        if person.dealer is not None:
            body += self._dealer(at, person.dealer)
        if person.contract:
            years = (at - person.arrives_at) // _YEAR + 1
            body += f',"contract_until":"{clock_text(person.arrives_at + years * _YEAR)}"'
        if kind is CONSUMER and rng.random() < 0.6:
            seconds = int(rng.lognormvariate(6.5, 0.9) * (1 + 2 * pressure))
            body += f',"deliberation_s":{seconds}'
        order_id = f'"order_id":"o{pen.next_ref()}"'
        pen.put(at, PURCHASES, f",{order_id}{price}{body}{pen.about}")
        return self._afterthought(at, order_id, price, body), amount

    def _price(self, listed: int, at: int) -> tuple[str, int]:
        rng, wallet = self._rng, self._person.wallet
        amount, extra = listed, ""
        over = wallet.price_loyal and at >= self._world.discounts_end_at
        if not over and rng.random() < wallet.discounted:
            amount = listed * rng.randrange(60, 91, 5) // 100
            extra = f',"list_amount":{money_text(listed)}'
        if wallet.member and rng.random() < 0.15:
            extra += f',"reward_amount":{money_text(amount // 20)}'
        if wallet.cost:
            extra += f',"cost":{money_text(int(listed * wallet.cost))}'
        return f',"amount":{money_text(amount)},"currency":"{self._currency}"{extra}', amount

    def _dealer(self, at: int, own: int) -> str:
        if self._raider is not None and at >= self._raider_from and self._rng.random() < _RAIDED_ORDERS:
            self.raided_at = at
            return f',"dealer_id":"{self._raider.dealer_id}"'
        return f',"dealer_id":"{self._world.dealers[own].dealer_id}"'

    def _afterthought(self, at: int, order_id: str, price: str, body: str) -> bool:
        """A few orders are corrected or cancelled within hours; False if cancelled."""
        dial = self._rng.random()
        if dial > _CORRECTED + _CANCELLED:
            return True
        later = at + self._rng.randrange(60, 7200) * SECOND
        if dial < _CANCELLED:
            cancel = f',{order_id},"revision":1,"cancelled":true{price}{body}'
            return not self._pen.put(later, PURCHASES, cancel)
        listed = int(self._person.wallet.level * self._rng.lognormvariate(0, self._person.wallet.spread))
        price, _ = self._price(max(100, listed), at)
        self._pen.put(later, PURCHASES, f',{order_id},"revision":1{price}{body}')
        return True

    def give_back(self, at: int, amount: int) -> int:
        """Return goods of an order of `amount` cents; answers when (µs)."""
        rng = self._rng
        later = at + rng.randrange(2, 18) * DAY + rng.randrange(12) * HOUR
        part = amount if rng.random() < 0.6 else amount * rng.randrange(20, 90) // 100
        body = members(order_id=f"r{self._pen.next_ref()}", currency=self._currency, quantity=1)
        self._pen.put(later, PURCHASES, f'{body},"amount":{money_text(-part)}{self._fixed}{self._pen.about}')
        return later
