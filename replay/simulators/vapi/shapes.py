"""The request bodies that the service accepts: everything else is refused.

Names and bounds follow the public OpenAPI document. The settings of voices and transcribers
differ for each of their providers and are not looked into beyond the provider's name.
"""

from __future__ import annotations

from replay.simulators.vapi import names
from replay.simulators.vapi.schema import (
    Check,
    address,
    anything,
    choice,
    choices,
    flag,
    headers,
    identifier,
    line,
    listing,
    number,
    record,
    string,
    token,
)

_OBJECT = record({}, is_open=True)
_SERVER = record(
    {
        "url": address,
        "secret": line,
        "timeoutSeconds": number(1, 300),
        "credentialId": identifier,
        "headers": headers,
        "staticIpAddressesEnabled": flag,
        "encryptedPaths": listing(string()),
        "backoffPlan": record(
            {
                "type": choice("fixed", "exponential"),
                "maxRetries": number(0, 10),
                "baseDelaySeconds": number(0, 10),
                "excludedStatusCodes": anything,
            }
        ),
    }
)
_TOOL_FIELDS: dict[str, Check] = {
    "type": choice(*names.TOOLS),
    "async": flag,
    "server": _SERVER,
    "messages": listing(_OBJECT),
    "function": record(
        {
            "name": string(64),
            "description": string(),
            "strict": flag,
            "parameters": _OBJECT,
        },
        ("name",),
    ),
    "variableExtractionPlan": _OBJECT,
    "rejectionPlan": _OBJECT,
    "parameters": anything,
}
_FUNCTION_TOOL = record(_TOOL_FIELDS, ("type",))
_OTHER_TOOL = record(_TOOL_FIELDS, ("type",), is_open=True)


def tool(value: object, parent: str, name: str, problems: list[str]) -> None:
    """A tool: functions are known whole, other types by what all have in common."""
    is_function = not isinstance(value, dict) or value.get("type") in (None, "function", "endCall")
    (_FUNCTION_TOOL if is_function else _OTHER_TOOL)(value, parent, name, problems)


_MODEL = record(
    {
        "provider": choice(*names.MODELS),
        "model": string(),
        "messages": listing(_OBJECT),
        "systemPrompt": string(),
        "functions": listing(_OBJECT),
        "tools": listing(tool),
        "toolIds": listing(identifier),
        "temperature": number(0, 2),
        "maxTokens": number(50, 10_000),
        "emotionRecognitionEnabled": flag,
        "numFastTurns": number(0),
        **dict.fromkeys(
            names.MODEL_EXTRAS,
            anything,
        ),
    },
    ("provider",),
)
_ASSISTANT_FIELDS: dict[str, Check] = {
    "name": string(40),
    "firstMessage": string(),
    "firstMessageInterruptionsEnabled": flag,
    "firstMessageMode": choice(
        "assistant-speaks-first",
        "assistant-speaks-first-with-model-generated-message",
        "assistant-waits-for-user",
    ),
    "transcriber": record({"provider": choice(*names.TRANSCRIBERS)}, ("provider",), is_open=True),
    "model": _MODEL,
    "voice": record({"provider": choice(*names.VOICES)}, ("provider",), is_open=True),
    "voicemailDetection": anything,
    "voicemailMessage": string(1000),
    "endCallMessage": string(1000),
    "endCallPhrases": listing(string(140)),
    "clientMessages": choices(names.CLIENT_MESSAGES),
    "serverMessages": choices(names.SERVER_MESSAGES),
    "silenceTimeoutSeconds": number(10, 3600),
    "customerJoinTimeoutSeconds": number(1, 60),
    "maxDurationSeconds": number(10, 43_200),
    "backgroundSound": string(),
    "modelOutputInMessagesEnabled": flag,
    "transportConfigurations": listing(_OBJECT),
    "observabilityPlan": _OBJECT,
    "credentials": listing(_OBJECT),
    "credentialIds": listing(identifier),
    "hooks": listing(_OBJECT),
    "metadata": _OBJECT,
    "backgroundSpeechDenoisingPlan": _OBJECT,
    "keypadInputPlan": record(
        {"enabled": flag, "timeoutSeconds": number(0, 10), "delimiters": anything}
    ),
    "compliancePlan": record(
        {
            "hipaaEnabled": flag,
            "pciEnabled": flag,
            "securityFilterPlan": _OBJECT,
            "recordingConsentPlan": _OBJECT,
        }
    ),
    "analysisPlan": record(
        {
            "minMessagesThreshold": number(0),
            **dict.fromkeys(
                ("summaryPlan", "structuredDataPlan", "successEvaluationPlan"), _OBJECT
            ),
            "structuredDataMultiPlan": listing(_OBJECT),
            "outcomeIds": anything,
        }
    ),
    "artifactPlan": record(
        {
            **dict.fromkeys(
                names.ARTIFACT_FLAGS,
                flag,
            ),
            "recordingFormat": choice("wav;l16", "mp3"),
            "transcriptPlan": record(
                {"enabled": flag, "assistantName": string(), "userName": string()}
            ),
            **dict.fromkeys(
                names.ARTIFACT_EXTRAS,
                anything,
            ),
        }
    ),
    "startSpeakingPlan": record(
        {
            "waitSeconds": number(0, 5),
            "smartEndpointingEnabled": anything,
            "smartEndpointingPlan": _OBJECT,
            "customEndpointingRules": anything,
            "transcriptionEndpointingPlan": record(
                dict.fromkeys(
                    ("onPunctuationSeconds", "onNoPunctuationSeconds", "onNumberSeconds"),
                    number(0, 3),
                )
            ),
        }
    ),
    "stopSpeakingPlan": record(
        {
            "numWords": number(0, 10),
            "voiceSeconds": number(0, 0.5),
            "backoffSeconds": number(0, 10),
            "acknowledgementPhrases": listing(string()),
            "interruptionPhrases": listing(string()),
        }
    ),
    "monitorPlan": record(
        {
            **dict.fromkeys(
                names.MONITOR_FLAGS,
                flag,
            ),
            "monitorIds": listing(string()),
        }
    ),
    "server": _SERVER,
    "serverUrl": address,
    "serverUrlSecret": line,
}
ASSISTANT = record(_ASSISTANT_FIELDS)
_OVERRIDES = record({**_ASSISTANT_FIELDS, "variableValues": _OBJECT, "tools:append": anything})

