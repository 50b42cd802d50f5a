"""What follows a call: the webhooks of its end, its report, and what settles after that.

Observed: `status-update` ended 1.6 s after the hang-up, the report 1.3 s later; a GET shows the
end only then. The costs of the analysis and the log come later still.
"""

from __future__ import annotations

from replay.simulators.vapi import documents
from replay.simulators.vapi.account import Account
from replay.simulators.vapi.call import Call
from replay.simulators.vapi.errors import Json
from replay.simulators.vapi.stage import MS, Stage

_ENDED_MS = 1600
_REPORT_MS = 2900
_UPLOAD_MS = 300
_UPLOADS = ("end-of-call-report", "recording-mono", "recording-stereo", "log")


def _silent(body: bytes) -> None:
    """A call that is over has no socket to send text frames to."""


def conclude(account: Account, call: Call, now: int) -> None:
    """The call has ended at `now`: put the rest on the agenda."""
    stage, agenda = Stage(account, call, _silent), account.agenda

    def ended(at: int) -> None:
        fields: Json = {"status": "ended", "endedReason": call.ended_reason}
        if call.debugging is not None:
            fields["inboundPhoneCallDebuggingArtifacts"] = call.debugging
        stage.tell_server("status-update", at, fields)

    def report(at: int) -> None:
        call.reported, call.updated_ms = True, stage.ms(at)
        stage.tell_server("end-of-call-report", at, documents.report(call, stage.ms(at)))

    def upload(at: int) -> None:
        names = _UPLOADS if documents.has_recording(call) else _UPLOADS[:1]
        files = [{"type": name, "success": True} for name in names]
        stage.tell_server("call.artifact.upload", at, {"artifacts": files})

    def settle(at: int) -> None:
        call.settled, call.updated_ms = True, stage.ms(at)

    def log(at: int) -> None:
        call.has_log = True

    agenda.at(now + _ENDED_MS * MS, ended)
    agenda.at(now + _REPORT_MS * MS, report)
    agenda.at(now + (_REPORT_MS + _UPLOAD_MS) * MS, upload)
    agenda.at(now + (_REPORT_MS + account.options.settle_ms) * MS, settle)
    agenda.at(now + (_REPORT_MS + account.options.log_ms) * MS, log)


def deleted(account: Account, call: Call, now: int) -> None:
    """The data of a finished call are erased."""
    Stage(account, call, _silent).tell_server("call.deleted", now, {})
