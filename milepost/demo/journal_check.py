"""The demo compares what the simulated terminals did with what the system says of them."""

from agents.simulator.checker import check
from milepost.commands import check_api
from milepost.demo.fleet import DemoFleet
from milepost.demo.questions import Facts
from milepost.demo.story import BrokenStepError
from milepost.stack.stack import Stack


async def compare_journal(fleet: DemoFleet, stack: Stack) -> Facts:
    """How much was compared, once the journal and the system agree.

    Raises BrokenStepError for a difference that will not go away.
    """
    found = fleet.read_journal()
    server = (stack.api_url, stack.admin_token, found)
    seen, platform = await check_api.stations(*server), await check_api.platform(*server)
    # The terminals go on meanwhile: a record that was stored just now is in the newest journal only.
    found.made = fleet.read_journal().made
    findings = check(found, seen, platform=platform)
    if any(one.kind != "lost_record" for one in findings):
        said = "; ".join(f"{one.kind}: {one.station or 'Milepost'} {one.text}" for one in findings[:3])
        raise BrokenStepError(said, f"记录与系统的说法不符：{said}")
    # A record that was acknowledged just now may not be stored yet.
    records = sum(len(acked & found.made[station]) for station, acked in found.acked.items())
    if findings:
        return None
    fleet.close_journal()
    return {"stations": len(found.stations), "records": records}
