"""Schemas of the API's request and answer bodies, for the OpenAPI document.

``"name?": "text"``: the field may be absent; ``"name": "text?"``: its value may be null.
"""

from __future__ import annotations

from typing import Any

from webapp.api.rows import BOOKS_DAY, BOOKS_MONTH, BOOKS_PART, BOOKS_SUMS, CALL, COUNTS, DARK_KEY, KEY, SESSION

WORDS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "id": {"type": "string", "format": "uuid"},
    "email": {"type": "string", "format": "email", "maxLength": 254},
    "password": {"type": "string", "format": "password", "minLength": 8, "description": "At most 72 bytes."},
    "time": {"type": "string", "format": "date-time", "description": "UTC."},
    "hour": {
        "type": "string",
        "format": "date-time",
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:00(Z|[+-]\d\d:\d\d)$",
        "description": "When it began, with the offset of the time zone.",
    },
    "day": {"type": "string", "format": "date"},
    "lack": {
        "type": "string",
        "format": "date",
        "description": "The rows lack dropped calls from before this day (UTC), and their corrections; null: none.",
    },
    "month": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
    "money": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "description": "US dollars, exact, as decimal text."},
    "corrections": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "description": "Sum of corrections, US dollars."},
    "exact": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "description": "An exact number, as decimal text."},
    "whole": {"type": "integer"},
    "flag": {"type": "boolean"},
    "role": {"type": "string", "enum": ["admin", "developer"]},
    "any": {"type": "object", "additionalProperties": True},
}

# What a filter compares with; an unknown word fits no call.
FILTER_WORDS = {
    "project": "Ids of projects, not their names.",
    "model": "Names of models as group_by=model gives them; - for calls without one.",
    "key": "Ids of keys, not their names.",
    "endpoint": "Paths at OpenAI, such as /v1/responses.",
    "service_tier": "Tiers as answered, such as default or flex.",
    "status": "HTTP statuses; error for 400 and above.",
    "cost_status": "Words of the field cost_status; in_doubt.",
    "tag": "team=web, or team for any value of it.",
    "end_user": "End users as sent; - for calls without one.",
    "person": "Ids of the people who made the keys.",
}

