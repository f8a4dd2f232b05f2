"""Titles and sentences of reports, in zh-CN and en. Words of figures, causes and verdicts come from the glossary."""

from typing import Final

from audit.reports.assessment_texts import ASSESSMENT_TEXTS
from audit.reports.effect_texts import EFFECT_TEXTS
from audit.reports.programme_texts import PROGRAMME_TEXTS
from contract.said import Said

_OF_REPORTS: Final = EFFECT_TEXTS | ASSESSMENT_TEXTS | PROGRAMME_TEXTS
TEXTS: Final = {
    "uptime_title": Said("Uptime report: {place}", "在线统计报告：{place}"),
    "station_title": Said("Station report: {place}", "服务点报告：{place}"),
    "everything": Said("all stations in the scope", "权限范围内全部服务点"),
    "area": Said("Area", "区划"),
    "area_code": Said("Area code", "区划代码"),
    "station": Said("Station", "服务点"),
    "name": Said("Name", "名称"),
    "rank": Said("Rank", "名次"),
    "period": Said("Period", "统计时段"),
    "days": Said("Days counted", "已统计日期"),
    "days_between": Said("{first} to {last}", "{first} 至 {last}"),
    "no_days": Said("no day of this period is counted yet", "此时段内还没有已统计的日期"),
    "status": Said("Status", "状态"),
    "frozen": Said("frozen on {day}; later corrections are addenda", "已于 {day} 定稿，此后的更正列为附记"),
    "not_frozen": Said("not frozen yet: figures may still change", "尚未定稿，数据仍可能变化"),
    "of_year": Said("frozen months, and current figures of the other months", "已定稿的月份，及其余月份的现有数据"),
    "stations": Said("Stations", "服务点"),
    "stations_worst": Said("Stations, the lowest service rate first", "服务点（服务率由低到高）"),
    "areas_worst": Said("Areas, the lowest service rate first", "下级区划（服务率由低到高）"),
    "by_day": Said("By day", "按日"),
    "by_month": Said("By month", "按月"),
    "sums": Said("The period", "本期"),
    "this_period": Said("this period", "本期"),
    "with_addenda": Said("this period with addenda", "本期（含附记）"),
    "period_before": Said("period before ({name})", "上一期（{name}）"),
    "day": Said("Day", "日期"),
    "part": Said("Part", "时段"),
    "why": Said("Why", "原因"),
    "incidents": Said("Incidents", "事件数"),
    "not_online_ms": Said("time not online", "不在线时长"),
    "not_served_ms": Said("time without service", "未服务时长"),
    "never_online": Said("never online", "始终不在线"),
    "was_offline": Said("not online {time} of {due}", "应在线 {due}，不在线 {time}"),
    "was_unusable": Said("online and not usable, at least {time}", "在线但不可用，至少 {time}"),
    "link_was_down": Said("link down while it served, at least {time}", "断网期间仍提供服务，至少 {time}"),
    "was_unknown": Said("the platform cannot tell {time}", "平台无法判断 {time}"),
    "was_excused": Said("approved closures {time}", "已报备 {time}"),
    "lost_days": Said("days with losses: {n}, the most on {days}", "{n} 天有损失，最多的是 {days}"),
    "lost_on": Said("{day} ({time})", "{day}（{time}）"),
    "no_causes": Said("incidents without a cause: {n}", "{n} 起事件原因未查明"),
    "found_causes": Said("causes found: {causes}", "已查明原因：{causes}"),
    "nothing_due": Said("nothing was due", "无应在线时长"),
    "separator": Said("; ", "；"),
    "comma": Said(", ", "、"),
    "few_known": Said("coverage below 95%: no rate alone", "数据覆盖率低于 95%，比率不能单独引用"),
    "rates_note": Said(
        "Online rate = time online / time due. Service rate = time usable / service time due. Coverage = time due / "
        "(scheduled open time − excused time). Rates of an area are those of its sums, not means of rates; they are "
        "rounded down, so only the whole is 100%. A dash: nothing was due. Times are hours:minutes.",
        "在线率＝在线时长÷应在线时长；服务率＝可用时长÷应服务时长；数据覆盖率＝应在线时长÷（应开放时长－报备时长）。"
        "区划的比率为合计之比，不是平均数；比率向下取整，只有全部达到才为 100%。"
        "“–”表示无应在线时长。时长为“小时:分钟”。",
    ),
    "order_note": Said(
        "Stations without a service rate come last. Equal rates have the same rank; rates that differ only after the "
        "second decimal have different ranks.",
        "没有服务率的服务点排在最后；服务率相同的名次相同，仅在两位小数之后有差别的名次不同。",
    ),
    "chart": Said("Service rate by day, in percent", "每日服务率（%）"),
    "strip": Said("Main state of the station in each hour", "服务点每小时的主要状态"),
    "strip_served": Said("in service", "正常服务"),
    "strip_ran": Said("link down, in service", "断网期间仍提供服务"),
    "strip_not_open": Said("not open", "非开放时间"),
    "revisions": Said("Revisions", "修订记录"),
    "revision": Said("Revision", "版次"),
    "recorded": Said("Recorded on", "记录日期"),
    "causes": Said("Causes", "修订原因"),
    "difference": Said("Difference", "差额"),
    "addendum": Said("addendum", "附记"),
    "began": Said("Began (China time)", "开始时间（北京时间）"),
    "ended": Said("Closed (China time)", "关闭时间（北京时间）"),
    "kind": Said("Kind", "类型"),
    "incident": Said("Incident", "事件"),
    "cause": Said("Cause", "原因"),
    "made_up_title": Said("MADE-UP DATA · {title}", "虚构数据 · {title}"),
    "made_up_short": Said("made up", "虚构"),
    "made_up_note": Said(
        "All data of this report was made up for a demonstration: no station was measured.",
        "本报告的全部数据均为演示而虚构，并非任何服务点的实际监测结果。",
    ),
    "page": Said("page", "第"),
    "verify_title": Said("How to verify", "如何核验"),
    "no_checkpoint": Said(
        "The ledger has no signed checkpoint yet: this report cannot be verified.",
        "账本还没有签名的检查点：本报告暂不能核验。",
    ),
    "verify_export": Said(
        "1. Ask the operator for an export of the ledger with the figures. The operator runs: milepost ledger export "
        "FOLDER --from {first} --to {last}",
        "1. 向运营方索取含在线数据的账本导出文件。由运营方运行：milepost ledger export 目录 --from {first} --to {last}",
    ),
    "verify_figures": Said(
        "2. Run on your own machine: milepost verify FOLDER. The command checks signatures and hashes, and computes "
        "the figures of stations and days again, if the ledger has their sources.",
        "2. 在自己的电脑上运行：milepost verify 目录。该命令检查签名和哈希；"
        "账本中留有原始依据的，还会据此重新计算各服务点每日的数据。",
    ),
    "verify_checkpoint": Said(
        "3. Compare the checkpoint above, which the QR code has too, with the copy of the office that cosigns. The "
        "export must have the same checkpoint or a later one.",
        "3. 将上方检查点（二维码内容相同）与联署单位保存的副本比对；导出文件应含有相同或更晚的检查点。",
    ),
    "verify_checkpoint_alone": Said(
        "3. Keep the checkpoint above, which the QR code has too. The export must have the same checkpoint or a later "
        "one, and so must every later export.",
        "3. 请保存上方检查点（二维码内容相同）。本次及以后各次导出文件都应含有相同或更晚的检查点。",
    ),
    "cosigned": Said(
        "Another office signed this checkpoint (China time): {names}. Give its public key with --witness.",
        "其他单位已联署此检查点（北京时间）：{names}。核验时请用 --witness 给出其公钥。",
    ),
    "no_witness": Said(
        "No other office signed this checkpoint: who has the key and the database could have made another ledger.",
        "此检查点没有其他单位联署：同时持有密钥和数据库者可能另造账本。",
    ),
    "proof_verify": Said(
        "1. The proof is attached to this report as PDF, and is the file beside it in other formats. Run on your own "
        "machine: milepost verify FILE --key KEY, with the public key of the ledger.",
        "1. 证明文件附在 PDF 报告内；其他格式的报告旁另有证明文件。在自己的电脑上运行：milepost verify 文件 "
        "--key 密钥（账本的公钥）。",
    ),
    "proof_compare": Said(
        "2. The command prints the proven figures of each day. Compare them with the days of this report.",
        "2. 该命令显示每日已证明的数据；请与本报告的逐日数据比对。",
    ),
    "proof_digest": Said(
        "3. SHA-256 of the proof: {digest}. The QR code has this hash, and the origin, the size and the root of the "
        "checkpoint. The command prints the same values.",
        "3. 证明文件的 SHA-256：{digest}。二维码含此哈希及检查点的来源、条目数和根哈希；该命令会显示相同的值。",
    ),
    "proof_export": Said(
        "4. An export with the figures shows also that these are the newest revisions, and computes them again: "
        "milepost ledger export FOLDER --from {first} --to {last}, then milepost verify FOLDER.",
        "4. 含在线数据的导出文件还能证明以上为最新版次，并可重新计算：milepost ledger export 目录 --from {first} "
        "--to {last}，再运行 milepost verify 目录。",
    ),
    "proof_misses": Said(
        "Only an export can prove these days: {days}.",
        "以下日期只能用导出文件核验：{days}。",
    ),
} | _OF_REPORTS


def text(name: str, language: str, /, **values: object) -> str:
    """A text in `language` (zh-CN or en)."""
    return TEXTS[name].text(language).format(**values)
