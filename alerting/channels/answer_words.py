"""What came of an attempt in Chinese: attempts are stored with an English sentence. Pure.

A provider's own words stand behind the sentence and stay as they are.
"""

import re
from typing import Final

_CHINESE: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(english, re.DOTALL), chinese)
    for english, chinese in (
        (r"cannot be reached", "无法连接"),
        (r"no answer within (\S+) s", r"\1 秒内无应答"),
        (r"no answer in time", "未按时应答"),
        (r"answered with HTTP status (\d+)(?:, and redirects are not followed)?", r"应答 HTTP 状态码 \1"),
        (r"HTTP status (\d+), code (\S+)", r"应答 HTTP 状态码 \1，代码 \2"),
        (r"answered in a way that does not say whether it took the message", "应答中看不出是否已接收"),
        (r"answered with code (\S+): (.+)", r"应答代码 \1：\2"),
        (r"answered with (\S+) (.+)", r"应答 \1 为 \2"),
        (r"the answer has no field (\S+)", r"应答中没有字段 \1"),
        (r"refused with code (\S+?)(?:: (.+))?", r"被拒绝，代码 \1：\2"),
        (r"(MILEPOST_\w+) is not set", r"未设置 \1"),
        (r"the connection failed \((\w+)\)", r"连接中断（\1）"),
        (r"too many requests are under way", "同时进行的请求过多"),
        (r"too many attempts hang", "停滞的发送过多"),
        (r"the address is not valid", "地址无效"),
        (r"the address is none that apprise understands", "apprise 不识别该地址"),
        (r"was not accepted", "未被接收"),
        (r"apprise raised (\w+)", r"apprise 出错（\1）"),
        (r"the certificate or the encryption is refused", "证书或加密方式未通过"),
        (r"the server offers no STARTTLS before the password", "服务器不支持 STARTTLS，未发送密码"),
        (r"an error of Milepost \((\w+)\)", r"Milepost 出错（\1）"),
    )
)


def answer_in(text: str, language: str) -> str:
    """The sentence about an attempt in `language` (zh-CN or en); one without Chinese words is returned unchanged."""
    if language == "en":
        return text
    for pattern, chinese in _CHINESE:
        if found := pattern.fullmatch(text):
            return found.expand(chinese).removesuffix("：")
    return text
