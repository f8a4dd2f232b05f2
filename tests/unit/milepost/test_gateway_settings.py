"""A wrong gateway stops `milepost deliver` and `milepost notify` at the start; the error names the variable only."""

import pytest

from milepost.cli import run

DATABASE = {"MILEPOST_DATABASE_URL": "postgresql://u@127.0.0.1:9/d"}


@pytest.mark.parametrize("words", [["deliver"], ["notify", "test", "li"]])
@pytest.mark.parametrize(
    ("variable", "value", "en", "zh"),
    [
        ("MILEPOST_SMS_GATEWAY", "geheim", "has a wrong form", "格式有误"),
        ("MILEPOST_SMS_GATEWAY", "https://geheim/?m={to}", "`{text}` is missing", "缺少 `{text}`"),
        ("MILEPOST_MAIL_GATEWAY", "smtp://geheim.cn", "the sender is missing", "缺少发件人"),
    ],
)
def test_a_wrong_gateway(
    words: list[str], variable: str, value: str, en: str, zh: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for language, said in (("C.UTF-8", en), ("zh_CN.UTF-8", zh)):
        assert run(words, {**DATABASE, variable: value, "LC_ALL": language}) == 2
        shown = capsys.readouterr().err
        assert variable in shown and said in shown
        assert "geheim" not in shown