_TRANSPORT = record(
    {
        "provider": choice("vapi.websocket", "daily", "twilio", "vonage", "telnyx", "vapi.sip"),
        "conversationType": choice("voice"),
        "audioFormat": record(
            {
                "format": choice("pcm_s16le", "mulaw"),
                "container": choice("raw"),
                "sampleRate": number(0, 192_000),
            }
        ),
    },
    ("provider",),
)
CALL = record(
    {
        "assistantId": identifier,
        "assistant": ASSISTANT,
        "assistantOverrides": _OVERRIDES,
        "assistantVersion": string(),
        "transport": _TRANSPORT,
        "name": string(40),
        "metadata": _OBJECT,
        "customer": _OBJECT,
        "customerId": identifier,
        "phoneNumberId": identifier,
        "phoneNumber": _OBJECT,
        "customers": listing(_OBJECT),
        "schedulePlan": record({"earliestAt": string(), "latestAt": string()}),
        "squadId": identifier,
        "squadVersion": string(),
        "workflowId": identifier,
        **dict.fromkeys(("squad", "squadOverrides", "workflow", "workflowOverrides"), _OBJECT),
    }
)
CALL_UPDATE = record({"name": string(40)})
TOOL = tool
TOOL_UPDATE = record({key: one for key, one in _TOOL_FIELDS.items() if key != "type"})
_HMAC_HEADERS = "signatureHeader timestampHeader messageIdHeader"
_PLANS: dict[object, Check] = {
    "bearer": record(
        {
            "type": string(),
            "token": line,
            "headerName": token,
            "bearerPrefixEnabled": flag,
        },
        ("token",),
    ),
    "hmac": record(
        {
            "type": string(),
            "secretKey": string(),
            "algorithm": choice("sha256", "sha512", "sha1"),
            "signatureEncoding": choice("hex", "base64"),
            "includeTimestamp": flag,
            "secretIsBase64": flag,
            **dict.fromkeys(_HMAC_HEADERS.split(), token),
            "signaturePrefix": line,
            "payloadFormat": string(),
        },
        ("secretKey", "algorithm"),
    ),
}


def _authentication(value: object, parent: str, name: str, problems: list[str]) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    known = _PLANS.get(kind) or record({"type": choice(*map(str, _PLANS))}, ("type",), is_open=True)
    known(value, parent, name, problems)


CREDENTIAL = record(
    {"provider": choice("webhook"), "name": string(40), "authenticationPlan": _authentication},
    ("provider", "authenticationPlan"),
)
CREDENTIAL_UPDATE = record({"name": string(40), "authenticationPlan": _authentication})
