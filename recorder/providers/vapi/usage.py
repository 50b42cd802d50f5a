"""What Vapi says a call used, and what it charged: the bill in a report or a call that has ended.

Three shapes, the best that is there counts: `costs[]` (an item of each component, not rounded),
`costBreakdown` (sums, rounded to four decimals), and `cost` alone. Each later bill of a call
replaces the one before, because bills are complete and settle late. A component under the user's
own key has its quantities and a cost of 0; it is billed by its own provider (Vapi's documentation,
provider keys), so that its price is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from recorder.providers.fields import at
from recorder.providers.usage import Quantity, Unit, Usage, count, unreported

Json = Mapping[str, Any]
_ROUNDED = Decimal("0.0001")
_OWN = "call"
_CREATED = ("POST /call", "POST /call/web", "POST /call/phone")
_CALL = "GET /call/{id}"
_QUANTITIES: tuple[tuple[str, str, Unit], ...] = (
    ("minutes", "duration", "minute"),
    ("seconds", "duration", "second"),  # of models that hear and speak
    ("characters", "characters", "character"),
    ("cachedPromptTokens", "text_cached", "token"),
    ("completionTokens", "text_out", "token"),
    ("promptTextTokens", "text_in", "token"),
    ("promptAudioTokens", "audio_in", "token"),
    ("completionTextTokens", "text_out", "token"),
    ("completionAudioTokens", "audio_out", "token"),
)
_OWN_KEYS = ("transcriber", "model", "voice", "analysis", "voicemail-detection", "knowledge-base")
_CARRIERS = ("twilio", "vonage", "telnyx")  # bill the owner of the number
_PARTS = {
    "transport": "transport",
    "stt": "transcriber",
    "llm": "model",
    "tts": "voice",
    "vapi": "vapi",
    "chat": "chat",
    "knowledgeBaseCost": "knowledge-base",
    "voicemailDetectionCost": "voicemail-detection",
}
_ANALYSES = ("summary", "structuredData", "successEvaluation", "structuredOutput")


class VapiUsage:
    """A `UsageReader` for one session."""

    def __init__(self) -> None:
        self._key = _OWN
        self._names: dict[str, str] = {}  # id of a call -> its key
        self._settled: set[str] = set()

    def read(self, type_: str, message: Json) -> Sequence[Usage]:
        inner = message.get("message")
        told = inner if isinstance(inner, Mapping) else message
        call = told.get("call") if isinstance(told.get("call"), Mapping) else told
        if type_ == "end-of-call-report":
            self._name(call)
            return self._bill(told)
        if type_ in _CREATED or type_ == _CALL:
            self._name(told)
            is_over = told.get("status") == "ended" or at(told, "endedAt") is not None
            return self._bill(told) if is_over else self._open(bool(told.get("id")))
        if type_ == "status-update":
            self._name(call)
            return self._open(told.get("status") == "in-progress")
        return ()

    def _name(self, call: object) -> None:
        """Which call it is: the first one is the session's own, which its socket never names."""
        name = at(call, "id")
        if isinstance(name, str) and name:
            own = _OWN if not self._names else f"{_OWN} {name.lower()}"
            self._key = self._names.setdefault(name.lower(), own)

    def _open(self, is_call: bool) -> Sequence[Usage]:
        """A call goes on, and costs something that is told when it is over."""
        if not is_call or self._key in self._settled:
            return ()
        return (unreported(self._key, "call", None, "the call"),)

    def _bill(self, call: Json) -> Sequence[Usage]:
        """What a call that is over cost; one that has not settled yet says nothing new."""
        told = call.get("costs")
        items = told if isinstance(told, list) else []
        found = [self._item(each) for each in items if isinstance(each, Mapping)]
        found = found or list(self._parts(call))
        charged = _total(call)
        if not found and charged:
            found = [Usage(self._key, "call", None, (_CHARGE,), charged)]
        if found:
            self._settled.add(self._key)
            return (*found, *self._rest(found, charged))
        is_free = count(call.get("cost")) == 0 and not count(call.get("durationSeconds"))
        if is_free and call.get("startedAt") is None:
            return (Usage(self._key, "call", None, ()),)  # it never began
        return self._open(True)

    def _item(self, item: Json) -> Usage:
        kind = item.get("type")
        component = kind if isinstance(kind, str) and kind else "other"
        quantities, usd = _quantities(item), count(item.get("cost"))
        model = _model(item, component)
        vendor = (model or "").partition("/")[0]
        is_foreign = component in _OWN_KEYS or (component == "transport" and vendor in _CARRIERS)
        if usd == 0 and is_foreign and any(each.amount for each in quantities):
            note = f"{component} {model or ''} is billed by its own provider, not by Vapi"
            return Usage(self._key, component, model, quantities, None, note)
        if usd is None:
            note = f"item {component} of the bill has no cost"
            return Usage(self._key, component, model, quantities or (_CHARGE,), None, note)
        note = ""
        if item.get("usageComplete") is False:
            note = f"Vapi says that its count for {component} {model or ''} is not complete"
        return Usage(self._key, component, model, quantities or (_CHARGE,), usd, note)

    def _parts(self, call: Json) -> Iterator[Usage]:
        """The sums of `costBreakdown`; those of 0 that nothing was used for are left out."""
        told = call.get("costBreakdown")
        if not isinstance(told, Mapping):
            return
        minutes = count(at(call, "durationMinutes"))
        used: dict[str, tuple[Quantity, ...]] = {
            "model": _tokens(told, "llmPrompt", "llmCompletion", "llmCachedPrompt"),
            "voice": _some("characters", told.get("ttsCharacters"), "character"),
            "vapi": _some("duration", minutes, "minute"),
        }
        parts = [(component, component, told.get(name)) for name, component in _PARTS.items()]
        analyses = at(told, "analysisCostBreakdown")
        for name in _ANALYSES:
            names = (f"{name}Prompt", f"{name}Completion", f"{name}CachedPrompt")
            used[name] = _tokens(analyses, *names) if isinstance(analyses, Mapping) else ()
            parts.append((name, "analysis", at(analyses, name)))
        for name, component, cost in parts:
            usd, quantities = count(cost), used.get(name, ())
            if usd or quantities:
                note = "" if usd else f"{component} has no cost: another provider bills it"
                yield Usage(self._key, component, None, quantities or (_CHARGE,), usd or None, note)

    def _rest(self, found: Sequence[Usage], charged: Decimal | None) -> Sequence[Usage]:
        """What the total has beyond its items, each of which may be rounded."""
        items = sum((each.usd for each in found if each.usd), Decimal(0))
        missing = (charged or items) - items
        if abs(missing) <= _ROUNDED * (len(found) + 1):
            return ()
        note = f"Vapi charged ${charged}, and the items of its bill come to ${items}"
        if missing < 0:
            return (Usage(self._key, "other", None, (), None, note),)
        return (Usage(self._key, "other", None, (_CHARGE,), missing, note),)


