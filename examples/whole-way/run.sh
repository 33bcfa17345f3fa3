#!/usr/bin/env bash
# An election's whole way on a local chain: organizer, voters, relayer, operator and auditor, each with the commands
# that they would use on any chain. Ends with the result, and with status 0 only if it is the expected one.
#
#   examples/whole-way/run.sh [FOLDER]      FOLDER, new or empty, keeps the files; else they are removed
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
export PATH="$repository/.venv/bin:$PATH"

folder=${1:-}
is_temporary=
if [ -z "$folder" ]; then
  folder=$(mktemp -d)
  is_temporary=yes
fi
mkdir -p "$folder"
cd "$folder"
[ -z "$(ls -A)" ] || { echo "$folder is not empty" >&2; exit 2; }

# Nothing but what stands here decides what happens: no settings of whoever runs this.
for name in $(compgen -e QBALLOT_ || true); do unset "$name"; done

started=()
finish() {
  for process in ${started[@]+"${started[@]}"}; do kill "$process" 2>/dev/null && wait "$process" || true; done
  [ -z "$is_temporary" ] || rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

exec 3>&1 # where people read along, also while a command's own output goes to a file
heading() { printf '\n%s\n%s\n' "$1" "${1//?/=}"; }
say() { printf '\n# %s\n' "$1"; }
run() { # run COMMAND…: show it as one would type it, then do it
  local line='$' word
  for word in "$@"; do case $word in *' '*) line+=" \"$word\"" ;; *) line+=" $word" ;; esac; done
  echo "$line" >&3
  "$@"
}
as() { QBALLOT_PRIVATE_KEY=$(key "$1") run "${@:2}"; } # as one of the local chain's public accounts
key() { sed -n "s/^($1) \(0x[0-9a-f]\{64\}\)\$/\1/p" anvil.log; }
address() { sed -n "s/^($1) \(0x[0-9a-fA-F]\{40\}\) .*/\1/p" anvil.log; }
field() { python3 -c 'import functools, json, sys
value = functools.reduce(lambda tree, step: tree[int(step) if step.isdigit() else step], sys.argv[1].split("."), json.load(sys.stdin))
print(value if isinstance(value, str) else json.dumps(value))' "$1"; } # field a.0.b < document.json
expect() { # expect WHAT FOUND EXPECTED
  [ "$2" = "$3" ] || { echo "$1: found $2, expected $3" >&2; exit 1; }
  echo "ok: $1 is $3"
}
refused() { # refused STATUS COMMAND…: it must end with this status
  local status=0
  "${@:2}" || status=$?
  [ "$status" = "$1" ] || { echo "it ended with status $status, expected $1" >&2; exit 1; }
  echo "ok: refused, with status $1"
}
wait_for() { # wait_for FILE PATTERN: until the pattern stands in the file; prints the line
  for _ in $(seq 600); do
    if grep -m1 -E "$2" "$1" 2>/dev/null; then return; fi
    sleep 0.1
  done
  echo "nothing like $2 in $1 after a minute:" >&2
  cat "$1" >&2
  exit 1
}

heading "A local chain"
anvil=$(python3 -c 'from qballot.chain.devnet import find_anvil; print(find_anvil())' ) ||
  { echo "run \`make setup\` first" >&2; exit 1; }
"$anvil" --port 0 --hardfork osaka > anvil.log 2>&1 &
started+=($!)
listening=$(wait_for anvil.log '^Listening on ')
export QBALLOT_RPC_URL="http://${listening#Listening on }" QBALLOT_NETWORK=local
echo "anvil, with public accounts that have ether: $QBALLOT_RPC_URL"
# Who is who, by the account's number; 0 is the organizer.
ada=1 ben=2 cleo=3 dan=4 eve=5 relayer=6

heading "The organizer"
say "A key, kept encrypted. It comes from stdin, the password from a file: neither is ever an argument."
export QBALLOT_KEYSTORE=keystore QBALLOT_KEYSTORE_PASSWORD_FILE=password.txt
(umask 077 && echo "correct horse battery staple" > password.txt)
key 0 | run qballot account import organizer
run qballot account list

say "What is asked."
run qballot definition new -o definition.json --title "Town festival" --organizer "The festival committee" \
  --description "Where it is, and who opens it." \
  --contest "place:plurality:Where shall it be?" --option "place/park=In the park" \
  --option "place/library=At the library" \
  --contest "host:irv:Who opens it?" --option "host/kim=Kim" --option "host/lee=Lee" --option "host/max=Max"
run qballot definition check definition.json
run qballot definition show definition.json

say "Who may vote: the list, the census, and a proof file for every voter."
echo address > voters.csv
for voter in $ada $ben $cleo $dan $eve; do address $voter >> voters.csv; done
run qballot census build voters.csv -o census.json
run qballot census proofs census.json -o proofs

say "The factory, which a chain needs once; then the election, tried out before anything is spent."
run qballot deploy factory --account organizer --yes
opens_at=$(($(date +%s) + 3600))
closes_at=$((opens_at + 86400))
election=(definition.json census.json --opens-at "$opens_at" --closes-at "$closes_at" --account organizer)
run qballot deploy election "${election[@]}" --dry-run --json > dry-run.json
run qballot deploy election "${election[@]}" --yes --json > election.json
box=$(field box < election.json)
expect "the address that was known beforehand" "$(field ballot_box < dry-run.json)" "$box"
say "The same again, as after an interruption: it is there, and nothing is spent."
run qballot deploy election "${election[@]}" --yes
run qballot deploy check "$box"

heading "The voters"
say "Nobody can vote before the opening."
refused 1 as $ada qballot vote "$box" --choose park --rank kim --census census.json --yes
run qballot devnet warp open --box "$box"

say "Ada and Ben vote by transactions of their own; Ben has his own proof file and no need of the census."
as $ada qballot vote "$box" --choose park --rank kim,lee --census census.json --yes
bens_file=$(address $ben | tr 'A-F' 'a-f')
as $ben qballot vote "$box" --choose library --rank lee,max --proof "proofs/${bens_file:2:2}/$bens_file.json" --yes

say "Dan chooses two places where one is asked for, and is told before anything is signed."
refused 2 as $dan qballot sign "$box" --choose park,library --rank lee --census census.json -o dan.json
[ ! -e dan.json ]

say "Cleo, Dan and Eve sign their ballots into files, which costs them nothing."
as $cleo qballot sign "$box" --choose park --rank max,lee --census census.json -o cleo.json
as $dan qballot sign "$box" --choose library --rank lee,max --census census.json -o dan.json
as $eve qballot sign "$box" --choose library --rank kim --census census.json -o eve.json

heading "The relayer"
say "Anyone may bring signed ballots, and pays for it."
as $relayer qballot cast-signed cleo.json dan.json eve.json --census census.json --yes

say "Eve changes her mind, and signs again; what is in the box already is not brought twice."
as $eve qballot sign "$box" --choose park --rank kim --after eve.json --census census.json -o eve-again.json
as $relayer qballot cast-signed cleo.json dan.json eve.json eve-again.json --census census.json --yes --json > brought.json
expect "what became of Eve's new ballot" "$(field files.3.fate < brought.json)" "cast"

heading "The operator"
say "The index is a database that is read from the chain, and served."
run qballot index --once --database sqlite:///index.sqlite3 2> index.log
run qballot census import census.json --election "$box" --database sqlite:///index.sqlite3
qballot serve --port 0 --database sqlite:///index.sqlite3 2> serve.log &
started+=($!)
served=$(wait_for serve.log '^QBallot is served on ')
url=$(echo "$served" | grep -oE 'http://[^ ]+')
fetch() { python3 -c 'import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1]).read().decode())' "$1"; }
echo "served on $url"
fetch "$url/elections/$box/results" > partial.json
expect "the state before the close" "$(field state < partial.json)" "partial"
expect "the winners named before the close" "$(field contests.0.winners < partial.json)" "[]"

say "The election closes, and the index goes on to that block."
run qballot devnet warp close --box "$box"
refused 1 as $ada qballot vote "$box" --choose library --rank kim --census census.json --yes
run qballot index --once --database sqlite:///index.sqlite3 2>> index.log
fetch "$url/elections/$box/results" > result.json
fetch "$url/elections/$box" > served-election.json

heading "The auditor"
eves_address=$(address $eve)
# Has what the organizer published, in a folder of their own, and nothing else.
mkdir auditor
cp definition.json census.json auditor
cd auditor
say "Is the box what it must be, with this definition and this census?"
run qballot deploy check "$box" --definition definition.json --census census.json
sed 's/At the library/In the library/' definition.json > altered.json
say "And with another definition?"
refused 3 run qballot deploy check "$box" --definition altered.json

say "What did Eve vote, and what of it counts? From an endpoint alone, with no index or server."
run qballot ballots "$box" --voter "$eves_address" --census census.json
qballot ballots "$box" --voter "$eves_address" --census census.json --json > eves-ballots.json

say "Is the result that is served about all ballots? Its hash chain must end where the box's does."
expect "the head by the API" "$(field head < ../served-election.json)" "$(field head < eves-ballots.json)"

say "An index of one's own, from the chain alone, must give the same result."
run qballot index --once --database sqlite:///own.sqlite3 2> index.log
qballot serve --port 0 --database sqlite:///own.sqlite3 2> serve.log &
started+=($!)
served=$(wait_for serve.log '^QBallot is served on ')
fetch "$(echo "$served" | grep -oE 'http://[^ ]+')/elections/$box/results" > result.json
cmp result.json ../result.json
echo "ok: both results are the same, byte for byte"

say "All that the result follows from, in one file; then verified, whoever gave it, against a block hash that is named."
run qballot evidence "$box" --census census.json -o evidence.jsonl
run qballot verify evidence.jsonl --rpc "$QBALLOT_RPC_URL"
sed 's/,"1"\]/,"2"]/' evidence.jsonl > altered.jsonl
say "And with more weight for a voter?"
refused 3 run qballot verify altered.jsonl --rpc "$QBALLOT_RPC_URL"
qballot recount evidence.jsonl --json > recount.json 2>> verify.log
expect "the place, recounted" "$(field contests.0.winners < recount.json)" "$(field contests.0.winners < result.json)"

say "Eve's receipt: that her ballot is in the box, in a file of its own."
run qballot receipt get "$box" --voter "$eves_address" --census census.json -o receipt.json
run qballot receipt verify receipt.json --box "$box" --definition definition.json --rpc "$QBALLOT_RPC_URL"
cd ..

heading "The result"
expect "the state" "$(field state < result.json)" "complete"
expect "the level" "$(field level < result.json)" "proven"
expect "the place" "$(field contests.0.winners < result.json)" '["park"]'
expect "its count" "$(field contests.0.totals < result.json)" '{"park": "3", "library": "2"}'
expect "the host" "$(field contests.1.winners < result.json)" '["lee"]'
expect "ballots in the box" "$(field records < result.json)" "6"
expect "voters who voted" "$(field turnout.voters_cast < result.json)" "5"
python3 -c 'import json, sys
for contest in json.load(sys.stdin)["contests"]:
    print("\n" + contest["title"], *(step["text"] for step in contest["log"]), sep="\n  ")' < result.json
