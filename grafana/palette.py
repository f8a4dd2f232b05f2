"""The colours of the dashboards: the palette of Okabe and Ito for all kinds of colour vision
(https://jfly.uni-koeln.de/color). Each value is also shown as a word. Pure."""

from typing import Final

GREEN: Final = "#009E73"
ORANGE: Final = "#E69F00"
VERMILION: Final = "#D55E00"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
PURPLE: Final = "#CC79A7"
GREY: Final = "#8C8C8C"
NEUTRAL: Final = "text"
"""Grafana's name for the colour of its texts: of numbers that are neither good nor bad."""
SERIES: Final = (BLUE, ORANGE, GREEN, PURPLE)
"""Of curves, in their order; each has a dash of its own too."""

VERDICTS: Final = {
    "online": GREEN,
    "unusable": ORANGE,
    "offline": VERMILION,
    "away": YELLOW,
    "closed": BLUE,
    "excused": SKY,
    "unknown": PURPLE,
    "never_seen": GREY,
    "suspended": GREY,
}
SIGHT: Final = {"unknown": PURPLE, "seen": GREY}
SEVERITIES: Final = {"info": BLUE, "warning": ORANGE, "critical": VERMILION}
