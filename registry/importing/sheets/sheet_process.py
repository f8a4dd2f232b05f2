"""Reads a table file in a separate process, so that a malicious or damaged workbook cannot harm this one.

The reader of workbooks is native code, and the unpacked size of a small file is known only afterwards. The process has
limits of memory and processor time.
"""

import subprocess
import sys
from typing import Final

import msgspec

from contract.environ import bare_environ
from contract.errors import RemedyError
from contract.said import Said
from registry.importing.sheets.lines import Sheet
from registry.importing.sheets.sheet import XLSX, read_sheet

MAX_MEMORY: Final = 4 * 1024 * 1024 * 1024
MAX_SECONDS: Final = 300
"""Seconds of processor time; the limit of elapsed time is twice as long."""


class _ReadResult(msgspec.Struct, frozen=True):
    sheet: Sheet | None = None
    problem: Said | None = None


def read_apart(content: bytes, *, memory: int = MAX_MEMORY) -> Sheet:
    """As `read_sheet`, but workbooks are read in a separate process with `memory` bytes.

    Raises RemedyError.
    """
    if not content.startswith(XLSX):
        return read_sheet(content)
    command = [sys.executable, "-P", "-m", __name__, str(memory)]
    environ = bare_environ()  # without secrets, in case a workbook takes over the process
    try:
        done = subprocess.run(
            command, input=content, env=environ, capture_output=True, timeout=2 * MAX_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _too_much() from None
    if done.returncode != 0:
        raise _too_much()
    answer = msgspec.msgpack.decode(done.stdout, type=_ReadResult)
    if answer.sheet is None:
        said = answer.problem or Said("nothing was read", "没有读到内容")
        raise RemedyError(said.en, said.zh)
    return answer.sheet


def _too_much() -> RemedyError:
    return RemedyError(
        "the workbook takes more memory or time than an import may: copy the table alone into a new workbook, or save "
        "it as CSV UTF-8",
        "读取该工作簿所需的内存或时间超过限制：请只把表格复制到新工作簿，或另存为 CSV UTF-8",
    )


def _limit(memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    _lower(resource.RLIMIT_AS, memory)
    _lower(resource.RLIMIT_CPU, MAX_SECONDS)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(kind: int, wanted: int) -> None:
    import resource

    _, most = resource.getrlimit(kind)
    value = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(kind, (value, most))


def _main() -> None:
    _limit(int(sys.argv[1]))
    try:
        answer = _ReadResult(sheet=read_sheet(sys.stdin.buffer.read()))
    except RemedyError as exc:
        answer = _ReadResult(problem=exc.said)
    except MemoryError:
        sys.exit(1)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    _main()
