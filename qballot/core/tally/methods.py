"""Every method and its rules: the one place to which a new method's row is added."""

from __future__ import annotations

from collections.abc import Mapping

from qballot.core.election import Method
from qballot.core.tally import approval, irv, plurality, score
from qballot.core.tally.rules import MethodRules

METHODS: Mapping[Method, MethodRules] = {
    Method.PLURALITY: plurality.RULES,
    Method.APPROVAL: approval.RULES,
    Method.SCORE: score.RULES,
    Method.IRV: irv.RULES,
}
