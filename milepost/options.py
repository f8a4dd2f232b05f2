"""The options of commands beyond their settings. Apart, so that showing help loads nothing else."""

import argparse
from pathlib import Path


def up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stations", type=int, default=0, metavar="N", help="also simulate N stations (default 0)")


def demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--exit", action="store_true", help="end after the story: 0 only if every step was seen")
    parser.add_argument("--keep", action="store_true", help="keep the data directory that the demo made")


def simulate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stations", type=int, required=True, metavar="N", help="how many stations to simulate")
    parser.add_argument("--terminals", type=int, default=1, metavar="N", help="terminals at each station (default 1)")
    parser.add_argument("--every", type=float, default=60, metavar="S", help="seconds between heartbeats (default 60)")
    parser.add_argument("--sample", type=float, metavar="S", help="seconds between samples (default 5 heartbeats)")
    parser.add_argument("--broker", metavar="URL", help="the MQTT broker, mqtt://host:port (default MILEPOST_MQTT_URL)")
    parser.add_argument("--seconds", type=float, metavar="D", help="how long (default until Ctrl-C)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the seed of all that is random (default 1)")
    parser.add_argument("--script", type=Path, metavar="FILE", help="a timetable of what is done to whom")
    parser.add_argument("--bridge-pid", type=int, metavar="PID", help="the bridge that `stall` in a timetable stops")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="write what was sent and done into this file")
    parser.add_argument("--check", metavar="URL", help="then compare the journal with what the API at URL says")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="the file with the API's token")


def import_file(parser: argparse.ArgumentParser) -> None:
    kinds = ("areas", "stations", "closures", "targets", "schedules", "overrides", "days")
    parser.add_argument("what", choices=kinds, help="what the file holds")
    parser.add_argument("file", type=Path, help="CSV with a header, or XLSX")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--skip-bad", action="store_true", help="apply the good rows although there are bad ones")
    parser.add_argument(
        "--ids-as-written", action="store_true", help="ids that look as if they lost leading zeros are right"
    )
    parser.add_argument("--places-as-written", action="store_true", help="coordinates that are in doubt are right")
    parser.add_argument("--clear-blank", action="store_true", help="let empty cells clear what is stored")


def backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="where to write it; there must be none yet")


def restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="what `milepost backup` wrote")


def account(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", metavar="STATION", help="the id of the station, which is the name of its account")
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--renew", action="store_true", help="give it a new password instead of the one it has")
    change.add_argument("--remove", action="store_true", help="take the account away")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the password (STATION.password)")


def announce_restart(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=5.0, metavar="N", help="how long it may take, at most 10 (5)")
    parser.add_argument("--reason", required=True, help="why, for those who ask later")
    parser.add_argument("--by", default="operator", metavar="WHO", help="who announces it (operator)")


def schedule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("check",), help="say how opening rules are read")
    parser.add_argument("rules", help="such as 'Mo-Fr 09:00-17:30; Sa,Su 10:00-16:00; HD off'")
    parser.add_argument("--days", type=int, default=14, metavar="N", help="days to show, 0 to 400 (default 14)")


def grafana(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("sync",), help="bring folder, data source and dashboards there")
    parser.add_argument("--url", metavar="URL", help="Grafana, https://… (default MILEPOST_GRAFANA_URL)")
    parser.add_argument(
        "--token",
        metavar="TOKEN",
        help="a service account's token; everybody on this machine sees it: better put it into a file and name that "
        "in MILEPOST_GRAFANA_TOKEN_FILE",
    )
    parser.add_argument("--force", action="store_true", help="write what is as it should be too, and the password")


def agent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--station", required=True, metavar="ID", help="the id of this station")
    parser.add_argument("--terminal", default="001", metavar="ID", help="the id of this terminal (default 001)")
    parser.add_argument(
        "--broker", metavar="URL", help="the MQTT broker, mqtts://host:port (default MILEPOST_MQTT_URL)"
    )
    parser.add_argument("--every", type=float, default=60, metavar="S", help="seconds between heartbeats (default 60)")
    parser.add_argument("--sample", type=float, default=300, metavar="S", help="seconds between samples (default 300)")
    parser.add_argument("--disk", type=Path, default=Path("/"), metavar="PATH", help="the disk to watch (default /)")
    parser.add_argument("--usable", choices=("yes", "no"), help="what to say about whether visitors can use it")
    parser.add_argument(
        "--usable-command", default="", metavar="CMD", help="run this to find out; status 0 means usable"
    )
    parser.add_argument(
        "--service",
        action="append",
        default=[],
        metavar="NAME=CHECK",
        help="a service to watch: tcp://host:port or process:name; can be given several times",
    )
    parser.add_argument("--wifi", metavar="INTERFACE", help="the network interface of the access point")
    parser.add_argument(
        "--reports", type=Path, metavar="DIR", help="where other programs leave usage counts and the list of resources"
    )
    parser.add_argument("--accept-unsigned", action="store_true", help="obey commands and settings without a signature")
