"""The arguments of `milepost ledger` and `milepost verify`. It imports no other module of ours: help appears fast."""

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path

Say = Callable[[str, str], str]


def ledger(parser: argparse.ArgumentParser, say: Say) -> list[argparse.ArgumentParser]:
    """Arguments of `milepost ledger`; the parsers of its actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    key = actions.add_parser(
        "key",
        help=say("make or rotate the key that signs checkpoints", "生成或更换签署检查点的密钥"),
        description=say("Make or rotate the key that signs checkpoints.", "生成或更换签署检查点的密钥。"),
    )
    key.add_argument(
        "step",
        choices=("new", "rotate", "show"),
        help=say(
            "new: make a key in a new file; rotate: replace it by another, which both keys sign; show: its public half",
            "new：在新文件中生成；rotate：更换，并写入由两把密钥签署的条目；show：显示公钥",
        ),
    )
    key.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help=say("name of the ledger, such as example.org/ledger (new)", "账本名称，如 example.org/ledger（new）"),
    )
    _two_persons(key, say)
    reopen = actions.add_parser(
        "reopen",
        help=say(
            "begin another log after a restore, or when the log cannot go on",
            "恢复数据库后或账本无法继续时，另起新账本",
        ),
        description=say(
            "End a log that does not go on from its last checkpoint, and begin another one, whose first entry says "
            "what is missing. Needs two persons, the owner of the database, and that `milepost audit` is stopped.",
            "结束与最新检查点不一致的账本，另起新账本，其首条记录说明缺失的内容。需要两人操作，使用数据库所有者的登录账户，"
            "并先停止 `milepost audit`。",
        ),
    )
    _two_persons(reopen, say)
    export = actions.add_parser(
        "export",
        help=say("write everything that is sealed into a new folder", "将全部已封存内容写入新目录"),
        description=say("Write everything that is sealed into a new folder.", "将全部已封存内容写入新目录。"),
    )
    export.add_argument(
        "folder", type=Path, metavar="FOLDER", help=say("a folder that is not there yet", "尚不存在的目录")
    )
    _figures(export, say)
    witness = actions.add_parser(
        "witness",
        help=say("cosign the checkpoints of ledgers, as another office", "作为另一单位，见证账本的检查点"),
        description=say("Cosign the checkpoints of ledgers, as another office.", "作为另一单位，见证账本的检查点。"),
    )
    witness.add_argument(
        "folder", type=Path, metavar="FOLDER", help=say("key and memory of the witness", "见证方的密钥和记录所在的目录")
    )
    witness.add_argument(
        "--name", required=True, metavar="NAME", help=say("such as audit.example.org", "名称，如 audit.example.org")
    )
    witness.add_argument(
        "--log",
        action="append",
        required=True,
        metavar="KEY",
        help=say("public key of a ledger (can be repeated)", "账本的公钥（可重复）"),
    )
    witness.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help=say("address to listen on", "监听的地址")
    )
    witness.add_argument(
        "--port", type=int, default=8077, metavar="PORT", help=say("port (default 8077)", "端口（默认 8077）")
    )
    return [key, reopen, export, witness]


def _figures(parser: argparse.ArgumentParser, say: Say) -> None:
    for option, to, text in (
        ("--from", "from_day", say("with the figures of days, from this day on", "附上自此日起各日的数值")),
        ("--to", "to_day", say("the last day with figures", "附上数值的最后一日")),
    ):
        parser.add_argument(option, dest=to, type=date.fromisoformat, metavar="YYYY-MM-DD", help=text)
    parser.add_argument(
        "--area", metavar="CODE", help=say("figures of an area and all below it", "只附某区划及其下级的数值")
    )


def _two_persons(parser: argparse.ArgumentParser, say: Say) -> None:
    for option, text in (
        ("--account", say("login or id of the account that acts", "执行操作的账户的登录名或编号")),
        ("--second", say("login or id of the second account that agrees", "同意操作的第二个账户的登录名或编号")),
    ):
        parser.add_argument(option, metavar="LOGIN", help=text)


def verify(parser: argparse.ArgumentParser, say: Say) -> None:
    """Arguments of `milepost verify`."""
    parser.add_argument(
        "export",
        type=Path,
        metavar="EXPORT",
        help=say(
            "the folder of an export, or the sheet of a station (PDF or the text of its proof)",
            "导出所在的目录，或服务点报告（PDF 或证明文件）",
        ),
    )
    parser.add_argument(
        "--key",
        metavar="KEY",
        help=say("public key of the ledger, from somebody you trust", "账本的公钥，来自您信任的人"),
    )
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="KEY",
        help=say("public key of a witness (can be repeated)", "见证方的公钥（可重复）"),
    )
    parser.add_argument(
        "--older",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help=say("a checkpoint that you kept (can be repeated)", "您以前保存的检查点（可重复）"),
    )
