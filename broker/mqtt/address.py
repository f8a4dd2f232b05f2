"""Where the MQTT broker is, and the remedies when it does not let the bridge in. Pure."""

from urllib.parse import unquote, urlsplit

import msgspec

from contract.errors import RemedyError


class MqttAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Host and port of the broker, whether it wants TLS, and the user to log in as."""

    host: str
    port: int
    tls: bool
    username: str | None = None

    @classmethod
    def parse(cls, url: str) -> "MqttAddress":
        """Take mqtt://[user@]host[:port] or mqtts://… apart; raises RemedyError."""
        shown = url.rpartition("@")[2]  # before it there may be a password
        wrong = RemedyError(
            f"MQTT address {shown!r} is not mqtt://HOST:PORT or mqtts://HOST:PORT: correct MILEPOST_MQTT_URL",
            f"MQTT 地址 {shown!r} 不是 mqtt://HOST:PORT 或 mqtts://HOST:PORT：请改正 MILEPOST_MQTT_URL",
        )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as exc:
            raise wrong from exc
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise wrong
        if parts.password:
            raise RemedyError(
                f"MILEPOST_MQTT_URL has the password of {shown} in it: "
                "put it into a file and name that in MILEPOST_MQTT_PASSWORD_FILE",
                f"MILEPOST_MQTT_URL 中含有 {shown} 的密码："
                "请将密码写入文件，并在 MILEPOST_MQTT_PASSWORD_FILE 中指定该文件",
            )
        tls = parts.scheme == "mqtts"
        user = unquote(parts.username) if parts.username else None
        return cls(host=parts.hostname, port=port or (8883 if tls else 1883), tls=tls, username=user)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def untrusted_certificate(address: MqttAddress, why: str) -> RemedyError:
    """The broker's certificate is not signed by a CA that is trusted here; `why` is the verification's message."""
    return RemedyError(
        f"the certificate of the MQTT broker at {address} is not trusted ({why}): "
        "set MILEPOST_MQTT_CA_FILE to the CA that signed it",
        f"{address} 的 MQTT 代理证书不受信任（{why}）：请将 MILEPOST_MQTT_CA_FILE 设为签发它的 CA",
    )


def refused_user(address: MqttAddress) -> RemedyError:
    """The broker does not accept the user or the password."""
    return RemedyError(
        f"the MQTT broker at {address} refuses user "
        f"{address.username!r}: correct the user in MILEPOST_MQTT_URL and MILEPOST_MQTT_PASSWORD_FILE",
        f"{address} 的 MQTT 代理拒绝用户 {address.username!r}："
        "请改正 MILEPOST_MQTT_URL 中的用户和 MILEPOST_MQTT_PASSWORD_FILE",
    )


def refused_subscription(address: MqttAddress, topic: str) -> RemedyError:
    """The broker's access rules do not allow a subscription that the bridge needs."""
    return RemedyError(
        f"the MQTT broker does not let user {address.username!r} subscribe to {topic}: "
        "allow it in the broker's access rules, as broker/acl does",
        f"MQTT 代理不允许用户 {address.username!r} 订阅 {topic}：请在代理的访问规则中放行，参见 broker/acl",
    )
