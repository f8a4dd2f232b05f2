"""Examples of accounts, tokens and sessions for /docs and /openapi.json. Pure."""

from typing import Any, Final

AREA: Final = {"code": "632122000000", "name": "民和县", "name_en": "Minhe County"}
SCOPE: Final = {"whole": False, "areas": [AREA]}
ACCOUNT: Final[dict[str, Any]] = {
    "id": "a-3f9a2c71d0b4",
    "login": "li",
    "name": "李四",
    "role": "supervisor",
    "scope": SCOPE,
    "state": "enabled",
    "created_at": "2026-11-01T02:00:00Z",
    "disabled_at": None,
}
NEW_ACCOUNT: Final = {**ACCOUNT, "state": "no_password"}
DISABLED: Final = {**ACCOUNT, "state": "disabled", "disabled_at": "2026-11-27T08:00:00Z"}
LINK: Final = {"link": "http://127.0.0.1:8000/signin?code=Yb3…", "until": "2026-11-28T08:00:00Z"}
TOKEN: Final[dict[str, Any]] = {
    "id": "71d03f9a2c",
    "account": ACCOUNT["id"],
    "name": "county dashboard",
    "role": "auditor",
    "scope": SCOPE,
    "state": "valid",
    "created_at": "2026-11-27T08:00:00Z",
    "created_by": ACCOUNT["id"],
    "expires_at": "2027-02-25T08:00:00Z",
    "days_left": 90,
    "used_at": None,
    "revoked_at": None,
}
REVOKED: Final = {**TOKEN, "state": "revoked", "revoked_at": "2026-11-27T09:00:00Z"}
NEW_TOKEN: Final = {**TOKEN, "token": "mp_71d03f9a2c_Yb3…"}
SESSION: Final[dict[str, Any]] = {
    "id": "9c1185a5c5e9fc54",
    "current": True,
    "wall": False,
    "created_at": "2026-11-27T01:00:00Z",
    "used_at": "2026-11-27T07:58:00Z",
    "ends_at": "2026-12-04T07:58:00Z",
}
OWN: Final[dict[str, Any]] = {
    "account": ACCOUNT,
    "permissions": ["acknowledge", "note", "read"],
    "scope": SCOPE,
    "session": SESSION,
    "token": None,
}
