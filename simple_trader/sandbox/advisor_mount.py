"""Where the stand-in advisor (not an LLM) answers in the wire format of OpenAI."""

from typing import Any

import msgspec
from aiohttp import web

from simple_trader.sandbox.advisor import AdviceRequestError, advise, models


def mount_advisor(app: web.Application) -> None:
    """Add `/advisor/v1/models` and `/advisor/v1/chat/completions`."""
    app.router.add_get("/advisor/v1/models", _models)
    app.router.add_post("/advisor/v1/chat/completions", _complete)


async def _models(request: web.Request) -> web.Response:
    return _json(models())


async def _complete(request: web.Request) -> web.Response:
    try:
        asked: Any = msgspec.json.decode(await request.read())
        if not isinstance(asked, dict):
            raise AdviceRequestError("the request is not a JSON object")
        return _json(advise(asked))
    except msgspec.MsgspecError as error:
        refused = AdviceRequestError(f"the request is not JSON: {error}")
        return _json(refused.body, refused.status)
    except AdviceRequestError as error:
        return _json(error.body, error.status)


def _json(answer: dict[str, Any], status: int = 200) -> web.Response:
    body = msgspec.json.encode(answer)
    return web.Response(status=status, body=body, content_type="application/json")
