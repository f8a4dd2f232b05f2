"""The demo compares what the simulated terminals did with what the system says of them."""

from agents.simulator.checker import check
from agents.simulator.seen import StoredRecord
from milepost.commands import check_api
from milepost.demo.fleet import DemoFleet
from milepost.demo.questions import Facts
from milepost.demo.story import BrokenStepError
from milepost.stack.stack import Stack


class JournalCheck:
    """The comparison of the fleet's journal with the system."""

    def __init__(self, fleet: DemoFleet, stack: Stack) -> None:
        self._fleet, self._stack = fleet, stack
        self._acked: dict[str, set[StoredRecord]] | None = None

    async def agree(self) -> Facts:
        """How much was compared, once the journal and the system agree.

        Raises BrokenStepError for a difference that will not go away.
        """
        found = self._fleet.read_journal()
        # What was acknowledged before the first look has to be there in the end. The terminals go on, and of what they
        # do meanwhile something is always acknowledged and not stored yet.
        self._acked = found.acked = self._acked or found.acked
        server = (self._stack.api_url, self._stack.admin_token, found)
        seen, platform = await check_api.stations(*server), await check_api.platform(*server)
        # A record that was stored just now is in the newest journal only.
        found.made = self._fleet.read_journal().made
        findings = check(found, seen, platform=platform)
        if any(one.kind != "lost_record" for one in findings):
            said = "; ".join(f"{one.kind}: {one.station or 'Milepost'} {one.text}" for one in findings[:3])
            raise BrokenStepError(said, f"记录与系统的说法不符：{said}")
        records = sum(len(acked & found.made[station]) for station, acked in found.acked.items())
        if findings:
            return None
        self._fleet.close_journal()
        return {"stations": len(found.stations), "records": records}
