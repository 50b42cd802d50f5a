"""Where telephone numbers and the words of a call stand in Vapi's REST bodies, webhooks and frames.

Field names: Vapi's OpenAPI document, and bodies as seen. `firstMessage` and its like are spoken,
`endedMessage` tells in words why a call ended, `variableValues` are filled in for one customer, and
prompts (`content`) are filled in with them; `body` is the line of a call's log. Arguments and
results of tools stay, but for the telephone numbers in them, since an application that replays a
call has to understand them.
"""

from __future__ import annotations

from recorder.redact import Personal

_WORDS = (
    "transcript",
    "messages.*.message",
    "content",
    "text",
    "input",
    "output",
    "delta",
    "summary",
    "body",
    "originalTranscript",
    "originalMessage",
    "detectedThreats.**",
    "endedMessage",
    "structuredData.**",
    "structuredDataMulti.**",
    "scorecards.**",
    "structuredOutputs.*.result",
    "structuredOutputs.*.result.**",
    "firstMessage",
    "voicemailMessage",
    "endCallMessage",
    "idleMessages.*",
    "transferPlan.message",
    "fallbackPlan.message",
    "transfers.*.message",
    "destination.message",
    "destinations.*.message",
    "variableValues.**",
    "variables.**",
)
_PERSONS = (
    "number",
    "phone",
    "phoneNumber",
    "twilioPhoneNumber",
    "callerId",
    "sipUri",
    "extension",
    *(f"{holder}.{name}" for holder in ("customer", "customers.*") for name in ("name", "email")),
)

PERSONAL = Personal((*_WORDS, *_PERSONS))
