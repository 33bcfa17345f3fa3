"""Putting things on a chain: the factory once, then a box for each election; and checking what stands there.

    plan_… ──▶ what will be sent, and the address beforehand; nothing is spent
    …_planned  ──▶ sent, recorded, compared with what must stand there
    resume_… ──▶ what an earlier run, perhaps cut off, has done already

Everything is checked before it costs anything, and computed beforehand: addresses follow from code and arguments
(qballot/core/provenance.py), so what stands on chain afterwards is compared with what must stand there.
"""

from qballot.deploy.cancel import CancelPlan, cancel_planned, plan_cancel, resume_cancel
from qballot.deploy.check import Check, CheckOptions, CheckReport, check_address
from qballot.deploy.election import (
    DEFAULT_SALT,
    ElectionDeployment,
    ElectionPlan,
    create_election,
    create_planned,
    ensure_election,
    plan_election,
    record_unsigned,
    resume_election,
)
from qballot.deploy.factory import (
    Deployment,
    FactoryPlan,
    check_factory,
    deploy_factory,
    deploy_planned,
    plan_factory,
    resume_factory,
)

__all__ = [
    "DEFAULT_SALT",
    "CancelPlan",
    "Check",
    "CheckOptions",
    "CheckReport",
    "Deployment",
    "ElectionDeployment",
    "ElectionPlan",
    "FactoryPlan",
    "cancel_planned",
    "check_address",
    "check_factory",
    "create_election",
    "create_planned",
    "deploy_factory",
    "deploy_planned",
    "ensure_election",
    "plan_cancel",
    "plan_election",
    "plan_factory",
    "record_unsigned",
    "resume_cancel",
    "resume_election",
    "resume_factory",
]