_CHARGE = Quantity("charge", Decimal(1), "event")


def _total(call: Json) -> Decimal | None:
    return count(call.get("cost")) or count(at(call, "costBreakdown", "total"))


def _quantities(item: Json) -> tuple[Quantity, ...]:
    found = [
        each for name, meter, unit in _QUANTITIES for each in _some(meter, item.get(name), unit)
    ]
    return (*_fresh(item.get("promptTokens"), item.get("cachedPromptTokens")), *found)


def _tokens(told: Json, prompt: str, completion: str, cached: str) -> tuple[Quantity, ...]:
    spared = told.get(f"{cached}Tokens")
    return (
        *_fresh(told.get(f"{prompt}Tokens"), spared),
        *_some("text_cached", spared, "token"),
        *_some("text_out", told.get(f"{completion}Tokens"), "token"),
    )


def _fresh(prompt: object, cached: object) -> tuple[Quantity, ...]:
    """Tokens of a prompt that were not cached; the cached ones are part of the prompt."""
    left = (count(prompt) or Decimal(0)) - (count(cached) or Decimal(0))
    return _some("text_in", left, "token")


def _some(meter: str, amount: object, unit: Unit) -> tuple[Quantity, ...]:
    found = count(amount)
    return (Quantity(meter, found, unit),) if found else ()


def _model(item: Json, component: str) -> str | None:
    """`provider/model`; `provider/voice` for voices of Vapi, which have no model."""
    thing = item.get(component)
    if not isinstance(thing, Mapping):
        thing = item.get("model")
    if not isinstance(thing, Mapping):
        words = [item.get("provider") or item.get("subType")]
    else:
        vendor = thing.get("provider")
        voice = thing.get("voiceId") if vendor == "vapi" else None
        words = [vendor, thing.get("model") or voice]
    named = [word for word in words if isinstance(word, str) and word]
    return "/".join(named) or None
