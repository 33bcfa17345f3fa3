"""What deployers do by command: they see address, gas and price first, nothing is spent twice, all is written down."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from commands import Commands, Done

from qballot.chain.accounts import DEVNET_KEYS, devnet_account
from qballot.chain.artifacts import default_factory, default_implementation
from qballot.chain.contracts import BallotBoxContract
from qballot.chain.devnet import Devnet
from qballot.chain.transactions import Call, quote, send
from qballot.core.address import checksum_address, parse_address
from qballot.core.census_file import dump_census
from qballot.core.definition import definition_hash
from qballot.core.moments import format_moment
from qballot.core.records import CANCELLED_HEAD
from qballot.testing import make_census, make_definition, make_voters

pytestmark = pytest.mark.integration

ORGANIZER = checksum_address(devnet_account(0).address)
OTHER = checksum_address(devnet_account(1).address)


@pytest.fixture
def commands(
    devnet: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    """Commands of the organizer, in a folder with a definition, not canonical, and a census of three."""
    (tmp_path / "definition.json").write_bytes(b"\n" + make_definition().replace(b",", b", ") + b"\n")
    (tmp_path / "census.json").write_bytes(dump_census(make_census(make_voters(3))))
    return Commands(tmp_path, devnet.url, monkeypatch, capsys)


def window(devnet: Devnet, *, after: int = 1_000, lasts: int = 1_000) -> list[str]:
    opens_at = devnet.rpc.block().timestamp + after
    closes_at = format_moment(opens_at + lasts).replace(" UTC", "Z")
    return ["--opens-at", str(opens_at), "--closes-at", closes_at]


def deploy(commands: Commands, *options: str, **settings: str) -> Done:
    return commands.run("deploy", "election", "definition.json", "census.json", *options, **settings)


def records(commands: Commands, chain_id: int = 31_337) -> dict[str, dict[str, object]]:
    path = commands.folder / "deployments" / f"{chain_id}.json"
    found: dict[str, dict[str, object]] = json.loads(path.read_text())["deployments"] if path.exists() else {}
    return found


def test_deploy_election__dry_run__shows_what_will_be_and_spends_nothing(devnet: Devnet, commands: Commands) -> None:
    times, before = window(devnet), devnet.rpc.block()
    shown = deploy(commands, *times, "--dry-run")
    as_json = deploy(commands, *times, "--dry-run", "--json").json
    keyless = deploy(replace(commands, key=None), *times, "--dry-run", "--from", ORGANIZER.lower(), "--json").json
    assert shown.status == 0
    for text in (
        "chain        31337 (local)",
        f"from         {ORGANIZER}",
        f"to           {checksum_address(default_factory())}",
        "call         create",
        f"ballot box   {as_json['ballot_box']}",
        "3 in 1 sheet",
        "price        ",
        "cost         about 0.0",
        "nothing was sent (--dry-run)",
    ):
        assert text in shown.stdout, text
    assert as_json == keyless
    (transaction,) = as_json["transactions"]
    assert (as_json["sent"], transaction["function"]) == (False, "create")
    assert transaction["arguments"]["definition"] == "0x" + make_definition().hex()
    assert transaction["gas"] < transaction["gas_limit"]
    assert int(as_json["likely_cost_wei"]) < int(as_json["highest_cost_wei"]) < int(as_json["balance_wei"])
    assert devnet.rpc.block() == before
    assert records(commands) == {}


def test_deploy_election__done__is_where_it_was_said_and_written_down(devnet: Devnet, commands: Commands) -> None:
    times = window(devnet)
    planned = deploy(commands, *times, "--dry-run", "--json").json
    made = deploy(commands, *times, "--yes", "--json")
    assert made.status == 0
    assert made.json["box"] == planned["ballot_box"]
    assert made.json["created_now"] is True
    assert "cost         about" in made.stderr
    assert made.json["gas_used"] == planned["transactions"][0]["gas"]
    box = BallotBoxContract(devnet.rpc, parse_address(made.json["box"]))
    assert box.definition_hash("latest") == definition_hash(make_definition())
    assert (checksum_address(box.organizer("latest")), box.opens_at("latest")) == (ORGANIZER, int(times[1]))
    record = records(commands)[made.json["box"]]
    assert record["status"] == "done"
    assert record["transaction"]["hash"] == made.json["transaction"]  # type: ignore[index]
    assert record["election"]["salt"] == "0x" + "00" * 32  # type: ignore[index]
    assert record["election"]["text_ballots"] is False  # type: ignore[index]

    height = devnet.rpc.block().number
    again = deploy(commands, *times, "--yes")
    assert again.status == 0
    assert "nothing to do: this very election exists already" in again.stdout
    assert made.json["box"] in again.stdout
    assert devnet.rpc.block().number == height
    other = deploy(commands, *times, "--salt", "0x" + "01" * 32, "--yes", "--json").json
    assert other["box"] != made.json["box"]
    assert len(records(commands)) == 2


def test_deploy_election__records_lost__is_found_on_the_chain(devnet: Devnet, commands: Commands) -> None:
    times = window(devnet)
    made = deploy(commands, *times, "--yes", "--json").json
    (commands.folder / "deployments" / "31337.json").unlink()
    devnet.warp(int(times[1]) + 5)  # in the past by now, which does not matter any more
    again = deploy(commands, *times, "--yes", "--json").json
    assert (again["box"], again["transaction"], again["created_now"]) == (made["box"], made["transaction"], False)
    assert records(commands)[made["box"]]["status"] == "done"


def test_deploy_election__records_of_another_chain_of_the_same_id__do_not_mislead(
    devnet: Devnet, commands: Commands
) -> None:
    times, snapshot = window(devnet), devnet.snapshot()
    made = deploy(commands, *times, "--yes", "--json").json
    devnet.revert(snapshot)  # as a local chain that was started anew
    assert devnet.rpc.code(parse_address(made["box"])) == b""
    again = deploy(commands, *times, "--yes", "--json").json
    assert (again["box"], again["created_now"]) == (made["box"], True)


def test_deploy_election__unsigned__is_what_another_signer_sends(devnet: Devnet, commands: Commands) -> None:
    times = window(devnet)
    keyless = replace(commands, key=None)
    unsigned = deploy(keyless, *times, "--unsigned", "--from", OTHER, "-o", "create.json")
    assert (unsigned.status, unsigned.stdout) == (0, "")
    transaction = json.loads((commands.folder / "create.json").read_text())
    assert set(transaction) == {"chainId", "from", "to", "value", "data", "gas"}
    assert (transaction["chainId"], transaction["from"], transaction["value"]) == (31_337, OTHER, "0")
    (address,) = records(commands)
    assert records(commands)[address]["status"] == "unsigned"
    assert f"ballot box: {address}" in unsigned.stderr
    call = Call(parse_address(transaction["to"]), bytes.fromhex(transaction["data"][2:]))
    assert quote(devnet.rpc, devnet_account(1).address, call).gas_limit == transaction["gas"]
    send(devnet.rpc, devnet_account(1), call)
    found = deploy(replace(commands, key=DEVNET_KEYS[1]), *times, "--yes", "--json").json
    assert (found["box"], found["created_now"]) == (address, False)
    assert records(commands)[address]["status"] == "done"
    printed = deploy(keyless, *times, "--unsigned", "--from", ORGANIZER)
    assert printed.json["from"] == ORGANIZER


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dry-run", "--unsigned"], "expected one of them"),
        (["--from", OTHER], "needs a key"),
        (["--from", OTHER, "--account", "x", "--dry-run"], "expected one of them"),
        (["-o", "x.json"], "--output without --unsigned"),
        ([], "add --yes to spend"),
        (["--yes", "--salt", "0x12"], "expected 0x and 64 hex digits"),
        (["--yes", "--account", "nobody"], "no account 'nobody'"),
        (["--yes", "--network", "sepolai"], "did you mean sepolia"),
        (["--yes", "--opens-at", "2031-03-01T08:00:00"], "a time with its zone"),
        (["--yes", "--opens-at", "1700000000"], "later than"),
        (["--yes", "--max-ballot-bytes", "2"], "at least 3"),
    ],
)
def test_deploy_election__not_as_it_must_be__is_a_usage_error_and_costs_nothing(
    devnet: Devnet, commands: Commands, options: list[str], message: str
) -> None:
    before = devnet.rpc.block()
    refused = deploy(commands, *window(devnet), *options)
    assert (refused.status, refused.stdout) == (2, "")
    assert message in refused.stderr
    assert devnet.rpc.block() == before
    assert records(commands) == {}


def test_deploy_factory__fresh_chain__once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Devnet() as fresh:
        commands = Commands(tmp_path, fresh.url, monkeypatch, capsys)
        early = deploy_before_factory(commands)
        assert early.status == 1
        assert "run `qballot deploy factory` first" in early.stderr
        planned = commands.run("deploy", "factory", "--dry-run", "--json").json
        assert planned["factory"] == checksum_address(default_factory())
        assert planned["transactions"][0]["function"] == "deploy"
        first = commands.run("deploy", "factory", "--network", "local", "--yes", "--json")
        assert first.status == 0
        assert first.json["deployed_now"] is True
        assert records(commands)[checksum_address(default_factory())]["status"] == "done"
        height = fresh.rpc.block().number
        again = commands.run("deploy", "factory", "--yes")
        assert "nothing to do: the factory was there already" in again.stdout
        keyless = replace(commands, key=None).run("deploy", "factory", "--yes", "--json")
        assert keyless.json["deployed_now"] is False
        assert fresh.rpc.block().number == height


def deploy_before_factory(commands: Commands) -> Done:
    (commands.folder / "definition.json").write_bytes(make_definition())
    (commands.folder / "census.json").write_bytes(dump_census(make_census(make_voters(3))))
    return deploy(commands, "--opens-at", "2090-01-01T00:00Z", "--closes-at", "2091-01-01T00:00Z", "--yes")


def test_cancel__organizer_before_the_opening__is_for_ever(devnet: Devnet, commands: Commands) -> None:
    box = deploy(commands, *window(devnet), "--yes", "--json").json["box"]
    other = replace(commands, key=DEVNET_KEYS[1]).run("cancel", box, "--yes")
    assert other.status == 2
    assert f"expected the organizer {ORGANIZER}" in other.stderr
    height = devnet.rpc.block().number
    assert "call         cancel" in commands.run("cancel", box, "--dry-run").stdout
    unsigned = replace(commands, key=None).run("cancel", box, "--unsigned", "--from", ORGANIZER).json
    assert unsigned["to"] == box
    assert devnet.rpc.block().number == height
    done = commands.run("cancel", box, "--yes", "--json")
    assert (done.status, done.json["cancelled_now"]) == (0, True)
    assert BallotBoxContract(devnet.rpc, parse_address(box)).head("latest") == CANCELLED_HEAD
    assert records(commands)[box]["status"] == "cancelled"
    assert records(commands)[box]["cancellation"]["hash"] == done.json["transaction"]  # type: ignore[index]
    again = commands.run("cancel", box, "--yes")
    assert (again.status, "it was cancelled already" in again.stdout) == (0, True)
    assert commands.run("deploy", "check", box, "--json").json["state"] == "cancelled"


def test_cancel__after_the_opening_or_no_box__is_refused(devnet: Devnet, commands: Commands) -> None:
    times = window(devnet)
    box = deploy(commands, *times, "--yes", "--json").json["box"]
    devnet.warp(int(times[1]))
    late = commands.run("cancel", box, "--yes")
    assert (late.status, "from the opening on nobody can cancel it" in late.stderr) == (1, True)
    nothing = commands.run("cancel", OTHER, "--yes")
    assert (nothing.status, "is no ballot box" in nothing.stderr) == (1, True)
    assert commands.run("cancel", box[:-1], "--yes").status == 2


def test_check__box_and_factory__every_step_is_said(devnet: Devnet, commands: Commands) -> None:
    box = deploy(commands, *window(devnet), "--yes", "--json").json["box"]
    for folder in (commands.folder, commands.folder / "elsewhere"):  # with the recorded salt, and from the logs
        folder.mkdir(exist_ok=True)
        there = replace(commands, folder=folder)
        files = [
            "--definition",
            str(commands.folder / "definition.json"),
            "--census",
            str(commands.folder / "census.json"),
        ]
        report = there.run("deploy", "check", box, *files, "--json")
        assert (report.status, report.json["passed"], report.json["kind"]) == (0, True, "ballot box")
        assert len(report.json["checks"]) == (10 if folder == commands.folder else 14)
        assert (report.json["state"], report.json["organizer"]) == ("not open yet", ORGANIZER)
        text = there.run("deploy", "check", box)
        assert "FAILED" not in text.stdout
        assert "ballots      signed as bytes, at most 3 bytes each" in text.stdout
        assert "the box's address follows from factory, organizer, salt and every argument" in text.stdout
    factory = commands.run("deploy", "check", checksum_address(default_factory()), "--json").json
    assert (factory["kind"], factory["passed"], len(factory["checks"])) == ("factory", True, 3)


def test_check__byte_identical_box_that_the_factory_did_not_make__fails(devnet: Devnet, commands: Commands) -> None:
    box = deploy(commands, *window(devnet), "--yes", "--json").json["box"]
    fake = "0x" + "77" * 20
    devnet.rpc.call("anvil_setCode", [fake, "0x" + devnet.rpc.code(parse_address(box)).hex()])
    report = commands.run("deploy", "check", fake, "--json")
    assert report.status == 3
    assert [check["what"] for check in report.json["checks"] if not check["passed"]] == [
        "the factory announced the box"
    ]
    assert "do not use it" in report.stderr
    assert "state" not in report.json
    salted = commands.run("deploy", "check", fake, "--salt", "0x" + "00" * 32)
    assert salted.status == 3
    assert f"computed {box}" in salted.stdout


def test_check__anything_changed__fails(devnet: Devnet, commands: Commands) -> None:
    made = deploy(commands, *window(devnet), "--yes", "--json").json["box"]
    box = parse_address(made)
    code = devnet.rpc.code(box)
    for place in (12, 46, 90, len(code) - 1):  # the implementation, definition hash, organizer, a root
        changed = code[:place] + bytes([code[place] ^ 1]) + code[place + 1 :]
        devnet.rpc.call("anvil_setCode", [made, "0x" + changed.hex()])
        assert commands.run("deploy", "check", made).status == 3, place
    devnet.rpc.call("anvil_setCode", [made, "0x" + code.hex()])
    assert commands.run("deploy", "check", made).status == 0
    assert commands.run("deploy", "check", made, "--salt", "0x" + "00" * 31 + "01").status == 3
    (commands.folder / "other.json").write_bytes(make_definition("Dinner"))
    (commands.folder / "census2.json").write_bytes(dump_census(make_census(make_voters(4))))
    assert commands.run("deploy", "check", made, "--definition", "other.json").status == 3
    assert commands.run("deploy", "check", made, "--census", "census2.json").status == 3
    assert commands.run("deploy", "check", "0x" + "78" * 20).status == 3
    for address in (default_factory(), default_implementation()):
        kept = devnet.rpc.code(address)
        devnet.rpc.call("anvil_setCode", ["0x" + address.hex(), "0x" + kept.hex()[:-2] + "00"])
        assert commands.run("deploy", "check", made).status == 3
        assert commands.run("deploy", "check", checksum_address(default_factory())).status == 3
        devnet.rpc.call("anvil_setCode", ["0x" + address.hex(), "0x" + kept.hex()])


def test_check__factory_somewhere_else__fails(devnet: Devnet, commands: Commands) -> None:
    from qballot.deploy.factory import expected_factory_code  # noqa: PLC0415

    elsewhere = parse_address("0x" + "79" * 20)
    devnet.rpc.call("anvil_setCode", ["0x" + elsewhere.hex(), "0x" + expected_factory_code(elsewhere).hex()])
    report = commands.run("deploy", "check", checksum_address(elsewhere), "--json")
    assert (report.status, report.json["kind"]) == (3, "factory")


def test_deploy__keystore_account__pays_and_no_key_or_password_is_shown(devnet: Devnet, commands: Commands) -> None:
    (commands.folder / "password").write_text("correct horse\n")
    (commands.folder / "password").chmod(0o600)
    keyless = replace(commands, key=None)
    settings = {"keystore": str(commands.folder / "keys"), "keystore_password_file": "password"}
    texts = []
    imported = keyless.run("account", "import", "committee", stdin=DEVNET_KEYS[2] + "\n", **settings)
    assert imported.status == 0
    listed = keyless.run("account", "list", "--json", **settings)
    assert listed.json["accounts"] == [{"name": "committee", "address": checksum_address(devnet_account(2).address)}]
    planned = deploy(keyless, *window(devnet), "--dry-run", "--account", "committee", keystore=settings["keystore"])
    assert planned.status == 0  # without the password
    made = deploy(keyless, *window(devnet), "--yes", "--account", "committee", "--json", **settings)
    assert made.json["organizer"] == checksum_address(devnet_account(2).address)
    (commands.folder / "password").write_text("wrong horse\n")
    (commands.folder / "password").chmod(0o644)
    (commands.folder / "keys" / "committee.json").chmod(0o644)
    wrong = keyless.run("cancel", made.json["box"], "--yes", "--account", "committee", **settings)
    assert wrong.status == 2
    assert "the password is wrong" in wrong.stderr
    assert wrong.stderr.count("warning: others can") == 2
    unasked = keyless.run("cancel", made.json["box"], "--yes", "--account", "committee", keystore=settings["keystore"])
    assert (unasked.status, "QBALLOT_KEYSTORE_PASSWORD_FILE" in unasked.stderr) == (2, True)
    taken = keyless.run("account", "import", "committee", stdin=DEVNET_KEYS[1] + "\n", **settings)
    assert (taken.status, "never overwritten" in taken.stderr) == (2, True)
    texts += [imported, listed, planned, made, wrong, unasked, taken]
    for done in texts:
        for secret in (DEVNET_KEYS[2][2:], DEVNET_KEYS[1][2:], "correct horse", "wrong horse"):
            assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "text", [DEVNET_KEYS[1][:-1], DEVNET_KEYS[1][2:], DEVNET_KEYS[1] + "0", "", DEVNET_KEYS[1] + "\n" + DEVNET_KEYS[2]]
)
def test_account_import__no_key__is_refused_without_showing_it(commands: Commands, text: str) -> None:
    (commands.folder / "password").write_text("correct horse\n")
    (commands.folder / "password").chmod(0o600)
    settings = {"keystore": str(commands.folder / "keys"), "keystore_password_file": "password"}
    refused = commands.run("account", "import", "x", stdin=text, **settings)
    assert refused.status == 2
    assert "expected" in refused.stderr
    assert DEVNET_KEYS[1][10:40] not in refused.stdout + refused.stderr
    assert not (commands.folder / "keys").exists()
    for key in [DEVNET_KEYS[1][:-1], DEVNET_KEYS[1][2:]]:
        environment = replace(commands, key=key).run("cancel", OTHER, "--yes")
        assert (environment.status, "QBALLOT_PRIVATE_KEY" in environment.stderr) == (2, True)
        assert DEVNET_KEYS[1][10:40] not in environment.stderr


def test_account__nothing_to_ask_or_list__says_what_to_do(commands: Commands) -> None:
    settings = {"keystore": str(commands.folder / "keys")}
    assert "QBALLOT_KEYSTORE_PASSWORD_FILE" in commands.run("account", "new", "x", **settings).stderr
    piped = commands.run("account", "import", "x", stdin=DEVNET_KEYS[1] + "\n", **settings)
    assert (piped.status, "QBALLOT_KEYSTORE_PASSWORD_FILE" in piped.stderr) == (2, True)
    empty = commands.run("account", "list", **settings)
    assert (empty.status, empty.stdout, "qballot account new NAME" in empty.stderr) == (0, "", True)
