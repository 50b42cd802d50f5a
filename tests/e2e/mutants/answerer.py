"""A small server for a Vapi assistant, as any team might have written it; knows nothing of this
project.

    python answerer.py [--mutant]     # prints its URL, runs until it is ended

It looks up the weather for `tool-calls` and acknowledges everything else. The mutant forgets which
call it answers.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from aiohttp import web

FOUND = "rain, 7 degrees"


def answer(message: dict[str, Any], *, is_mutant: bool = False) -> dict[str, Any]:
    """What is said to a webhook."""
    if message["type"] != "tool-calls":
        return {}
    calls = [call["id"] for call in message["toolCallList"]]
    if is_mutant:
        calls = ["the call"] * len(calls)
    return {"results": [{"toolCallId": call, "result": FOUND} for call in calls]}


async def serve(is_mutant: bool) -> None:
    async def handle(request: web.Request) -> web.Response:
        message = (await request.json())["message"]
        return web.json_response(answer(message, is_mutant=is_mutant))

    app = web.Application()
    app.router.add_post("/hooks", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"ready http://127.0.0.1:{runner.addresses[0][1]}/hooks", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A small server for a Vapi assistant.")
    parser.add_argument("--mutant", action="store_true")
    asyncio.run(serve(parser.parse_args().mutant))


if __name__ == "__main__":
    main()
