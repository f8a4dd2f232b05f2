"""The demo's timetable: what is done, what must be seen of it in the system, and within how many seconds."""

from milepost.demo.bad_terminals import CLONED
from milepost.demo.fleet import STATIONS, TERMINALS
from milepost.demo.past import DAYS
from milepost.demo.people import CLIMBS, TECHNICIAN
from milepost.demo.story import BrokenStepError, StoryStep, StoryText
from milepost.demo.world import DemoWorld

# What the story promises, in seconds but for MISSED. None of these is read from the system.
EVERY = 2.0
MISSED = 3
DEADLINE = EVERY * MISSED
GRACE = 2 * EVERY + 10.0
OUTAGE = 30.0
EARLY, LATE = 0.5, 3.0
# So many seconds without a change end an outage of many stations.
OVER = 10.0
# So many seconds without the fault prove a repair.
STABLE = 6.0


async def offline_in_time(world: DemoWorld) -> dict[str, object] | None:
    """The silence after which the station went offline. BrokenStepError when it does not fit the deadline."""
    facts = await world.verdict_is("offline")
    if facts is None:
        return None
    silent = world.silent
    if not DEADLINE - EARLY <= silent <= DEADLINE + LATE:
        raise BrokenStepError(
            f"OFFLINE after {silent:.1f} s of silence, deadline {DEADLINE:.1f} s",
            f"静默 {silent:.1f} 秒后判为离线，期限为 {DEADLINE:.1f} 秒",
        )
    return {**facts, "silent": silent}


