"""The sentences and labels of the pages of assessments, in zh-CN and en; the report has the others."""

from typing import Final

ZH: Final = {
    "assessments": "考核",
    "all_assessments": "全部考核",
    "assessments_say": "考核按规则给区划和服务点计分，每项失分都有原因。考核一经作出即不再变化；新的版次须写明原因。",
    "assessments_none": "没有考核。可用命令 milepost assess make 或接口进行考核。",
    "assessment_revision": "第 {n} 版",
    "assessment_points": "{n} 分",
    "assessment_rank": "第 {n} 名",
    "assessment_change": "较上期 {n}",
    "assessment_more": "只显示得分最低的 {n} 个；下载报告可查看全部。",
    "assessment_lossless": "没有失分",
    "assessment_made_by": "考核人",
}
EN: Final = {
    "assessments": "Assessments",
    "all_assessments": "All assessments",
    "assessments_say": "An assessment gives points to areas and stations by rules, with a reason for each lost point. "
    "It never changes after it was made; a further revision has its reason.",
    "assessments_none": "There is no assessment. Make one with the command milepost assess make or the API.",
    "assessment_revision": "Revision {n}",
    "assessment_points": "{n} points",
    "assessment_rank": "Rank {n}",
    "assessment_change": "change {n}",
    "assessment_more": "The {n} with the fewest points are shown; the report has all.",
    "assessment_lossless": "no lost points",
    "assessment_made_by": "Made by",
}
