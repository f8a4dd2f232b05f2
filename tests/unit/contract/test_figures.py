"""Figures of health as people read them."""

import pytest

from contract.figures import figure


@pytest.mark.parametrize(
    ("name", "field", "value", "zh", "en"),
    [
        ("a fraction is per cent", "disk", 0.97, "97%", "97%"),
        ("no more digits than a person reads", "memory", 0.95128, "95.1%", "95.1%"),
        ("all of it", "cpu", 1.0, "100%", "100%"),
        ("a temperature", "temperature", 86.5, "86.5 °C", "86.5 °C"),
        ("thousands are set apart", "rtt_ms", 12500.0, "12,500 毫秒", "12,500 ms"),
        ("a length of time", "clock_offset", 300.0, "300 秒", "300 s"),
        ("a number of things", "outbox_dropped", 3.0, "3 条", "3 records"),
        ("a version is a text", "agent", "0.1.0", "0.1.0", "0.1.0"),
        ("a field of a later version has no unit here", "humidity", 0.5, "0.5", "0.5"),
    ],
)
def test_a_figure_has_its_unit(name: str, field: str, value: float | str, zh: str, en: str) -> None:
    assert (figure(field, value, "zh-CN"), figure(field, value, "en")) == (zh, en), name
