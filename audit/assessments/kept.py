"""The bytes in which inputs and results are kept, and their hashes. Pure."""

import hashlib
from datetime import datetime

import msgspec

from audit.assessments.assess import METHOD, Assessment, AssessmentResult, assess
from audit.assessments.measured import AssessmentInputs
from audit.assessments.rules import AssessmentRules
from audit.assessments.rules_yaml import read_rules
from contract.errors import RemedyError


class KeptBytes(msgspec.Struct, frozen=True, kw_only=True):
    """An assessment as it is kept: inputs and result are JSON with sorted keys, the rules are the text as given."""

    method: int
    rules: str
    inputs: bytes
    result: bytes

    @property
    def hashes(self) -> dict[str, str]:
        """The SHA-256 of each, in hex, as the ledger has them."""
        parts = {"rules": self.rules.encode(), "inputs": self.inputs, "result": self.result}
        return {f"{name}_sha256": hashlib.sha256(part).hexdigest() for name, part in parts.items()}


class AssessmentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the list. `area`: None for everything; `score`: of the whole area, hundredths of points; `places`: their
    number."""

    id: int
    area: str | None
    period: str
    revision: int
    why: str | None
    made_at: datetime
    made_by: str
    rules_name: str
    rules_version: int
    score: int | None
    outcome: AssessmentResult
    places: int
    area_name: str | None = None
    area_name_en: str | None = None


class KeptAssessment(msgspec.Struct, frozen=True, kw_only=True):
    """An assessment with its contents."""

    summary: AssessmentSummary
    kept: KeptBytes


class MadeAssessment(msgspec.Struct, frozen=True, kw_only=True):
    """An assessment that is to be kept, and what its bytes say."""

    inputs: AssessmentInputs
    rules: AssessmentRules
    result: Assessment
    kept: KeptBytes


def make_assessment(inputs: AssessmentInputs, rules: str) -> MadeAssessment:
    """Assess by the text of rules. Raises RemedyError for invalid rules."""
    read = read_rules(rules)
    result = assess(inputs, read)
    kept = KeptBytes(method=METHOD, rules=rules, inputs=_bytes(inputs), result=_bytes(result))
    return MadeAssessment(inputs=inputs, rules=read, result=result, kept=kept)


def reproduced(kept: KeptBytes) -> bytes:
    """The bytes of the result, computed again from the kept inputs and rules alone.

    Raises RemedyError for a method that this version does not know, and for inputs that cannot be read."""
    if kept.method != METHOD:
        raise RemedyError(
            f"the assessment was made by method {kept.method}, which this version does not know: use a newer version",
            f"此考核按方法 {kept.method} 计算，本版本不支持：请使用更新的版本",
        )
    try:
        inputs = inputs_of(kept)
    except msgspec.ValidationError as exc:
        raise RemedyError(
            f"the kept inputs of the assessment cannot be read ({exc}): restore a backup",
            f"此考核留存的数据无法读取（{exc}）：请从备份恢复",
        ) from exc
    return _bytes(assess(inputs, read_rules(kept.rules)))


def inputs_of(kept: KeptBytes) -> AssessmentInputs:
    """The inputs."""
    return msgspec.json.decode(kept.inputs, type=AssessmentInputs)


def result_of(kept: KeptBytes) -> Assessment:
    """The result."""
    return msgspec.json.decode(kept.result, type=Assessment)


def _bytes(value: AssessmentInputs | Assessment) -> bytes:
    return msgspec.json.encode(value, order="sorted")
