"""The columns of each kind of import files. Pure."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

import msgspec

from contract.said import Said
from registry.codes import normal_code
from registry.importing.cells import (
    codes,
    dated,
    day,
    day_class,
    degrees,
    end,
    level,
    lifecycle,
    metric,
    moment,
    number,
    programmes,
    rules,
    schedule,
    station_id,
    target_id,
    text,
)
from registry.model import ALWAYS_OPEN


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a kind of import files."""

    #: The machine name, which a header may have.
    name: str
    #: The field of the entry that the column fills.
    field: str
    #: Reads a cell that is not empty; raises SaidError.
    read: Callable[[str], Any]
    #: Chinese headers of the column.
    called: tuple[str, ...]
    #: Whether a cell is free text, which stays as it is; in other cells full-width signs become plain ones.
    words: bool = False
    #: Whether a file must have the column.
    required: bool = False
    #: Whether a cell must not be empty, and the remedy for one that is.
    needed: Said | None = None
    #: The value of an empty cell.
    empty: Any = None
    #: Whether the values are secret: an export has only what stands for them, as a remark.
    secret: bool = False


AREAS: Final = (
    Column(
        name="code",
        field="code",
        read=normal_code,
        called=("区划代码", "代码", "行政区划代码", "编码"),
        required=True,
        needed=Said("give the area's code", "请填写区划代码"),
    ),
    Column(
        name="name",
        field="name",
        read=text(200),
        called=("名称", "区划名称", "行政区划"),
        words=True,
        required=True,
        needed=Said("give the area's name", "请填写区划名称"),
    ),
    Column(
        name="parent",
        field="parent",
        read=normal_code,
        called=("上级代码", "上级", "上级区划", "上级区划代码"),
        required=True,
    ),
    Column(name="name_en", field="name_en", read=text(200), called=("英文名称", "英文名"), words=True),
    Column(name="name_bo", field="name_bo", read=text(200), called=("藏文名称", "藏文名"), words=True),
    Column(name="level", field="level", read=level, called=("级别", "层级")),
    Column(name="valid_from", field="valid_from", read=day, called=("生效日期", "启用日期")),
    Column(name="valid_to", field="valid_to", read=day, called=("失效日期", "停用日期")),
    Column(name="successor", field="successor", read=normal_code, called=("继任代码", "变更后代码")),
)

STATIONS: Final = (
    Column(
        name="id",
        field="id",
        read=station_id,
        called=("编号", "服务点编号", "站点编号"),
        required=True,
        needed=Said("give the station's id", "请填写服务点编号"),
    ),
    Column(
        name="name",
        field="name",
        read=text(200),
        called=("名称", "服务点名称", "站点名称"),
        words=True,
        required=True,
        needed=Said("give the station's name", "请填写服务点名称"),
    ),
    Column(
        name="area",
        field="area",
        read=normal_code,
        called=("区划代码", "所属区划", "行政区划代码", "所属区划代码"),
        required=True,
        needed=Said("give the code of the area that the station lies in", "请填写服务点所在区划的代码"),
    ),
    Column(name="name_en", field="name_en", read=text(200), called=("英文名称", "英文名"), words=True),
    Column(name="name_bo", field="name_bo", read=text(200), called=("藏文名称", "藏文名"), words=True),
    Column(name="kind", field="kind", read=text(64), called=("类型", "服务点类型"), words=True),
    Column(name="lat", field="lat", read=degrees(90), called=("纬度",)),
    Column(name="lon", field="lon", read=degrees(180), called=("经度",)),
    Column(name="lifecycle", field="lifecycle", read=lifecycle, called=("状态", "生命周期"), empty="commissioned"),
    Column(name="commissioned", field="commissioned_at", read=moment, called=("启用日期", "启用时间", "投用日期")),
    Column(name="isp", field="isp", read=text(200), called=("运营商", "网络运营商"), words=True),
    Column(name="feeder", field="feeder", read=text(200), called=("供电线路", "馈线"), words=True),
    Column(name="address", field="address", read=text(500), called=("地址", "详细地址"), words=True),
    Column(
        name="schedule", field="schedule", read=schedule, called=("开放时间", "营业时间"), words=True, empty=ALWAYS_OPEN
    ),
    Column(name="programmes", field="programmes", read=programmes, called=("工程", "所属工程"), words=True, empty=()),
)

