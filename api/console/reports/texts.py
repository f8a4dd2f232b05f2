"""The sentences and labels of the pages of reports, in zh-CN and en."""

from typing import Final

ZH: Final = {
    "programmes": "工程目标",
    "effect": "服务效能",
    "programmes_day": "截至日期",
    "programmes_none": "没有区划全部在此范围内的目标。请从文件导入目标。",
    "report_more": "只显示前 {n} 行，其余见下载的报告",
    "report_too_many": "服务点过多，无法在页面上显示：请选择较小的区划，或运行 milepost report。",
    "report_unknown": "没有这个区划。",
    "report_bad_day": "请按 2026-11-30 的格式填写日期。",
    "report_what": "报告说明",
}
EN: Final = {
    "programmes": "Programmes",
    "effect": "Effect",
    "programmes_day": "As of the end of",
    "programmes_none": "There is no target whose areas all lie here. Import targets from a file.",
    "report_more": "The first {n} rows are shown; the downloaded report has all",
    "report_too_many": "There are too many stations for a page: choose a smaller area, or run milepost report.",
    "report_unknown": "There is no such area.",
    "report_bad_day": "Give a day as 2026-11-30.",
    "report_what": "About this report",
}
