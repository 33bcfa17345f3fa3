"""Every method and its rules: the one place to which a new method's row is added."""

from __future__ import annotations

from collections.abc import Mapping

from qballot.core.election import Method
from qballot.core.tally import (
    approval,
    block_plurality,
    borda,
    copeland,
    cumulative,
    irv,
    majority_judgment,
    minimax,
    plurality,
    quadratic,
    ranked_pairs,
    schulze,
    score,
    star,
    stv,
)
from qballot.core.tally.rules import MethodRules

METHODS: Mapping[Method, MethodRules] = {
    Method.PLURALITY: plurality.RULES,
    Method.BLOCK_PLURALITY: block_plurality.RULES,
    Method.APPROVAL: approval.RULES,
    Method.SCORE: score.RULES,
    Method.IRV: irv.RULES,
    Method.STV: stv.RULES,
    Method.BORDA: borda.RULES,
    Method.COPELAND: copeland.RULES,
    Method.SCHULZE: schulze.RULES,
    Method.RANKED_PAIRS: ranked_pairs.RULES,
    Method.MINIMAX: minimax.RULES,
    Method.STAR: star.RULES,
    Method.MAJORITY_JUDGMENT: majority_judgment.RULES,
    Method.CUMULATIVE: cumulative.RULES,
    Method.QUADRATIC: quadratic.RULES,
}
