// Counts the operations of one transaction whose price a fork changes; a tracer for debug_traceTransaction.
//
// An account or slot is cold when it is touched for the first time (EIP-2929), except sender, recipient, precompiles
// and contracts that the transaction creates. What this does not follow is named in `unknown`.
{
  counts: { cold_accounts: 0, code_reads: 0, creates: 0, set_slots: 0, set_cold_slots: 0,
            change_slots: 0, change_cold_slots: 0, keep_cold_slots: 0 },
  deployed: [], unknown: [], warm: {}, slots: {}, frames: [], started: false,

  // A name for an address that does not depend on how it is given.
  name: function (value) { return value.toString(16); },
  nameOf: function (bytes) { return this.name(BigInt(toHex(bytes))); },

  touch: function (name) {
    if (this.warm[name]) return;
    this.warm[name] = true;
    if (name.length > 3) this.counts.cold_accounts++;  // not a precompile: those are 0x1 to 0x100
  },

  slot: function (log) {
    var id = this.nameOf(log.contract.getAddress()) + "/" + this.name(log.stack.peek(0));
    var known = this.slots[id];
    if (!known) this.slots[id] = { changed: false };
    return { is_cold: !known, state: this.slots[id] };
  },

  store: function (log, db) {
    var found = this.slot(log);
    // What may give a refund, whose share of the price would have to be known.
    if (found.state.changed) this.unknown.push("a slot that changes twice");
    if (this.name(log.stack.peek(1)) === "0") this.unknown.push("a slot that is cleared");
    var key = log.stack.peek(0).toString(16).padStart(64, "0");
    var before = BigInt(toHex(db.getState(log.contract.getAddress(), toWord(key))));
    var kind = before === BigInt(log.stack.peek(1).toString()) ? "keep" : before === 0n ? "set" : "change";
    found.state.changed = kind !== "keep";
    if (found.is_cold) this.counts[kind + "_cold_slots"]++;
    else if (kind !== "keep") this.counts[kind + "_slots"]++;
  },

  step: function (log, db) {
    var op = log.op.toNumber();
    if (!this.started) {
      this.started = true;
      this.warm[this.nameOf(log.contract.getAddress())] = true;
      this.warm[this.nameOf(log.contract.getCaller())] = true;
    }
    if (op < 0x31 || (op > 0x55 && op < 0xf0)) return;
    if (op === 0x55) this.store(log, db);
    else if (op === 0x54) this.slot(log);
    else if (op === 0x31 || op === 0x3f) this.touch(this.name(log.stack.peek(0)));
    else if (op === 0x3b || op === 0x3c) { this.counts.code_reads++; this.touch(this.name(log.stack.peek(0))); }
    else if (op === 0xf1 || op === 0xf2 || op === 0xf4 || op === 0xfa) {
      this.touch(this.name(log.stack.peek(1)));
      if ((op === 0xf1 || op === 0xf2) && this.name(log.stack.peek(2)) !== "0") this.unknown.push("a call with ether");
    }
    else if (op === 0xff) this.unknown.push("SELFDESTRUCT");
  },

  enter: function (frame) {
    var is_creation = frame.getType().indexOf("CREATE") === 0;
    if (is_creation) { this.counts.creates++; this.warm[this.nameOf(frame.getTo())] = true; }
    this.frames.push(is_creation);
  },

  exit: function (result) {
    if (result.getError()) this.unknown.push("a frame that reverts");
    if (this.frames.pop()) this.deployed.push(result.getOutput().length);
  },

  fault: function () { this.unknown.push("a fault"); },

  result: function () { return { counts: this.counts, deployed: this.deployed, unknown: this.unknown }; }
}
