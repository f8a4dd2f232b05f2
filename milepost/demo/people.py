"""The demo's people: a technician who acknowledges, and a lead who is told when nobody does."""

import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from contract.glossary import word
from milepost import http
from milepost.demo.phones import Phones
from milepost.demo.questions import PREFECTURE, Ask, Facts
from milepost.demo.story import BrokenStepError
from milepost.stack.stack import Stack

TECHNICIAN: Final = "demo-technician"
LEAD: Final = "demo-lead"
CLIMBS: Final = 12.0
"""Seconds after which the lead is told, if nobody acknowledged."""
_NAMES: Final = {TECHNICIAN: ("technician", "李明"), LEAD: ("lead", "王芳")}
HOURS: Final = "2"
"""Until when the technician expects the end."""
_ONCE: Final = re.compile(r'name="once" value="([^"]+)"')


class DemoPeople:
    """Two contacts of the prefecture, their phones, and what they do."""

    def __init__(self, stack: Stack, ask: Ask) -> None:
        self._stack, self._ask = stack, ask
        self._phones = Phones()

    async def arrive(self) -> None:
        """Make the contacts and the route of all incidents. Raises BrokenStepError."""
        await self._phones.open()
        for contact, (role, name) in _NAMES.items():
            await self._make_contact(contact, role, name)
        steps = f"technician; lead after {CLIMBS:.0f}s"
        await self._send("PUT", "routes/default", {"name": "demo", "steps": steps})

    async def leave(self) -> None:
        """The phones are switched off."""
        await self._phones.close()

    async def acknowledge(self, incident: int | None) -> None:
        """The technician opens the link of the message and acknowledges, for some hours. Raises BrokenStepError."""
        await self._by_link(incident, act="ack", hours=HOURS, text="")

    async def repair(self, incident: int | None) -> None:
        """The technician says there what was wrong, and that it is repaired. Raises BrokenStepError."""
        await self._by_link(incident, act="repair", cause="power", parts="UPS", text="", fixed="yes")

    async def held(self, incident: int | None) -> Facts:
        """The cause of the incident, once its repair is verified and it is closed. Raises BrokenStepError if the repair
        did not hold."""
        found = await self._ask(f"incidents/{incident}")
        repairs = (await self._ask(f"incidents/{incident}/repairs") or {"items": []})["items"]
        if found is None or not repairs:
            return None
        if repairs[0]["outcome"] not in (None, "held"):
            raise BrokenStepError(f"the repair of incident {incident} did not hold", f"故障 {incident} 的修复无效")
        if repairs[0]["outcome"] is None or found["status"] != "closed":
            return None
        cause = repairs[0]["cause"]
        said = {"cause": word("repair_cause", cause, "en"), "cause_zh": word("repair_cause", cause, "zh-CN")}
        return {"incident": incident, **said}

    async def owned(self, incident: int | None) -> Facts:
        """Who acknowledged the incident and until when, once it is so in the technician's list of work."""
        work = await self._ask(f"work?contact={TECHNICIAN}") or {"groups": []}
        for item in (one for group in work["groups"] for one in group["items"]):
            if item["id"] == incident and item["status"] == "acknowledged" and item["eta_at"]:
                eta = datetime.fromisoformat(item["eta_at"])
                return {"incident": incident, "hours": round((eta - datetime.now(UTC)).total_seconds() / 3600)}
        return None

    async def told(self, contact: str, incident: int | None, phase: str) -> Facts:
        """The message about a phase of an incident on the phone of a contact, once it is there."""
        for message in self._phones.messages(contact):
            if any((one["incident"], one["phase"]) == (incident, phase) for one in message["data"]["events"]):
                return {"name": _NAMES[contact][1], "title": message["data"]["title"]}
        return None

    async def closed_and_told(self, incident: int | None) -> Facts:
        """That the repair held, on the technician's phone. Raises BrokenStepError if the lead was told too, although
        somebody had acknowledged."""
        if await self.told(LEAD, incident, "opened") or await self.told(LEAD, incident, "escalated"):
            raise BrokenStepError(
                "the lead was told, although the technician had acknowledged",
                "维护人员已确认，却仍通知了负责人",
            )
        return await self.told(TECHNICIAN, incident, "held")

    async def climbed(self) -> Facts:
        """The message to the lead about the county's outage, which nobody acknowledged."""
        listing = await self._ask("incidents?kind=area_outage&limit=1") or {"items": []}
        for outage in listing["items"]:
            found = await self.told(LEAD, outage["id"], "escalated")
            if found is not None:
                return found
        return None

    async def _by_link(self, incident: int | None, **fields: str) -> None:
        """Open the page behind the link, as a phone without a sign-in, and send one of its forms."""
        links = [message["data"]["link"] for message in self._phones.messages(TECHNICIAN)
                 if any(one["incident"] == incident for one in message["data"]["events"])]  # fmt: skip
        url = self._stack.api_url + urlsplit(links[0] or "").path
        page = await http.get(url)
        once = _ONCE.search(page.body.decode(errors="replace"))
        if page.status != 200 or once is None:
            raise BrokenStepError(f"the link shows no form: {page.status}", f"链接打不开：{page.status}")
        answer = await http.send_form(url, {**fields, "once": once[1]})
        if answer.status != 303:
            raise BrokenStepError(f"the form is refused: {answer.status}", f"表单未被接受：{answer.status}")

    async def _make_contact(self, contact: str, role: str, name: str) -> Any:
        """A new contact, or the one of an earlier demo with the phone of this one."""
        fields = {
            "name": name,
            "role": role,
            "area": PREFECTURE,
            "language": self._stack.settings.language,
            "channels": [self._phones.address(contact)],
        }
        if await self._ask(f"contacts/{contact}") is not None:
            return await self._send("PATCH", f"contacts/{contact}", fields)
        return await self._send("POST", "contacts", {"id": contact, **fields})

    async def _send(self, method: str, path: str, document: object) -> Any:
        """What the API answers. Raises BrokenStepError when it refuses."""
        url = f"{self._stack.api_url}/api/v1/{path}"
        answer = await http.send_json(method, url, document, token=self._stack.admin_token)
        if answer.status not in (200, 201):
            said = answer.body[:300].decode(errors="replace")
            raise BrokenStepError(
                f"{method} {path}: {answer.status} {said}", f"{method} {path}：{answer.status} {said}"
            )
        return msgspec.json.decode(answer.body)
