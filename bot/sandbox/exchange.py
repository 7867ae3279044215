"""One call of the bot: refused, failed on purpose or carried out, and written down."""

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.sandbox.flood import Flood
from bot.sandbox.methods import BY_LOWER_NAME, METHODS, counts_as_messages
from bot.sandbox.refusal import Json, Refusal, refusal_of
from bot.sandbox.world import World, number_of

# A code, a description, the whole refusal, or a connection that breaks before or after the call is carried out.
Failure = int | str | Refusal | Literal["drop_before", "drop_after"]
_DROPS = ("drop_before", "drop_after")


class DroppedError(Exception):
    """The connection is to be cut without an answer."""


@dataclass(frozen=True, slots=True)
class Call:
    """What the bot asked and what it was answered; `carried_out` tells a lost answer from a lost call."""

    method: str
    params: Json
    answer: Json
    carried_out: bool = True

    @property
    def ok(self) -> bool:
        """Whether it was granted."""
        return bool(self.answer.get("ok"))

    @property
    def result(self) -> Any:
        """What a granted call returned."""
        return self.answer.get("result")


@dataclass(slots=True, eq=False)
class Fault:
    """Calls that are to fail."""

    method: str
    error: Failure
    times: int
    when: Callable[[Json], bool]
    retry_after: int = 1


@dataclass(slots=True, eq=False)
class Exchange:
    """Answers calls against a world."""

    world: World
    token: str
    flood: Flood | None = None
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    async def answer(self, name: str, params: Json) -> Json:
        """The body of the answer to a call; raises DroppedError when there is to be none."""
        method = BY_LOWER_NAME.get(name.lower(), "")
        fault = self._fault(method, params)
        answer, carried_out = await self._carried_out(method, params, fault)
        self.calls.append(Call(method or name, params, answer, carried_out))
        self.world.feed.publish("call", {"method": method or name, "ok": answer["ok"]})
        if fault and fault.error in _DROPS:
            raise DroppedError
        return answer

    async def _carried_out(self, method: str, params: Json, fault: Fault | None) -> tuple[Json, bool]:
        try:
            if fault and fault.error == "drop_before":
                return {"ok": False, "description": "connection dropped"}, False
            if fault and fault.error != "drop_after":
                return refusal_of(fault.error, fault.retry_after).json(), False
            return {"ok": True, "result": copy.deepcopy(await self._result(method, params))}, True
        except Refusal as refusal:
            return refusal.json(), False

    async def _result(self, method: str, params: Json) -> Any:
        if method not in METHODS:
            raise Refusal(404, "Not Found")
        if self.flood and (messages := counts_as_messages(method, params)):
            self.flood.spend(number_of(params.get("chat_id")), messages)
        result = METHODS[method](self.world, params)
        return await result if inspect.isawaitable(result) else result

    def _fault(self, method: str, params: Json) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.method in {method, "*"} and fault.when(params):
                fault.times -= 1
                return fault
        return None