STORY: tuple[StoryStep[DemoWorld], ...] = (
    StoryStep(
        name="terminal online",
        announced=StoryText(
            f"{STATIONS} stations of Haidong start, {TERMINALS} terminals each, and the agent of this machine",
            f"海东市 {STATIONS} 个服务点启动，每点 {TERMINALS} 台终端；本机终端程序同时启动",
        ),
        act=DemoWorld.start_all,
        see=lambda world: world.verdict_is("online"),
        limit=20,
        text=StoryText("station {station}, terminal 001: ONLINE", "服务点 {station}，终端 001：在线"),
    ),
    StoryStep(
        name="all online",
        see=lambda world: world.all_online(),
        limit=20,
        text=StoryText("{online} of {total} stations of Haidong: ONLINE", "海东市 {total} 个服务点中 {online} 个在线"),
    ),
    StoryStep(
        name="health stored",
        see=lambda world: world.health(),
        limit=20,
        text=StoryText(
            "its health is stored: CPU {cpu:.0%}, memory {mem:.0%}, disk {disk:.0%}",
            "健康数据已入库：CPU {cpu:.0%}，内存 {mem:.0%}，磁盘 {disk:.0%}",
        ),
    ),
    StoryStep(
        name="settled",
        announced=StoryText(
            f"after a start no station is judged before the pipeline has been sound for {GRACE:.0f} s",
            f"启动后数据通道须连续可信 {GRACE:.0f} 秒，之前不作判定",
        ),
        see=lambda world: world.online_for(GRACE + 1),
        limit=GRACE + 15,
        text=StoryText("still ONLINE, the pipeline is trusted", "仍在线，数据通道可信"),
    ),
    StoryStep(
        name="terminal offline",
        announced=StoryText(
            f"the agent is killed (kill -9): no farewell, deadline {DEADLINE:.1f} s after its last heartbeat",
            f"终端程序被强行杀死（kill -9），来不及告别；期限为最后一次心跳后 {DEADLINE:.1f} 秒",
        ),
        act=DemoWorld.kill_agent,
        see=offline_in_time,
        limit=DEADLINE + LATE + 5,
        text=StoryText(
            f"station {{station}} silent, deadline {DEADLINE:.1f} s, OFFLINE at {{silent:.1f}} s",
            f"服务点 {{station}} 失联，期限 {DEADLINE:.1f} 秒，{{silent:.1f}} 秒时判为离线",
        ),
    ),
    StoryStep(
        name="incident open",
        see=lambda world: world.incident_opened(),
        limit=10,
        text=StoryText("incident {incident} is open at {silent:.1f} s", "{silent:.1f} 秒时已建单：故障 {incident}"),
    ),
    StoryStep(
        name="alert delivered",
        see=lambda world: world.alert("opened"),
        limit=10,
        text=StoryText("alert delivered at {silent:.1f} s: {title}", "{silent:.1f} 秒时告警已送达：{title}"),
    ),
    StoryStep(
        name="technician told",
        see=lambda world: world.people.told(TECHNICIAN, world.incident, "opened"),
        limit=10,
        text=StoryText(
            "the phone of {name}, technician, has a message: {title}", "维护人员{name}的手机收到消息：{title}"
        ),
    ),
    StoryStep(
        name="acknowledged",
        announced=StoryText(
            "the technician opens the link of the message, without a sign-in, and acknowledges with an expected end",
            "维护人员打开消息中的链接，无需登录，确认并给出预计恢复时间",
        ),
        act=lambda world: world.people.acknowledge(world.incident),
        see=lambda world: world.people.owned(world.incident),
        limit=10,
        text=StoryText(
            "incident {incident} is in the technician's list of work, expected to end in {hours} h",
            "故障 {incident} 已列入维护人员的任务，预计 {hours} 小时后恢复",
        ),
    ),
    StoryStep(
        name="terminal back",
        announced=StoryText(
            "the technician says there what was wrong, and that it is repaired; the agent starts again",
            "维护人员在该页填报原因和修复；终端程序重新启动",
        ),
        act=DemoWorld.repair_station,
        see=lambda world: world.verdict_is("online"),
        limit=20,
        text=StoryText("station {station}: ONLINE again", "服务点 {station}：恢复在线"),
    ),
    StoryStep(
        name="incident closed",
        see=lambda world: world.people.held(world.incident),
        limit=STABLE + 20,
        text=StoryText(
            f"nothing was wrong for {STABLE:.0f} s, the repair held: incident {{incident}} is closed, cause {{cause}}",
            f"连续 {STABLE:.0f} 秒正常，修复有效：故障 {{incident}} 已关闭，原因：{{cause_zh}}",
        ),
    ),
    StoryStep(
        name="closing notice delivered",
        see=lambda world: world.alert("closed"),
        limit=10,
        text=StoryText("closing notice delivered: {title}", "恢复通知已送达：{title}"),
    ),
    StoryStep(
        name="technician told of the end",
        see=lambda world: world.people.closed_and_told(world.incident),
        limit=10,
        text=StoryText(
            "{name} is told that the repair held, and nobody else was told: {title}",
            "{name}收到修复有效的消息，未通知其他人：{title}",
        ),
    ),
    StoryStep(
        name="county offline",
        announced=StoryText(
            "the network of Xunhua county is cut: its terminals run on, but no message arrives",
            "循化县线路中断；终端仍在运行，但听不到它们",
        ),
        act=lambda world: world.county.cut(),
        see=lambda world: world.county.offline(early=DEADLINE - EARLY, late=DEADLINE + LATE),
        limit=DEADLINE + LATE + 5,
        text=StoryText(
            f"{{count}} stations silent, deadline {DEADLINE:.1f} s, OFFLINE at {{first:.1f}} to {{last:.1f}} s",
            f"{{count}} 个服务点失联，期限 {DEADLINE:.1f} 秒，{{first:.1f}} 至 {{last:.1f}} 秒时判为离线",
        ),
    ),
    StoryStep(
        name="one page for the county",
        see=lambda world: world.county_notified("opened"),
        limit=15,
        text=StoryText(
            "one cause, one alert for {count} stations: {title}",
            "一个原因，{count} 个服务点只发一条告警：{title}",
        ),
    ),
    StoryStep(
        name="nobody acknowledges",
        see=lambda world: world.people.climbed(),
        limit=CLIMBS + 15,
        text=StoryText(
            f"nobody acknowledges for {CLIMBS:.0f} s: {{name}}, lead, is told: {{title}}",
            f"{CLIMBS:.0f} 秒内无人确认：升级通知负责人{{name}}：{{title}}",
        ),
    ),
    StoryStep(
        name="county back",
        announced=StoryText("the network is repaired", "线路修复"),
        act=lambda world: world.county.join(),
        see=lambda world: world.county.online(),
        limit=20,
        text=StoryText("{count} stations: ONLINE again", "{count} 个服务点恢复在线"),
    ),
    StoryStep(
        name="one closing notice for the county",
        see=lambda world: world.county_notified("closed"),
        limit=OVER + 15,
        text=StoryText("one closing notice as well: {title}", "恢复通知也只有一条：{title}"),
    ),
    StoryStep(
        name="presence known",
        see=lambda world: world.county.presence(),
        limit=20,
        text=StoryText(
            "all {count} report afterwards: they ran for {seconds:.1f} s and more while they were offline",
            "{count} 个服务点事后补报：离线期间仍运行了至少 {seconds:.1f} 秒",
        ),
    ),
    StoryStep(
        name="bridge stopped",
        announced=StoryText(
            f"our own outage: the bridge is stopped for {OUTAGE:.0f} s, {OUTAGE / DEADLINE:.0f} deadlines long",
            f"平台自身故障：桥接进程停住 {OUTAGE:.0f} 秒，相当于 {OUTAGE / DEADLINE:.0f} 个期限",
        ),
        act=lambda world: world.bridge.stop_bridge(),
        see=lambda world: world.bridge.none_offline_for(OUTAGE),
        limit=OUTAGE + 10,
        text=StoryText(
            f"{OUTAGE:.0f} s without a heartbeat: {{unknown}} stations UNKNOWN, {{offline}} offline",
            f"{OUTAGE:.0f} 秒收不到任何心跳：{{unknown}} 个服务点状态未知，{{offline}} 个离线",
        ),
    ),
    StoryStep(
        name="no station offline",
        announced=StoryText("the bridge goes on", "桥接进程恢复"),
        act=lambda world: world.bridge.continue_bridge(),
        see=lambda world: world.bridge.all_online_and_no_incident(GRACE + 1),
        limit=GRACE + 30,
        text=StoryText(
            "{online} stations ONLINE, no incident blames one of them; our own outage is {own} incident",
            "{online} 个服务点在线，没有一个被误报；平台自身故障记为 {own} 起",
        ),
    ),
    StoryStep(
        name="clone named",
        announced=StoryText(
            f"a copy of terminal {CLONED}-001 appears, with the same identity",
            f"出现终端 {CLONED}-001 的复制品，身份相同",
        ),
        act=lambda world: world.bad.clone(),
        see=lambda world: world.bad.conflicting(),
        limit=40,
        text=StoryText(
            "station {station}, terminal {terminal}: CONFLICTING after {seconds:.1f} s",
            "服务点 {station}，终端 {terminal}：{seconds:.1f} 秒后判为身份冲突",
        ),
    ),
    StoryStep(
        name="clone gone",
        announced=StoryText("the copy is switched off; the original never stopped", "关闭复制品；原终端从未停止"),
        act=lambda world: world.bad.end_clone(),
        see=lambda world: world.bad.original_alone(),
        limit=40,
        text=StoryText(
            "station {station}, terminal {terminal}: ONLINE, and no conflict any more, after {seconds:.1f} s",
            "服务点 {station}，终端 {terminal}：{seconds:.1f} 秒后冲突解除，始终在线",
        ),
    ),
    StoryStep(
        name="garbage named",
        announced=StoryText("a terminal sends messages that cannot be read", "一台终端发出无法识别的内容"),
        act=lambda world: world.bad.send_garbage(),
        see=lambda world: world.bad.refused(),
        limit=15,
        text=StoryText(
            "{count} messages of station {station} in the dead letters: {reasons}",
            "服务点 {station} 的 {count} 条消息进入死信：{reasons_zh}",
        ),
    ),
    StoryStep(
        name="books agree",
        announced=StoryText(
            "what the terminals wrote down is compared with what the system says",
            "将终端自己的记录与系统的说法逐一核对",
        ),
        see=lambda world: world.journal_agrees(),
        limit=20,
        text=StoryText(
            "{stations} stations: no false offline, none missed, {records} acknowledged health records stored once",
            "{stations} 个服务点：无误报、无漏报，{records} 条已确认的健康记录各存一份",
        ),
    ),
)

