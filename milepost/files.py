"""How many files and sockets this process and its children may have open."""

import resource
from typing import Final

from contract.errors import RemedyError

SPARE_FILES: Final = 500


def raise_file_limit(connections: int) -> None:
    """Let this process have a socket for each terminal. Raises RemedyError when the system forbids it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise RemedyError(
            f"{connections} terminals need {wanted} open files, this user may have {hard}: "
            "raise the limit (ulimit -Hn), or simulate fewer",
            f"{connections} 台终端需要打开 {wanted} 个文件，此用户最多 {hard} 个："
            "请提高上限（ulimit -Hn），或减少模拟的数量",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
