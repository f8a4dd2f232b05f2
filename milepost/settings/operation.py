"""Settings: notifications, the watch over Milepost itself, Grafana, language and logs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from milepost.language import Language
from milepost.settings.values import AlertUrls, DatabaseUrl, GatewayUrl, Name, Secret, WebUrl


@dataclass(frozen=True, kw_only=True)
class OperationSection:
    """Notifications, the watch over Milepost itself, Grafana, language and logs."""

    alert_urls: Annotated[
        AlertUrls | None,
        Meta(
            description="Notification channels: apprise URLs, or the https addresses of WeCom, DingTalk and "
            "Feishu bots."
        ),
    ] = None
    sms_gateway: Annotated[
        GatewayUrl | None,
        Meta(
            description="Gateway through which SMS go to contacts, with the places `{to}` and `{text}` "
            "(docs/alerts.md). Unset: SMS channels are refused."
        ),
    ] = None
    mail_gateway: Annotated[
        GatewayUrl | None,
        Meta(
            description="Gateway through which mail goes to contacts: `smtp://`, `smtps://`, or as for SMS "
            "(docs/alerts.md). Unset: mail channels are refused."
        ),
    ] = None
    alert_log: Annotated[
        Path | None, Meta(description="File to which each notification is also written, one line each.")
    ] = None
    next_channel_after: Annotated[
        Annotated[float, Meta(ge=1, le=15)],
        Meta(
            description="Seconds within which a provider must answer a critical page. After that, the next channel of "
            "the contact is tried too; a later receipt still counts. The timeout of an attempt is 15 s."
        ),
    ] = 8.0
    pages_days: Annotated[
        Annotated[int, Meta(ge=31, le=36_500)],
        Meta(
            description="Days for which notifications, messages to contacts and their links are kept after their "
            "incident has closed, with every attempt to send them; the incident and the ledger stay."
        ),
    ] = 400
    admin_token_file: Annotated[
        Path | None, Meta(description="File with the token of the first administrator of the API.")
    ] = None
    watch_limit: Annotated[
        Annotated[float, Meta(ge=40, le=3600)],
        Meta(description="Seconds within which `milepost watch` notifies people that a part of Milepost has stopped."),
    ] = 60.0
    api_url: Annotated[
        WebUrl | None,
        Meta(
            description="Address at which `milepost watch` and `milepost signin` reach the API. Unset: the "
            "address on which the API listens."
        ),
    ] = None
    deadman_url: Annotated[
        Annotated[
            Secret,
            Meta(
                extra={
                    "allowed": "`http://…` or `https://…`",
                    "allowed_zh": "`http://…` 或 `https://…`",
                    "pattern": r"^https?://\S+$",
                    "has_ports": True,
                }
            ),
        ]
        | None,
        Meta(
            description="External dead man's switch: `milepost watch` requests this address every minute "
            "while everything works. The external service must raise the alarm when the "
            "requests stop."
        ),
    ] = None
    grafana_url: Annotated[
        WebUrl | None, Meta(description="Grafana to which `milepost grafana sync` writes the dashboards.")
    ] = None
    grafana_token: Annotated[
        Secret | None, Meta(description="Token of a Grafana service account with the role Admin.")
    ] = None
    reader_url: Annotated[
        DatabaseUrl | None,
        Meta(description="PostgreSQL address for Grafana, with an account that can only read."),
    ] = None
    ledger_key: Annotated[
        Path | None,
        Meta(
            description="File with the secret key that signs the checkpoints of the ledger, mode 600; made at the "
            "first start of `milepost audit` with an empty ledger."
        ),
    ] = None
    ledger_checkpoint: Annotated[
        Path | None,
        Meta(
            description="File with the newest checkpoint of the ledger, outside the database and its disk. A database "
            "that does not reach it, or has another past, is refused."
        ),
    ] = None
    ledger_witnesses: Annotated[
        Path | None,
        Meta(
            description="File with the witnesses of the ledger, one a line: public key and address. Unset: no witness, "
            "and every verification says so."
        ),
    ] = None
    ledger_copies: Annotated[
        Path | None,
        Meta(
            description="File with places that get copies of checkpoints, one a line: a whole path, an address "
            "`https://…` that gets a POST (at most each minute, at least each hour), or `mailto:…`, which gets a mail "
            "each day through `MILEPOST_MAIL_GATEWAY`."
        ),
    ] = None
    fonts: Annotated[
        Path | None,
        Meta(
            description="Directory with the fonts of PDF reports, for the same bytes on each machine. Unset: the fonts "
            "of this machine."
        ),
    ] = None
    language: Annotated[
        Language,
        Meta(
            description="Language of notifications; in `milepost demo` also of its story, there by default "
            "the language of the locale."
        ),
    ] = "zh-CN"
    log_format: Annotated[Literal["text", "json"], Meta(description="Format of log lines.")] = "text"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Minimum level of log lines.")
    ] = "info"
    instance: Annotated[
        Name | None,
        Meta(description="Name of this process among processes of its kind. Unset: host name and process id."),
    ] = None