PAST: tuple[StoryStep[DemoWorld], ...] = (
    StoryStep(
        name="month of rates",
        announced=StoryText(
            f"the past: {DAYS} days were made up before the start, and judged and counted by the same code",
            f"过去：启动前虚构了 {DAYS} 天的数据，由同样的程序判定和统计",
        ),
        see=lambda world: world.past.rates(),
        limit=20,
        text=StoryText(
            "{period}, {days} days: online rate {online}%, service rate {service}% (the page /uptime)",
            "{period}，{days} 天：在线率 {online}%，服务率 {service}%（见 /uptime 页面）",
        ),
    ),
    StoryStep(
        name="report written",
        see=lambda world: world.past.report(),
        limit=60,
        text=StoryText(
            "the report of this month: {place}, {size:,} bytes{note}", "该月报告：{place}，{size:,} 字节{note}"
        ),
    ),
    StoryStep(
        name="sheet verified",
        see=lambda world: world.past.sheet_verified(),
        limit=90,
        text=StoryText(
            "the sheet of a station: `milepost verify {place}` says: {said}",
            "服务点报告：`milepost verify {place}` 的结果：{said}",
        ),
    ),
    StoryStep(
        name="changed byte named",
        announced=StoryText("one byte of a copy of this sheet is changed", "将此报告的一份副本改动一个字节"),
        see=lambda world: world.past.change_named(),
        limit=60,
        text=StoryText("`milepost verify` says: {said}", "`milepost verify` 的结果：{said}"),
    ),
)
