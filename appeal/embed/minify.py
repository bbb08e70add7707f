"""Make the banner's script and style sheets small, without a tool chain.

The source is written for people; what a newspaper's readers load has no comment, no needless blank and short
local names. Both functions are pure and deterministic: the same source always gives the same bytes, which the
integrity hash depends on. The JavaScript one understands the part of the language the source promises to use
(see the head of `static/embed/appeal.js`) and nothing more; the browser tests run what it makes.
"""

import itertools
import re
import string
from collections import Counter, defaultdict
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    (?P<blank>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
  | (?P<number>\d[\w.]*|\.\d\w*)
  | (?P<name>[A-Za-z_$][\w$]*)
  | (?P<sign>=>|\.\.\.|\?\.|[=!]==?|\+\+|--|&&|\|\||[<>]=|[{}()\[\];,<>+\-*/%&|^!~?:=.])
    """,
    re.VERBOSE | re.DOTALL,
)
_PATTERN = re.compile(r"/(?![*/])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[gimsuy]*")
_OPENS_PATTERN = frozenset({"(", "=", "=>", ",", ":", "!", "&&", "||", "?", ";", "return"})
Token = tuple[str, str]
_DECLARES = frozenset({"const", "let", "var", "class", "function"})


def minify_script(source: str) -> str:
    """Drop comments and blanks from JavaScript, shorten its own names and those of its private properties.

    Raises:
        ValueError: the source uses a sign this minifier does not know, such as a template literal.
    """
    tokens = list(_tokens(source))
    names, properties = _short_names(tokens), _short_properties(tokens)
    tokens = list(_join_declarations(tokens))
    out: list[str] = []
    for index, (kind, text) in enumerate(tokens):
        word = text
        if kind == "name":
            own = properties if _is_property(tokens, index) else names | {"true": "!0", "false": "!1"}
            word = own.get(text, text)
        if out and _would_merge(out[-1], word):
            out.append(" ")
        out.append(word)
    small = "".join(out)
    for pattern, shorter in ((r";(?=})", ""), (r",(?=[}\])])", ""), (r"(?<![\w$])\((\w+)\)=>", r"\1=>")):
        small = re.sub(pattern, shorter, small)
    return small


def minify_style(source: str) -> str:
    """Drop comments and blanks from CSS; strings with two blanks in a row are not supported."""
    bare = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    bare = re.sub(r"\s+", " ", bare)
    bare = re.sub(r" ?([{};,>]) ?", r"\1", bare)
    bare = re.sub(r"(?<=[\w-]): ", ":", bare)
    return re.sub(r"(?<![\d.])0\.(?=\d)", ".", bare).replace(";}", "}").strip()


def _tokens(source: str) -> Iterator[Token]:
    """Yield kind and text of every token that is not blank."""
    position, before = 0, "("
    while position < len(source):
        # After one of these signs a slash opens a regular expression; anywhere else it divides.
        pattern = _PATTERN.match(source, position) if before in _OPENS_PATTERN else None
        match = pattern or _TOKEN.match(source, position)
        if match is None:
            raise ValueError(f"cannot minify: {source[position : position + 30]!r}")
        position = match.end()
        if match.lastgroup != "blank":
            before = match.group()
            yield str(match.lastgroup or "pattern"), before


def _join_declarations(tokens: list[Token]) -> Iterator[Token]:
    """Write neighbouring declarations as one; `let` for all of them, since nobody assigns by mistake here."""
    starts, begins = [""], True
    skip = False
    for index, (kind, text) in enumerate(tokens):
        if skip:
            skip = False
            continue
        if begins:
            starts[-1] = text
        if text in {"(", "[", "{"}:
            starts.append("")
        elif text in {")", "]", "}"}:
            starts.pop()
        begins = text in {";", "{"} or (text == "}" and starts[-1] != "const")
        after = tokens[index + 1][1] if index + 1 < len(tokens) else ""
        if text == ";" and starts[-1] == "const" == after:
            yield "sign", ","
            skip, begins = True, False
        else:
            yield kind, "let" if (kind, text) == ("name", "const") else text


def _is_property(tokens: list[Token], index: int) -> bool:
    """Tell whether the name stands for a property (after a dot), a key (before a colon) or a private method."""
    text = tokens[index][1]
    before = tokens[index - 1][1] if index else ""
    after = tokens[index + 1][1] if index + 1 < len(tokens) else ""
    return text.startswith("_") or before in {".", "?."} or (after == ":" and before in {"{", ","})


def _short_properties(tokens: list[Token]) -> dict[str, str]:
    """Give each property with a leading underscore a short name, the most used first."""
    used = Counter(text for kind, text in tokens if kind == "name" and text.startswith("_"))
    return dict(zip(sorted(used, key=lambda name: (-used[name], name)), _names(), strict=False))


def _short_names(tokens: list[Token]) -> dict[str, str]:
    """Give each declared name a short one, the most used first; names that never meet share one."""
    declared = set(_declared(tokens))
    places: dict[str, list[int]] = defaultdict(list)
    for index, (kind, text) in enumerate(tokens):
        if kind == "name" and not _is_property(tokens, index):
            places[text].append(index)
    groups = _groups(tokens)
    taken: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for foreign in places.keys() - declared:
        taken[foreign].append((0, len(tokens)))
    short: dict[str, str] = {}
    for name in sorted(declared, key=lambda name: (-len(places[name]), name)):
        first, last = _reach(tokens, groups, places[name])
        short[name] = next(
            new for new in _names() if all(end < first or last < start for start, end in taken[new])
        )
        taken[short[name]].append((first, last))
    return short


def _groups(tokens: list[Token]) -> list[tuple[int, int]]:
    """Return the ranges of all brackets, smallest first; the last is the whole source."""
    found: list[tuple[int, int]]
    opened: list[int]
    found, opened = [(-1, len(tokens))], []
    for index, (_, text) in enumerate(tokens):
        if text in {"(", "{", "["}:
            opened.append(index)
        elif text in {")", "}", "]"}:
            found.append((opened.pop(), index))
    return sorted(found, key=lambda group: group[1] - group[0])


def _reach(tokens: list[Token], groups: list[tuple[int, int]], places: list[int]) -> tuple[int, int]:
    """Return the smallest bracket that holds a name's scope, given the places where the name stands."""
    around = [group for group in groups if group[0] < places[0] and places[-1] < group[1]]
    end = around[0][1]
    # A parameter that is never used stands in its list only, but its scope is the body beside the list.
    is_list = end + 1 < len(tokens) and tokens[end][1] == ")" and tokens[end + 1][1] in {"=>", "{"}
    return around[1] if is_list else around[0]


def _declared(tokens: list[Token]) -> Iterator[str]:
    """Yield the names of constants, variables, classes and parameters."""
    for index, (kind, text) in enumerate(tokens):
        if kind == "name" and index and tokens[index - 1][1] in _DECLARES:
            yield text
        if text == "=>":
            yield from _parameters(tokens, index - 1)
        if text == "{" and tokens[index - 1][1] == ")" and tokens[index - 2][0] == "name":
            yield from _method_parameters(tokens, index - 1)


def _parameters(tokens: list[Token], end: int) -> Iterator[str]:
    """Yield the parameters of the arrow function whose arrow follows `end`."""
    if tokens[end][0] == "name":
        yield tokens[end][1]
        return
    while tokens[end][1] != "(":
        if tokens[end][0] == "name":
            yield tokens[end][1]
        end -= 1


def _method_parameters(tokens: list[Token], end: int) -> Iterator[str]:
    """Yield the parameters of a method or of catch: a plain list of names before a brace."""
    start = end
    while tokens[start][1] != "(":
        start -= 1
    inner = tokens[start + 1 : end]
    plain = all(kind == "name" or text == "," for kind, text in inner)
    if (
        plain
        and tokens[start - 1][0] == "name"
        and tokens[start - 1][1] not in {"if", "for", "while", "switch"}
    ):
        yield from (text for kind, text in inner if kind == "name")


def _names() -> Iterator[str]:
    """Yield a, b, ... z, A, ... Z, aa, ab, ... without words of the language."""
    words = {"do", "if", "in", "of", "as", "is"}
    letters = string.ascii_lowercase + string.ascii_uppercase
    for size in itertools.count(1):
        for combination in itertools.product(letters, repeat=size):
            name = "".join(combination)
            if name not in words:
                yield name


def _would_merge(left: str, right: str) -> bool:
    """Tell whether two tokens written side by side would become one."""
    wordy = re.compile(r"[\w$]")
    if wordy.match(left[-1]) and wordy.match(right[0]):
        return True
    return left[-1] == right[0] and right[0] in "+-/"