SHAPES: dict[str, dict[str, str]] = {
    "Error": {"error": "ErrorDetails"},
    "ErrorDetails": {"message": "text", "type": "text", "param": "text?", "code": "text?"},
    "SignUp": {"email": "email", "password": "password", "organization?": "text?", "invitation?": "text?"},
    "LogIn": {"email": "text", "password": "text"},
    "Refresh": {"refresh_token": "text"},
    "User": {"id": "id", "email": "text", "role": "role?"},
    "Organization": {"id": "id", "name": "text"},
    "Me": {"user": "User", "organization": "Organization?"},
    "Session": {
        "access_token": "text",
        "refresh_token": "text",
        "token_type": "text",
        "expires_in": "whole",
        "user": "User",
        "organization": "Organization?",
    },
    "Pending": {"user": "PendingUser", "confirmation": "text"},
    "PendingUser": {"id": "id", "email": "text"},
    "NewProject": {"name": "text"},
    "ProjectChange": {"name?": "text?", "archived?": "flag?", "metadata_tags?": "flag?"},
    "Project": {"id": "id", "name": "text", "created_at": "time", "archived_at": "time?", "metadata_tags": "flag"},
    "NewKey": {"name": "text", "expires_at?": "time?"},
    "Rotation": {"overlap_seconds?": "whole?"},
    "Key": KEY
    | {
        "project": "text",
        "created_by": "text?",
        "revoked_at": "time?",
        "rotated_from": "id?",
        "last_used_at": "time?",
        "state": "text",
        "note": "text?",
    },
    "KeyChange": {"name?": "text?", "note?": "text?", "expires_at?": "time?"},
    "KeyOnce": KEY | {"rotated_from?": "id?", "key": "text"},
    "UsageRow": {
        "hour?": "hour",
        "day?": "day",
        "week?": "day",
        "month?": "month",
        "project_id?": "id",
        "project?": "text?",
        "key_id?": "id",
        "key?": "text?",
        "person_id?": "id?",
        "person?": "text?",
        "model?": "text?",
        "endpoint?": "text",
        "service_tier?": "text?",
        "status?": "whole?",
        "end_user?": "text?",
        "tag?": "text?",
    }
    | COUNTS,
    "UsageTotals": COUNTS,
    "Usage": {"data": "[UsageRow]", "next_cursor": "text?", "totals": "UsageTotals", "lack_before": "lack?"},
    "WebSocketSession": SESSION,
    "CallRow": CALL,
    "Call": CALL | {"usage": "any?", "tools": "any?", "cost_lines": "[CostLine]?"},
    "CostLine": {
        "dimension": "text",
        "quantity": "exact",
        "unit_price": "money?",
        "unit_qty": "exact?",
        "cost": "money?",
        "price_id": "whole?",
        "model": "text?",
        "tier": "text?",
        "qualifier?": "text",
        "context_min_tokens?": "whole",
        "priced_as?": "text",
        "match?": "text",
        "at_least?": "money?",
    },
    "Price": {
        "id": "whole",
        "model": "text",
        "dimension": "text",
        "service_tier": "text",
        "context_min_tokens": "whole",
        "qualifier": "text",
        "unit_price": "money",
        "unit_qty": "exact",
        "valid_from": "time?",
        "revision": "whole",
        "source": "text",
        "note": "text",
        "own": "flag",
        "in_force?": "flag",
    },
    "NewPrice": {
        "model": "text",
        "dimension": "text",
        "service_tier?": "text?",
        "context_min_tokens?": "whole?",
        "qualifier?": "text?",
        "unit_price": "money",
        "unit_qty": "exact",
        "valid_from?": "time?",
        "note?": "text?",
    },
    "NewInvitation": {"email": "email", "role": "role"},
    "Invitation": {
        "id": "id",
        "email": "text",
        "role": "role",
        "created_at": "time",
        "expires_at": "time",
        "accepted_at": "time?",
        "revoked_at": "time?",
        "state": "text",
    },
    "InvitationOnce": {
        "id": "id",
        "email": "text",
        "role": "role",
        "created_at": "time",
        "expires_at": "time",
        "token": "text",
        "link": "text",
    },
    "Acceptance": {"token": "text"},
    "Member": {"user_id": "id", "email": "text", "role": "role", "joined_at": "time"},
    "RoleChange": {"role": "role"},
    "NewProviderKey": {"key": "text", "base_url?": "text?", "project_id?": "id?", "confirm_shared?": "flag?"},
    "ProviderKey": {"project_id": "id?", "last4": "text", "base_url": "text?", "updated_at": "time"},
    "ProviderKeyVersion": {"id": "id", "project_id": "id?", "project": "text?", "install": "flag"}
    | {"last4": "text", "base_url": "text?", "since": "time", "until": "time?"},
    "ProviderKeySet": {"last4": "text", "updated_at": "time"},
    "WhichProviderKey": {"project_id?": "id?"},
    "NewAdminKey": {"key": "text", "base_url?": "text?"},
    "AdminKey": {"last4": "text", "base_url": "text?", "updated_at": "time"}
    | {"fetched_at": "time?", "failed_at": "time?", "error": "text?"},
    "AdminKeySet": {"last4": "text", "updated_at": "time"},
    "AuditLine": {
        "id": "id",
        "at": "time",
        "actor_id": "id?",
        "actor_email": "text?",
        "action": "text",
        "subject_id": "id?",
        "details": "any",
    },
    "BooksDayRow": BOOKS_DAY,
    "BooksDayList": {"data": "[BooksDayRow]", "next_cursor": "text?", "totals": "BooksTotals"},
    "BooksTotals": {"days": "whole", "fetched_at": "time?"} | BOOKS_SUMS,
    "BooksDay": BOOKS_DAY | {"parts": "[BooksPart]"},
    "BooksPart": BOOKS_PART,
    "BooksMonth": BOOKS_MONTH,
    "DarkKey": DARK_KEY,
    "Health": {"status": "text", "service?": "text", "warning?": "text"},
}
LISTS = (
    "Project",
    "Key",
    "CallRow",
    "WebSocketSession",
    "Price",
    "Invitation",
    "Member",
    "ProviderKeyVersion",
    "AuditLine",
    "BooksMonth",
    "DarkKey",
)


def schema(kind: str) -> dict[str, Any]:
    """JSON Schema of one type: a word above, a shape's name, ``[Name]`` for a list of it; ``?`` allows null."""
    if kind.endswith("?"):
        inner = schema(kind[:-1])
        if "type" not in inner:
            return {"anyOf": [inner, {"type": "null"}]}
        enum = {"enum": [*inner["enum"], None]} if "enum" in inner else {}
        return inner | {"type": [inner["type"], "null"]} | enum
    if kind.startswith("["):
        return {"type": "array", "items": schema(kind[1:-1])}
    return dict(WORDS[kind]) if kind in WORDS else {"$ref": f"#/components/schemas/{kind}"}


def schemas() -> dict[str, Any]:
    """Every schema by name, and one of a list for each name in LISTS."""
    lists = {f"{name}List": {"data": f"[{name}]", "next_cursor": "text?"} for name in LISTS}
    return {
        name: {
            "type": "object",
            "properties": {field.rstrip("?"): schema(kind) for field, kind in shape.items()},
            "required": [field for field in shape if not field.endswith("?")],
        }
        for name, shape in (SHAPES | lists).items()
    }
