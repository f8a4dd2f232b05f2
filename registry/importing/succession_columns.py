"""The columns of files of successions of areas. Pure."""

from typing import Final

from contract.said import Said
from registry.codes import normal_code
from registry.importing.cells import day
from registry.importing.columns import Column
from registry.importing.routing.duty_columns import REMOVE

SUCCESSIONS: Final = (
    Column(
        name="old",
        field="old",
        read=normal_code,
        called=("原代码", "变更前代码", "旧代码"),
        required=True,
        needed=Said("give the code of the area that ended", "请填写变更前的区划代码"),
    ),
    Column(
        name="new",
        field="new",
        read=normal_code,
        called=("现代码", "变更后代码", "新代码"),
        required=True,
        needed=Said("give the code of the area that follows", "请填写变更后的区划代码"),
    ),
    Column(
        name="on",
        field="on",
        read=day,
        called=("变更日期", "生效日期"),
        required=True,
        needed=Said("give the first day of the new area", "请填写变更生效的日期"),
    ),
    REMOVE,
)
