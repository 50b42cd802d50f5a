"""Refuses rules that would leave out more of a tape than one value."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from recorder.errors import RecorderError
from replay.match.jsontext import Json, parse
from replay.match.requests import request_value, response_value, target_value
from replay.match.rulebook import Rulebook
from replay.match.rules import Path, Rule, Wild, written
from replay.match.verbs import is_tree
from replay.script import Script

_NAMED = 2  # narrower paths that are listed


def check_rules(book: Rulebook, script: Script) -> None:
    """RecorderError if a rule that is not forced would leave out an object, an array, or all that
    is below a place, in what the client of the tape said."""
    broad = [rule for rule in book.own if rule.verb in ("ignore", "any") and not rule.is_forced]
    if not broad:
        return
    said = list(_said(script))
    for rule in broad:
        values = (value for type_, value in said if rule.type in (None, type_))
        trees = (hit for value in values for hit in _at(value, rule.path) if is_tree(hit[1]))
        hit = next(trees, None)
        if hit or _is_open(rule):
            raise RecorderError(_refusal(rule, hit))


def _is_open(rule: Rule) -> bool:
    """Whether a rule leaves out all there may be below a place."""
    last = rule.path[-1] if rule.path else Wild.MANY
    return last is Wild.MANY or (last is Wild.ONE and rule.verb == "ignore")


def _refusal(rule: Rule, hit: tuple[Path, Json] | None) -> str:
    path, value = hit or ((), None)
    leaves = list(islice(_leaves(path, value), _NAMED + 1)) if is_tree(value) else []
    named = ", ".join(str(rule._replace(path=leaf)) for leaf in leaves[:_NAMED])
    more = " or another" if len(leaves) > _NAMED else ""
    narrower = f"name what differs: {named}{more}" if named else "name the keys that differ"
    what = "whatever is there"
    if hit:
        what = f"all of {written(path)}" if path else "whole messages"
    return (
        f"{rule.source}: {rule} would leave out {what}; {narrower}. To leave it all out, "
        f"write !{rule}"
    )


def _said(script: Script) -> Iterator[tuple[str, Json]]:
    """What rules are about, by type: client messages, upgrades, requests, answers to webhooks."""
    for socket in script.sockets:
        if socket.request:
            yield "ws.open", target_value(socket.request)
        for step in socket.expected:
            if step.kind == "ws.text" and (value := _json(step.body)) is not None:
                yield step.type, value
    for exchange in script.exchanges:
        yield exchange.type, request_value(exchange.request, exchange.sent)
    for delivery in script.deliveries:
        if delivery.answer:
            yield delivery.type, response_value(delivery.answer, delivery.received)


def _json(body: bytes) -> Json:
    try:
        return parse(body)
    except ValueError:
        return None  # compared as it stands, by no rule


def _children(value: Json) -> Iterator[tuple[str | int, Json]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _at(value: Json, rest: Path, path: Path = ()) -> Iterator[tuple[Path, Json]]:
    """What stands where a rule's path leads, with its own path."""
    if not rest:
        yield path, value
        return
    first, after = rest[0], rest[1:]
    if first is Wild.MANY:
        yield from _at(value, after, path)
    for key, inner in _children(value):
        if first is Wild.MANY:
            yield from _at(inner, rest, (*path, key))
        elif first is Wild.ONE or (first == key and type(first) is type(key)):
            yield from _at(inner, after, (*path, key))


def _leaves(path: Path, value: Json) -> Iterator[Path]:
    """The paths of the single values below a place."""
    if not is_tree(value):
        yield path
    for key, inner in _children(value):
        yield from _leaves((*path, key), inner)
