"""The gateways through which SMS and mail go out: MILEPOST_SMS_GATEWAY and MILEPOST_MAIL_GATEWAY. Pure.

A gateway is an HTTP address with placeholders, an SMTP server (mail only), or a URL of apprise with the placeholder
``{to}``. docs/alerts.md describes the forms.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, parse_qsl, quote, unquote, urlencode, urlsplit

import msgspec

from alerting.delivery.bots import answer_text
from alerting.delivery.senders.answers import SenderAnswer, outcome_of_status
from alerting.delivery.sending import SendOutcome, SendVerdict
from contract.errors import RemedyError
from contract.said import Said

SMS_SETTING: Final = "MILEPOST_SMS_GATEWAY"
MAIL_SETTING: Final = "MILEPOST_MAIL_GATEWAY"
_HTTP: Final = re.compile(r"(?:(form|json)\+)?(https?)://.+")
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_SAFE_IN_URL: Final = "-_.~"


class GatewayBody(StrEnum):
    """Where the parameters of a request stand."""

    QUERY = "query"
    FORM = "form"
    JSON = "json"


class HttpGateway(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """An HTTP gateway. `url`: without parameters if they stand in the body; `parameters`: with placeholders.

    `field` and `good`: the field of the JSON answer and its values that mean that the message was taken; without a
    field the status says so.
    """

    url: str
    login: tuple[str, str] | None
    body: GatewayBody
    parameters: tuple[tuple[str, str], ...]
    field: str | None = None
    good: frozenset[str] = frozenset()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log or error shows."""
        return (*(self.login or ()), *(value for _, value in self.parameters if "{" not in value))

    def __repr__(self) -> str:
        return "HttpGateway()"


class SmtpGateway(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """An SMTP server. `tls`: from the beginning; else by STARTTLS if the server offers it, always before a password."""

    host: str
    port: int
    tls: bool
    sender: str
    login: tuple[str, str] | None

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, where a password needs no TLS."""
        return self.host in _LOCAL

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log or error shows."""
        return self.login or ()

    def __repr__(self) -> str:
        return "SmtpGateway()"


class AppriseGateway(msgspec.Struct, tag=True, frozen=True):
    """A URL of apprise with the placeholder ``{to}``."""

    url: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log or error shows."""
        return (self.url,)

    def __repr__(self) -> str:
        return "AppriseGateway()"

    def url_for(self, to: str) -> str:
        """The URL for one address."""
        return self.url.replace("{to}", quote(to, safe=_SAFE_IN_URL + "@+"))


Gateway = HttpGateway | SmtpGateway | AppriseGateway


class GatewayRequest(msgspec.Struct, frozen=True):
    """One HTTP request; it contains secrets."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


def parse_gateway(variable: str, text: str) -> Gateway:
    """The gateway of a setting. Raises RemedyError, which names the variable and shows nothing of the value."""
    found = _HTTP.fullmatch(text)
    try:
        parts = urlsplit(text if found is None else text[text.index(found[2]) :])
        port = parts.port
    except ValueError:
        raise _wrong(variable, Said("it is no address", "不是有效的地址")) from None
    if not parts.scheme or not parts.netloc or port == 0:
        raise _wrong(variable, Said("it is no address", "不是有效的地址"))
    if found is not None:
        return _http_gateway(variable, parts, GatewayBody(found[1] or GatewayBody.QUERY))
    if variable == MAIL_SETTING and parts.scheme in {"smtp", "smtps"}:
        return _smtp_gateway(variable, parts)
    if "{to}" not in text:
        raise _wrong(variable, Said("the place of the address, `{to}`, is missing", "缺少收件地址的位置 `{to}`"))
    return AppriseGateway(text)


def _wrong(variable: str, why: Said) -> RemedyError:
    return RemedyError(
        f"{variable} cannot be used (it is secret and not shown): {why.en}; see docs/alerts.md",
        f"{variable} 无法使用（内容保密，不显示）：{why.zh}；见 docs/alerts.md",
    )


def _http_gateway(variable: str, parts: SplitResult, body: GatewayBody) -> HttpGateway:
    parameters = tuple(parse_qsl(parts.query, keep_blank_values=True))
    said = "\n".join(value for _, value in parameters)
    if body == GatewayBody.QUERY:
        said += parts.path
    for name in ("{to}", "{text}"):
        if name not in said:
            raise _wrong(variable, Said(f"`{name}` is missing", f"缺少 `{name}`"))
    field, equals, values = unquote(parts.fragment).partition("=")
    if parts.fragment and not (field and equals and values):
        raise _wrong(variable, Said("what follows `#` is not like `code=0`", "`#` 之后应为 `code=0` 的形式"))
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return HttpGateway(
        url=f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path or '/'}",
        login=_login(parts),
        body=body,
        parameters=parameters,
        field=field or None,
        good=frozenset(value.strip() for value in values.split(",")) if field else frozenset(),
    )


def _smtp_gateway(variable: str, parts: SplitResult) -> SmtpGateway:
    sender = parse_qs(parts.query).get("from", [""])[-1] or unquote(parts.username or "")
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", sender):
        raise _wrong(
            variable,
            Said(
                "the sender is missing: write `?from=milepost@example.org`",
                "缺少发件人：请写 `?from=milepost@example.org`",
            ),
        )
    tls = parts.scheme == "smtps"
    return SmtpGateway(
        host=parts.hostname or "",
        port=parts.port or (465 if tls else 587 if parts.username else 25),
        tls=tls,
        sender=sender,
        login=_login(parts),
    )


def _login(parts: SplitResult) -> tuple[str, str] | None:
    return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None


def gateway_request(gateway: HttpGateway, values: Mapping[str, str]) -> GatewayRequest:
    """The request for one message; `values`: by placeholder, such as ``to`` and ``text``.

    The values are data: they are put in after the address was taken apart, so nothing in them changes it.
    """
    filled = [(name, _fill(value, values)) for name, value in gateway.parameters]
    if gateway.body == GatewayBody.QUERY:
        quoted = {name: quote(value, safe="") for name, value in values.items()}
        query = urlencode(filled, quote_via=quote)
        return GatewayRequest("GET", _fill(gateway.url, quoted) + (f"?{query}" if query else ""), {}, b"")
    if gateway.body == GatewayBody.FORM:
        kind = "application/x-www-form-urlencoded; charset=utf-8"
        return GatewayRequest("POST", gateway.url, {"Content-Type": kind}, urlencode(filled).encode())
    return GatewayRequest("POST", gateway.url, {"Content-Type": "application/json"}, msgspec.json.encode(dict(filled)))


def _fill(template: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), template)


def gateway_outcome(gateway: HttpGateway, answer: SenderAnswer, now: float) -> SendOutcome:
    """What the gateway's answer says: by its status, and then by the field of the setting."""
    outcome = outcome_of_status(answer, now)
    if outcome.verdict != SendVerdict.TAKEN or gateway.field is None:
        return outcome
    said = _said(answer.body, gateway.field)
    if said is None:
        return SendOutcome(verdict=SendVerdict.UNKNOWN, why=f"the answer has no field {gateway.field}")
    if said in gateway.good:
        return outcome
    return SendOutcome(verdict=SendVerdict.FAILED, why=answer_text(f"answered with {gateway.field} {said}"))


def _said(body: bytes, field: str) -> str | None:
    """The value of a field of a JSON object as text; None if there is none."""
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    value = answer.get(field) if isinstance(answer, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int) else None
