"""Running a command of Milepost that ends by itself."""

from contextlib import suppress
from pathlib import Path

from contract.errors import RemedyError
from milepost.processes import children
from milepost.settings import Settings
from milepost.stack.environs import command_environ, own_command


async def run_one_off(name: str, *arguments: str, settings: Settings, logs: Path) -> None:
    """Run a command to its end, its output in `logs`/NAME.log. Raises RemedyError with its error message."""
    log = logs / f"{name}.log"
    offset = log.stat().st_size if log.exists() else 0
    process = await children.spawn(own_command(name, *arguments), log=log, environ=command_environ(name, settings))
    try:
        status = await process.wait()
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        raise
    if status != 0:
        said = children.complaint(log, offset=offset)
        raise RemedyError(
            said or f"`milepost {name}` failed: see {log}", said or f"`milepost {name}` 失败：请查看 {log}"
        )
