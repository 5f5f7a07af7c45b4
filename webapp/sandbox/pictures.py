"""Answers of /images/*: pictures of the size asked for, and usage for the models that OpenAI prices by tokens."""

from __future__ import annotations

import re
import time
from typing import Any

from webapp.sandbox.media import png
from webapp.sandbox.refused import SandboxError, one_of, whole_number
from webapp.sandbox.wording import tokens

MAX_IMAGES, MAX_SIDE = 10, 4096
_SIZES = {
    "dall-e-2": ("256x256", "512x512", "1024x1024"),
    "dall-e-3": ("1024x1024", "1792x1024", "1024x1792"),
    "gpt-image-1": ("1024x1024", "1024x1536", "1536x1024", "auto"),
}
# Tokens of a picture of 1024 by 1024; others by their area.
_TOKENS = {"low": 272, "medium": 1056, "high": 4160, "auto": 272, "standard": 272, "hd": 272}
_AREA = 1024 * 1024
_BACKGROUNDS = ("auto", "opaque", "transparent")


def images(fields: dict[str, Any]) -> dict[str, Any]:
    """The answer: with base64 and usage for gpt-image models; for dall-e with a `data:` URL, unless base64 is asked."""
    model = fields.get("model") or "dall-e-2"
    number = whole_number(fields, "n", 1, 1 if model == "dall-e-3" else MAX_IMAGES) or 1
    width, height = _size(model, fields.get("size"))
    quality = one_of(fields.get("quality") or "auto", tuple(_TOKENS), "quality")
    picture = png(width, height)
    if model.startswith("dall-e"):
        form = one_of(fields.get("response_format") or "url", ("url", "b64_json"), "response_format")
        image = {"b64_json": picture} if form == "b64_json" else {"url": f"data:image/png;base64,{picture}"}
        image |= {"revised_prompt": fields["prompt"]} if model == "dall-e-3" and "prompt" in fields else {}
        return {"created": int(time.time()), "data": [image] * number}
    sent, painted = tokens(fields.get("prompt") or ""), number * _TOKENS[quality] * width * height // _AREA
    painted += 100 * partial_images(fields)
    return {
        "created": int(time.time()),
        "background": one_of(fields.get("background") or "auto", _BACKGROUNDS, "background").replace("auto", "opaque"),
        "data": [{"b64_json": picture}] * number,
        "output_format": "png",
        "quality": quality.replace("auto", "low"),
        "size": f"{width}x{height}",
        "usage": {
            "input_tokens": sent,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": sent},
            "output_tokens": painted,
            "total_tokens": sent + painted,
        },
    }


def partial_images(fields: dict[str, Any]) -> int:
    """How many previews a streamed request asks for."""
    return whole_number(fields, "partial_images", 0, 3) or 0


def _size(model: str, asked: Any) -> tuple[int, int]:
    allowed = next((sizes for name, sizes in _SIZES.items() if re.fullmatch(rf"{name}(\.5|-mini)?", model)), None)
    if asked is not None and allowed:
        one_of(asked, allowed, "size")
    if asked is None or asked == "auto":
        return 1024, 1024
    match = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", asked, re.ASCII) if isinstance(asked, str) else None
    sides = (int(match[1]), int(match[2])) if match else (0, 0)
    if not match or max(sides) > MAX_SIDE:
        message = f"Invalid value for 'size': expected up to {MAX_SIDE}x{MAX_SIDE}."
        raise SandboxError(400, message, param="size", code="invalid_value")
    return sides