SCHEDULES: Final = (
    Column(
        name="kind",
        field="kind",
        read=text(64),
        called=("类型", "服务点类型"),
        words=True,
        required=True,
        needed=Said("give the kind of the stations", "请填写服务点类型"),
    ),
    Column(
        name="schedule",
        field="rules",
        read=rules,
        called=("开放时间", "营业时间"),
        words=True,
        required=True,
        needed=Said("give opening rules", "请填写开放时间"),
    ),
    # Required, because it is part of the key.
    Column(name="from", field="valid_from", read=day, called=("生效日期", "开始日期"), required=True, empty=date.min),
)

OVERRIDES: Final = (
    Column(
        name="from",
        field="first",
        read=day,
        called=("开始日期", "起始日期"),
        required=True,
        needed=Said("give the first day", "请填写开始日期"),
    ),
    Column(
        name="until",
        field="last",
        read=day,
        called=("结束日期", "截止日期"),
        required=True,
        needed=Said("give the last day", "请填写结束日期"),
    ),
    Column(
        name="hours",
        field="rules",
        read=dated,
        called=("开放时间", "营业时间"),
        words=True,
        required=True,
        needed=Said("say off, 10:00-14:00 or +18:00-21:00", "请填写休息、10:00-14:00 或加开18:00-21:00"),
    ),
    Column(name="station", field="station", read=station_id, called=("服务点编号", "编号", "站点编号")),
    Column(name="kind", field="kind", read=text(64), called=("类型", "服务点类型"), words=True),
    Column(name="area", field="area", read=normal_code, called=("区划代码", "所属区划")),
    Column(name="reason", field="reason", read=text(500), called=("原因", "事由"), words=True),
)

DAYS: Final = (
    Column(
        name="day",
        field="day",
        read=day,
        called=("日期",),
        required=True,
        needed=Said("give the day", "请填写日期"),
    ),
    Column(
        name="class",
        field="day_class",
        read=day_class,
        called=("类别", "日期类别"),
        required=True,
        needed=Said("say what sort of day it is", "请填写日期类别"),
    ),
    Column(name="name", field="title", read=text(200), called=("名称", "节日名称"), words=True),
)

CLOSURES: Final = (
    Column(
        name="station",
        field="station",
        read=station_id,
        called=("服务点编号", "编号", "站点编号"),
        required=True,
        needed=Said("give the station's id", "请填写服务点编号"),
    ),
    Column(
        name="from",
        field="from_at",
        read=moment,
        called=("开始时间", "开始日期"),
        required=True,
        needed=Said("say when it begins", "请填写开始时间"),
    ),
    Column(
        name="until",
        field="until_at",
        read=end,
        called=("结束时间", "结束日期"),
        required=True,
        needed=Said("say when it ends", "请填写结束时间"),
    ),
    Column(
        name="reason",
        field="reason",
        read=text(500),
        called=("原因", "事由"),
        words=True,
        required=True,
        needed=Said("say why it is closed", "请填写闭馆原因"),
    ),
    Column(name="declared_by", field="declared_by", read=text(200), called=("申报人",), words=True, empty="import"),
    Column(name="approved_by", field="approved_by", read=text(200), called=("审批人", "批准人"), words=True),
)

TARGETS: Final = (
    Column(
        name="id",
        field="id",
        read=target_id,
        called=("编号", "目标编号"),
        required=True,
        needed=Said("give the target's id", "请填写目标编号"),
    ),
    Column(
        name="name",
        field="name",
        read=text(200),
        called=("名称", "目标名称"),
        words=True,
        required=True,
        needed=Said("give the target's name", "请填写目标名称"),
    ),
    Column(
        name="metric",
        field="metric",
        read=metric,
        called=("指标",),
        required=True,
        needed=Said("say what is counted", "请填写指标"),
    ),
    Column(
        name="areas",
        field="areas",
        read=codes,
        called=("区划代码", "区划", "区域"),
        required=True,
        needed=Said("name the areas that it is for", "请填写目标所在区划的代码"),
    ),
    Column(name="programme", field="programme", read=text(64), called=("工程", "所属工程"), words=True),
    Column(name="level", field="level", read=level, called=("级别", "层级")),
    Column(name="threshold", field="threshold", read=number, called=("目标值", "阈值")),
    Column(name="deadline", field="deadline", read=day, called=("截止日期", "期限")),
    Column(name="language", field="language", read=text(64), called=("语言", "资源语言")),
)
