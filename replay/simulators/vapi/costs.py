"""What a call costs: items without rounding, and the rounded breakdown.

Rules seen on real calls: the platform fee is 0.05 a minute on minutes rounded to four decimals;
items are not rounded; each value of the breakdown is rounded to four decimals, and so is the total
of the items as they are, so that the parts need not add up to it. Transcription is billed on less
time than the call. Items of analysis are added after the report. The prices are of this simulator.
"""

from __future__ import annotations

from collections.abc import Sequence

from replay.simulators.common.words import pieces
from replay.simulators.vapi.call import Call
from replay.simulators.vapi.errors import Json

_PLATFORM = 0.05  # USD a minute
_TRANSCRIBER = 0.0108  # USD a minute
_VOICES = {"11labs": 50e-6}  # USD a character
_VOICE = 22e-6
_MODELS = {"gpt-4.1": (2.0, 0.5, 8.0), "gpt-4o-mini": (0.15, 0.075, 0.6)}  # USD a million tokens
_MODEL = (0.4, 0.1, 1.6)  # input, cached input, output
_ANALYST = {"provider": "google", "model": "gemini-2.5-flash"}
_ANALYST_PRICE = (0.3, 0.03, 2.5)
_UNHEARD_MS = 1730  # at the ends of a call, not transcribed
_ANALYSES = ("summary", "structuredData", "successEvaluation", "structuredOutput")
_PLANS = {"summary": "summaryPlan", "successEvaluation": "successEvaluationPlan"}


def does_analyse(call: Call, analysis: str) -> bool:
    """Whether an analysis is made: summary and success unless switched off, data if asked for."""
    plan = call.plan("analysisPlan")
    if call.started_ms is None or not call.history.said("user"):
        return False
    if analysis == "structuredData":
        return bool((plan.get("structuredDataPlan") or {}).get("enabled"))
    key = _PLANS.get(analysis)
    return key is not None and (plan.get(key) or {}).get("enabled") is not False


def _tokens(prices: tuple[float, float, float], prompt: int, cached: int, made: int) -> float:
    fresh, spared, written = prices
    return ((prompt - cached) * fresh + cached * spared + made * written) / 1e6


def items(call: Call) -> list[Json]:
    """The `costs` as they stand: those of analysis only once the call has settled."""
    ms, usage = call.duration_ms, call.usage
    heard = max(0, ms - _UNHEARD_MS) / 60_000
    minutes = round(ms / 60_000, 4)
    model = _named(call, "model", "openai", "gpt-4.1")
    voice = call.setting("voice", {"provider": "vapi", "voiceId": "Elliot"})
    provider = voice.get("provider") if isinstance(voice, dict) else None
    tokens = (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens)
    found: list[Json] = [
        {
            "type": "transcriber",
            "transcriber": _named(call, "transcriber", "deepgram", "nova-3"),
            "minutes": heard,
            "cost": heard * _TRANSCRIBER,
        },
        {
            "type": "model",
            "model": model,
            "promptTokens": usage.prompt_tokens,
            "completionTokens": usage.completion_tokens,
            "cachedPromptTokens": usage.cached_tokens,
            "cost": _tokens(_MODELS.get(model["model"], _MODEL), *tokens),
        },
        {
            "type": "voice",
            "voice": voice,
            "characters": usage.characters,
            "cost": usage.characters * _VOICES.get(str(provider), _VOICE),
        },
        {"type": "vapi", "subType": "normal", "minutes": minutes, "cost": minutes * _PLATFORM},
    ]
    if call.settled:
        found += [_analysis(call, name) for name in _ANALYSES if does_analyse(call, name)]
    base = {"type": "knowledge-base", "model": _ANALYST}
    found.append({**base, "promptTokens": 0, "completionTokens": 0, "cost": 0})
    return found


def _named(call: Call, part: str, provider: str, model: str) -> Json:
    """Provider and model of a part of the assistant."""
    value = call.setting(part, {})
    chosen = value if isinstance(value, dict) else {}
    return {
        "provider": chosen.get("provider") or provider,
        "model": chosen.get("model") or model,
    }


def _analysis(call: Call, name: str) -> Json:
    prompt = 40 + len(pieces(call.transcript()))
    made = 1 if name == "successEvaluation" else 46
    return {
        "type": "analysis",
        "analysisType": name,
        "model": _ANALYST,
        "promptTokens": prompt,
        "completionTokens": made,
        "cachedPromptTokens": 0,
        "cost": _tokens(_ANALYST_PRICE, prompt, 0, made),
    }


def total(costs: Sequence[Json]) -> float:
    """The rounded sum of items as they are: the `cost` of a call."""
    return round(sum(float(item["cost"]) for item in costs), 4) or 0


def breakdown(costs: Sequence[Json]) -> Json:
    """The `costBreakdown` of a call."""

    def part(kind: str) -> float:
        return total([item for item in costs if item["type"] == kind])

    def count(kind: str, name: str) -> int:
        return sum(int(item[name]) for item in costs if item["type"] == kind)

    return {
        "stt": part("transcriber"),
        "llm": part("model"),
        "tts": part("voice"),
        "vapi": part("vapi"),
        "chat": 0,
        "transport": 0,
        "total": total(costs),
        "llmPromptTokens": count("model", "promptTokens"),
        "llmCompletionTokens": count("model", "completionTokens"),
        "llmCachedPromptTokens": count("model", "cachedPromptTokens"),
        "ttsCharacters": count("voice", "characters"),
        "voicemailDetectionCost": 0,
        "knowledgeBaseCost": part("knowledge-base"),
        "analysisCostBreakdown": _analyses(costs),
    }


def _analyses(costs: Sequence[Json]) -> Json:
    made = {item["analysisType"]: item for item in costs if item["type"] == "analysis"}
    result: Json = {}
    for name in _ANALYSES:
        item = made.get(name, {})
        result[name] = round(item.get("cost", 0), 4) or 0
        for kind in ("promptTokens", "completionTokens", "cachedPromptTokens"):
            result[name + kind[0].upper() + kind[1:]] = item.get(kind, 0)
    return result
