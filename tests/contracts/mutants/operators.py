"""Systematic mutants: every place of a source where an operator, a constant, a condition, an argument or a statement
can be another one.

Comments, imports and declarations without code stay as they are. The changes are textual, so some do not compile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise

from mutant import Mutant

# What stands for what, per operator; the longest is tried first.
OPERATORS = {
    "comparison": {
        "<=": ("<", ">"),
        ">=": (">", "<"),
        "==": ("!=",),
        "!=": ("==",),
        "<": ("<=", ">="),
        ">": (">=", "<="),
    },
    "arithmetic": {"+=": ("-=", "="), "++": ("--",), "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",)},
    "shift": {"<<": (">>",), ">>": ("<<",)},
    "bits": {"||": ("&&",), "&&": ("||",), "|": ("&",), "&": ("|",)},
}
KIND_OF = {operator: kind for kind, table in OPERATORS.items() for operator in table}
# These stand between spaces or beside a name; `=>`, `:=`, `->` and the like are none of them.
OPERATOR = re.compile(r"<<|>>|<=|>=|==|!=|\|\||&&|\+\+|\+=|[-+*/<>|&](?!=)")
INSTRUCTIONS = {
    **{"add": "sub", "sub": "add", "and": "or", "or": "and", "shl": "shr", "shr": "shl", "div": "mul", "xor": "or"},
    **{"lt": "gt", "gt": "lt", "iszero": "", "not": ""},
}
# What else a comparison can be: with equality, or without.
WITH_EQUALITY = {"lt": "gt", "gt": "lt"}
ENVIRONMENT = {
    "msg.sender": "tx.origin",
    "block.timestamp": "block.number",
    "block.chainid": "block.number",
    "address(this)": "msg.sender",
}
# Swapping the arguments of these changes nothing.
COMMUTATIVE = {"add", "mul", "and", "or", "xor", "eq", "hashPair"}
# To swap the arguments of these is what another operator does.
COMPARISONS = {"lt", "gt"}
KEYWORDS = {"if", "while", "for", "returns", "assembly", "unchecked", "return"}

COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|(?:hex)?"[^"\n]*"', re.DOTALL)
HEAD = re.compile(r"(pragma|import|using|event|error|type)\b[^;]*;")
NUMBER = re.compile(r"(?<![\w.])(?:0x[0-9a-fA-F]+|\d[\d_]*)(?![\w.])")
TEXT = re.compile(r'(?<!hex)"([^"\n]*)"')
CAST = re.compile(r"\b(uint|bytes)(\d+)\(")
CALL = re.compile(r"([A-Za-z_]\w*)\(")
DECLARATION = re.compile(r"\b(function|constructor|modifier)\b\s*\w*\s*\(")
# To negate this is to change its operator, which is done already.
ONE_COMPARISON = re.compile(r"[^&|]*(?:[!=<>]=| [<>] )[^&|]*")
DECLARED = re.compile(r"[\w.\[\]]+(?:\s+(?:memory|calldata|storage))?\s+\w+\s*(?==[^=])")


def generate(file: str, source: str) -> list[Mutant]:
    """All systematic mutants of one source, each once, by place."""
    code = blank(source)
    found = {}
    for makes in (_operators, _numbers, _texts, _words, _conditions, _arguments, _statements, _assembly):
        for kind, start, end, replacement in makes(code, source):
            if source[start:end] != replacement:
                found[start, end, replacement] = Mutant(kind, kind, file, source, start, end, replacement)
    return [found[place] for place in sorted(found)]


def sample(mutants: list[Mutant], seed: int) -> list[Mutant]:
    """The same mutants in an order that depends on the seed and on each one's own text only: whatever else changes in
    the sources, the first of them stay the first.
    """

    def draw(mutant: Mutant) -> bytes:
        place = mutant.start - mutant.source.rfind("\n", 0, mutant.start)
        text = "\n".join((str(seed), mutant.file, *mutant.change, str(place)))
        return sha256(text.encode()).digest()

    return sorted(mutants, key=draw)


def blank(source: str) -> str:
    """The source with spaces for comments, texts and what declares without computing; every character in its place."""
    code = COMMENT_OR_TEXT.sub(_spaces, source)
    # In a text, the quotes stay: they tell an argument from no argument.
    for match in TEXT.finditer(source):
        if code[match.start() : match.end()].isspace() and not _in_comment(source, match.start()):
            code = code[: match.start()] + '"' + code[match.start() + 1 : match.end() - 1] + '"' + code[match.end() :]
    return HEAD.sub(_spaces, code)


Change = tuple[str, int, int, str]


def _operators(code: str, source: str) -> Iterator[Change]:
    for match in OPERATOR.finditer(code):
        operator = match[0]
        if code[match.start() - 1] in "=:" or code[match.end() : match.end() + 1] == "=":
            continue
        for other in OPERATORS[KIND_OF[operator]][operator]:
            yield KIND_OF[operator], match.start(), match.end(), other


def _numbers(code: str, source: str) -> Iterator[Change]:
    for match in NUMBER.finditer(code):
        text = match[0].replace("_", "")
        value = int(text, 0)
        for other in {value + 1, max(value - 1, 0)} - {value}:
            as_hex = text.startswith("0x")
            yield "constant", match.start(), match.end(), f"0x{other:0{len(text) - 2}x}" if as_hex else str(other)


def _texts(code: str, source: str) -> Iterator[Change]:
    for match in re.finditer(r'"[^"\n]*"', code):
        if source[match.start() : match.end()] != '"memory-safe"':
            yield "constant", match.start(), match.end(), source[match.start() : match.end() - 1] + '?"'


def _words(code: str, source: str) -> Iterator[Change]:
    for match in CAST.finditer(code):
        width = int(match[2])
        step, widest = (8, 256) if match[1] == "uint" else (1, 32)
        # A cast to the widest type masks nothing.
        for other in {width - step, widest} - {0} if width < widest else ():
            yield "mask", match.start(), match.end(), f"{match[1]}{other}("
    for word, other in ENVIRONMENT.items():
        for match in re.finditer(re.escape(word), code):
            yield "environment", match.start(), match.end(), other
    for begin, end in _assembly_blocks(code):
        for match in CALL.finditer(code, begin, end):
            if match[1] in INSTRUCTIONS:
                kind = "comparison" if match[1] in COMPARISONS | {"iszero"} else "arithmetic"
                yield kind, match.start(), match.end(), INSTRUCTIONS[match[1]] + "("
            if match[1] in WITH_EQUALITY:
                closing = _closing(code, match.end() - 1)
                other = f"iszero({WITH_EQUALITY[match[1]]}({source[match.end() : closing]}))"
                yield "comparison", match.start(), closing + 1, other


def _conditions(code: str, source: str) -> Iterator[Change]:
    for match in re.finditer(r"\b(?:if|while) \(", code):
        begin = match.end()
        end = _closing(code, begin - 1)
        if source[begin:end] == "true":
            continue
        if not ONE_COMPARISON.fullmatch(source, begin, end):
            yield "negation", begin, end, f"!({source[begin:end]})"
        for joint in ("||", "&&"):
            parts = list(_split(code, begin, end, joint))
            for left, right in parts if len(parts) > 1 else ():
                rest = [source[part[0] : part[1]].strip() for part in parts if part != (left, right)]
                yield "condition", begin, end, f" {joint} ".join(rest)


def _arguments(code: str, source: str) -> Iterator[Change]:
    declared = {match.end() - 1 for match in DECLARATION.finditer(code)}
    for match in CALL.finditer(code):
        begin = match.end()
        if begin - 1 in declared or match[1] in KEYWORDS | COMMUTATIVE | COMPARISONS:
            continue
        parts = list(_split(code, begin, _closing(code, begin - 1), ","))
        for (start, middle), (behind, end) in pairwise(parts):
            one, other = source[start:middle], source[behind:end]
            if one.strip() != other.strip():
                swapped = one.replace(one.strip(), other.strip()), other.replace(other.strip(), one.strip())
                yield "arguments", start, end, swapped[0] + source[middle:behind] + swapped[1]


def _statements(code: str, source: str) -> Iterator[Change]:
    blocks = list(_assembly_blocks(code))
    for begin, end in _function_bodies(code):
        start, depth = begin, 0
        for place in range(begin, end):
            depth += (code[place] in "([") - (code[place] in ")]")
            if depth or code[place] not in ";{}":
                continue
            if code[place] == ";" and not any(block[0] < place < block[1] for block in blocks):
                first = place - len(code[start:place].lstrip())
                if declared := DECLARED.match(code, first, place):
                    if code[declared.end() : place].strip("= ") != "0":
                        yield "statement", declared.end(), place, ""
                else:
                    yield "statement", first, place + 1, "" if "\n" in source[start:first] else ";"
            start = place + 1


def _assembly(code: str, source: str) -> Iterator[Change]:
    for begin, end in _assembly_blocks(code):
        for match in re.finditer(r"^ *(\S[^\n]*)$", code[begin:end], re.MULTILINE):
            start, stop = begin + match.start(1), begin + match.end(1)
            # The lines between which others stand are none by themselves.
            if code.count("{", start, stop) != code.count("}", start, stop) or code[start:stop].isspace():
                continue
            declared = re.match(r"let \w+ := ", code[start:stop])
            yield "statement", start + declared.end() if declared else start, stop, "0" if declared else ""
        for match in re.finditer(r"\b(?:if|switch) (\w+)\(", code[begin:end]):
            start, stop = begin + match.start(1), _closing(code, begin + match.end() - 1) + 1
            yield "negation", start, stop, f"iszero({source[start:stop]})"
            for joint in re.finditer(r"\b(?:or|and)\(", code[start:stop]):
                first, last = start + joint.start(), _closing(code, start + joint.end() - 1)
                for left, right in _split(code, start + joint.end(), last, ","):
                    yield "condition", first, last + 1, source[left:right].strip()


def _assembly_blocks(code: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"\bassembly\b[^{]*{", code):
        yield match.end(), _closing(code, match.end() - 1)


def _function_bodies(code: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"\b(?:function|constructor)\b[^;{]*{", code):
        yield match.end(), _closing(code, match.end() - 1)


def _closing(code: str, opening: int) -> int:
    """Where the bracket that opens there is closed."""
    depth = 0
    for place in range(opening, len(code)):
        depth += (code[place] in "([{") - (code[place] in ")]}")
        if depth == 0:
            return place
    raise ValueError(f"a bracket is not closed: {code[opening : opening + 40]}")


def _split(code: str, begin: int, end: int, separator: str) -> Iterator[tuple[int, int]]:
    """The parts of `code[begin:end]` between separators outside inner brackets. None if all is blank."""
    depth, start = 0, begin
    for place in range(begin, end):
        depth += (code[place] in "([{") - (code[place] in ")]}")
        if depth == 0 and code.startswith(separator, place):
            yield start, place
            start = place + len(separator)
    if code[start:end].strip():
        yield start, end


def _spaces(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _in_comment(source: str, place: int) -> bool:
    return "//" in source[source.rfind("\n", 0, place) + 1 : place]
