#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes a random specification of a protocol called "sample", always the same for the same seed.

    generate.py SEED

What it promises: the text follows the grammar, names only what is declared, and its arithmetic stays
within 64 bits and above zero, so that the compiler accepts about two of three. The others break a rule
that is not looked after here (elements that could be empty, what can never hold, ...). Shapes, sizes and
numbers are such as nobody would write by hand, those at the edges of types above all. It must never read
anything but the seed.
"""
import random
import sys
from collections import namedtuple

INTEGERS = ["u8", "u16", "u32", "u64", "u16be", "u32be", "u64be"]
NATIVE = INTEGERS[:4]
TOP = 2**64 - 1

Number = namedtuple("Number", "text lo hi")                 # an expression, and within what it stays
Enum = namedtuple("Enum", "name integer enumerators closed")
Flags = namedtuple("Flags", "name integer bits")
Struct = namedtuple("Struct", "name limits fields links")   # limits: the most each parameter may be
Message = namedtuple("Message", "name direction fields")

# Within what the result stays; nothing, if the operation could fail.
OPERATIONS = {
    "+": lambda a, b: (a.lo + b.lo, a.hi + b.hi),
    "-": lambda a, b: (a.lo - b.hi, a.hi - b.lo) if a.lo >= b.hi else None,
    "*": lambda a, b: (a.lo * b.lo, a.hi * b.hi),
    "/": lambda a, b: (a.lo // b.hi, a.hi // b.lo) if b.lo else None,
    "%": lambda a, b: (0, min(a.hi, b.hi - 1)) if b.lo else None,
    "<<": lambda a, b: (a.lo << b.lo, a.hi << b.hi) if b.hi < 64 else None,
    ">>": lambda a, b: (a.lo >> b.hi, a.hi >> b.lo) if b.hi < 64 else None,
    "&": lambda a, b: (0, min(a.hi, b.hi)),
    "|": lambda a, b: (max(a.lo, b.lo), (1 << max(a.hi, b.hi).bit_length()) - 1),
}


def bits_of(integer):
    return int(integer[1:].removesuffix("be"))


def top_of(integer):
    return (1 << bits_of(integer)) - 1


def block(head, items):
    lines = [line for item in items for line in item.split("\n")]
    return "\n".join([head + " {"] + ["    " + line for line in lines] + ["}"])


class Chance:
    """All that is random; of Python's it uses only what every version computes alike."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def below(self, n):
        return (int(self.random() * 2**32) << 32 | int(self.random() * 2**32)) % n

    def within(self, lo, hi):
        return lo + self.below(hi - lo + 1)

    def maybe(self, probability):
        return self.random() < probability

    def pick(self, things):
        return things[self.below(len(things))]

    def some(self, things, count):
        left = list(things)
        return [left.pop(self.below(len(left))) for _ in range(count)]

    def weighted(self, *choices):
        """Of pairs (weight, thing) one thing."""
        at = self.below(sum(weight for weight, _ in choices))
        for weight, thing in choices:
            if at < weight:
                return thing
            at -= weight


class Scope:
    """What can be named at a place of a layout."""

    def __init__(self, sized, prefix="f", numbers=(), truths=(), enums=()):
        self.sized = sized              # "size" and "remaining" mean something
        self.prefix = prefix            # of the names of fields
        self.numbers = list(numbers)
        self.truths = list(truths)      # texts
        self.enums = list(enums)        # pairs of text and Enum
        self.slices = []                # texts: bytes, strings, arrays, lists
        self.fields = []                # numbers that are fields of this layout itself
        self.names = [0]                # how many there are, shared with the scopes inside

    def inside(self):
        scope = Scope(self.sized, self.prefix, self.numbers, self.truths, self.enums)
        scope.slices = list(self.slices)
        scope.names = self.names
        return scope

    def fresh(self, prefix=None):
        self.names[0] += 1
        return f"{prefix or self.prefix}{self.names[0]}"

    def add_field(self, name, lo, hi):
        self.numbers.append(Number(name, lo, hi))
        self.fields.append(Number(name, lo, hi))


class Declarations(Chance):
    """Constants, enums, flags and the context."""

    def __init__(self, seed):
        super().__init__(seed)
        self.text = ['# SPDX-License-Identifier: GPL-2.0-only', f'protocol sample "random, seed {seed}"']
        self.consts, self.enums, self.flags, self.context, self.fixed, self.variable = [], [], [], [], [], []

    def declare_order_and_versions(self):
        if self.maybe(0.3):
            self.text.append("byte order big")
        self.has_versions = self.maybe(0.5)
        if self.has_versions:
            self.text.append(f"versions shift {self.pick([8, 16])} {{ 1.1 2.4 5.2 }}")

    def declare_const(self, name):
        value = self.pick([1, 2, 7, 64, 255, 4096, 65535, 2**31 - 1, 2**31, 2**32 - 1, TOP,
                           self.below(2 ** self.within(1, 64))])
        self.consts.append(Number(name, value, value))
        self.text.append(f"const {name} = {value}")

    def enum_values(self, count, top):
        if self.maybe(0.5):
            return sorted(self.some(range(min(top, 200) + 1), count))
        first = self.pick([0, 1, 5, top - count - 1, top - count + 1, self.within(0, top - 8)])
        return range(first, first + count)

    def declare_enum(self, name):
        integer = self.pick(NATIVE)
        values = self.enum_values(self.within(1, 5), top_of(integer))
        enumerators = [f"{name}_{i}" for i in range(len(values))]
        others = self.weighted((6, "refused"), (4, "allowed"))
        self.enums.append(Enum(name, integer, enumerators, others == "refused"))
        lines = [f"{one} = {value}" for one, value in zip(enumerators, values)]
        self.text.append(block(f"enum {name} : {integer}", lines + ["others " + others]))

    def declare_flags(self, name):
        integer = self.pick(NATIVE)
        bits = sorted(self.some(range(bits_of(integer)), self.within(1, 4)))
        self.flags.append(Flags(name, integer, bits))
        lines = [f"b{i} = {bit}" for i, bit in enumerate(bits)]
        self.text.append(block(f"flags {name} : {integer}", lines + [self.pick(["others zero", "others ignored"])]))

    def context_value(self, name):
        kind = self.weighted((15, "enum"), (15, "flags"), (70, "number"))
        if kind == "enum":
            enum = self.pick(self.enums)
            self.context.append(Number(name, 0, top_of(enum.integer)))
            return f"{name} : {enum.name}"
        if kind == "flags":
            self.context.append(Number(name + ".b0", 0, 1))
            return f"{name} : {self.pick(self.flags).name}"
        integer = self.pick(NATIVE)
        lo, hi = self.pick([0, 0, 1, 3]), self.pick([top_of(integer), 40, 5])
        self.context.append(Number(name, lo, hi))
        return f"{name} : {integer} in {lo} .. {hi}"

    def declare_context(self):
        values = ["version : version"] if self.has_versions else []
        values += [self.context_value(f"x{i}") for i in range(self.within(1, 4))]
        self.text.append(block("context", values))


class Expressions(Declarations):
    """Numbers and truth values of what is in scope."""

    def literal(self):
        value = self.pick([0, 1, 2, 3, 7, 8, 16, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**40, TOP])
        return Number(str(value), value, value)

    def named(self, scope, lo=0, hi=TOP):
        """Something with a name whose values lie within, or nothing."""
        fitting = [number for number in scope.numbers + self.context if lo <= number.lo and number.hi <= hi]
        return self.pick(fitting) if fitting else None

    def atom(self, scope):
        kind = self.weighted((60, "named"), (10, "const"), (10, "size"), (20, "literal"))
        if kind == "named":
            return self.named(scope) or self.literal()
        if kind == "const" and self.consts:
            return self.pick(self.consts)
        if kind == "size" and scope.sized:
            return Number(self.pick(["size", "remaining"]), 0, 2**32 - 1)
        return self.literal()

    def number(self, scope, depth=2):
        if depth == 0 or self.maybe(0.4):
            return self.atom(scope)
        for _ in range(20):
            a, b = self.number(scope, depth - 1), self.number(scope, depth - 1)
            sign = self.pick(list(OPERATIONS))
            bounds = OPERATIONS[sign](a, b)
            if bounds and bounds[1] <= TOP:
                return Number(f"({a.text} {sign} {b.text})", *bounds)
        return self.atom(scope)

    def length(self, scope):
        """A number of bytes or elements, mostly small."""
        small = self.named(scope, hi=70)
        kind = self.weighted((60, "named"), (15, "remaining"), (5, "any"), (10, "masked"), (10, "literal"))
        if kind == "named" and small:
            return self.pick(["{0}", "{0}", "{0} * 2", "{0} + 1", "({0} & 7)"]).format(small.text)
        if kind == "remaining" and scope.sized:
            return "remaining"
        if kind == "any":
            return self.number(scope).text
        if kind == "masked" and scope.numbers:
            return f"({self.pick(scope.numbers).text} & 7)"
        return str(self.within(1, 6))

    def enum_test(self, scope):
        name, enum = self.pick(scope.enums)
        if self.maybe(0.5):
            return f"{name} in {{ {', '.join(enum.enumerators)} }}"
        return f"{name} {self.pick(['=', '!=', '<', '>='])} {self.pick(enum.enumerators)}"

    def comparison(self, scope):
        a = self.number(scope) if self.maybe(0.4) else self.named(scope) or self.atom(scope)
        near = self.within(a.lo, min(a.hi, a.lo + 300))
        other = self.pick([self.number(scope).text, str(near)])
        kind = self.weighted((60, "sign"), (20, "range"), (20, "set"))
        if kind == "sign":
            return f"{a.text} {self.pick(['=', '!=', '<', '<=', '>', '>='])} {other}"
        if kind == "range":
            return f"{a.text} in {near} .. {min(near + self.within(0, 300), TOP)}"
        return f"{a.text} in {{ {near}, {other} }}"

    def truth(self, scope, depth=2):
        kind = self.weighted((35 if depth else 0, "both"), (7 if depth else 0, "not"),
                             (13 if scope.truths else 0, "flag"), (13 if scope.enums else 0, "enum"), (32, "number"))
        if kind == "both":
            word = self.pick(["and", "or", "implies"])
            return f"({self.truth(scope, depth - 1)} {word} {self.truth(scope, depth - 1)})"
        if kind == "not":
            return f"not ({self.truth(scope, depth - 1)})"
        if kind == "flag":
            return self.pick(scope.truths)
        return self.enum_test(scope) if kind == "enum" else self.comparison(scope)


class Fields(Expressions):
    """Fields that hold one number, as Number or what else a scope knows them by."""

    def bounded(self, scope, top):
        """A refinement with both bounds, and they; the upper one may be another field."""
        lo, hi = self.pick([0, 0, 1, 2]), min(self.pick([3, 9, 20, 60, top]), top - 1)
        role = self.pick(["", " as length", " as count", " as index", " as offset", " as number"])
        other = self.named(scope, lo + 1, top - 1) if self.maybe(0.4) else None
        if other:
            return f"in {lo} .. {other.text}{role}", lo, other.hi
        return (f"in {lo} .. {hi}{role}" if lo else f"<= {hi}{role}"), lo, hi

    def integer(self, scope, name, place):
        integer = self.pick(INTEGERS)
        lo, hi = 0, top_of(integer)
        kind = self.weighted((30, "any"), (25, "bounded"), (10, "known"), (10, "multiple"), (10, "set"), (15, "compared"))
        refinement = "any"
        if kind == "bounded":
            refinement, lo, hi = self.bounded(scope, hi)
        if kind == "multiple":
            refinement = f"multiple_of {self.pick([2, 3, 4, 8])}"
        if kind == "set":
            values = self.some(range(30), 3)
            lo, hi = min(values), max(values)
            refinement = "in { %s }" % ", ".join(map(str, values))
        if kind == "compared":
            refinement = f"{self.pick(['!=', '<=', '>='])} {self.atom(scope).text}"
        if kind == "known":
            return f"{name} : {integer}{place} {self.pick(['ignored', 'zero', f'= {self.below(10)}'])}"
        scope.add_field(name, lo, hi)
        return f"{name} : {integer}{place} {refinement}"

    def enumerated(self, scope, name, place):
        enum = self.pick(self.enums)
        narrow = len(enum.enumerators) > 1 or not enum.closed
        scope.enums.append((name, enum))
        return f"{name} : {enum.name}{place}" + (f" in {{ {enum.enumerators[0]} }}" if narrow and self.maybe(0.3) else "")

    def flagged(self, scope, name, place):
        flags = self.pick(self.flags)
        refinement = self.pick(["", "", "", f" = {1 << flags.bits[0]}", " ignored"])
        if refinement != " ignored":
            names = [f"{name}.b{i}" for i in range(len(flags.bits))]
            scope.truths += names
            scope.numbers += [Number(one, 0, 1) for one in names]
        return f"{name} : {flags.name}{place}{refinement}"

    def part(self, scope, name, width):
        most = (1 << width) - 1
        refinement = self.pick(["any", "any", "ignored", "zero", f"<= {most - 1}" if width > 1 else "any"])
        if refinement not in ("ignored", "zero"):
            scope.numbers.append(Number(name, 0, most))
            scope.truths += [name] if width == 1 else []
        return f"{name.split('.')[1]} : {width} {refinement}"

    def bits(self, scope, name, place):
        integer = self.pick(INTEGERS)
        left, parts, later = bits_of(integer), [], scope.inside()
        while left:
            width = min(left, 63) if len(parts) > 5 else self.within(1, min(left, 63))
            parts.append(self.part(later, f"{name}.p{len(parts)}", width))
            left -= width
        scope.numbers, scope.truths = later.numbers, later.truths
        return f"{name} : bits {integer} {{ {'  '.join(parts)} }}{place}"

    def scalar(self, scope, place=""):
        field = self.weighted((50, self.integer), (15, self.enumerated), (13, self.flagged), (22, self.bits))
        return field(scope, scope.fresh(), place)


class FixedItems(Fields):
    """What may stand in a fixed struct: each function returns the text of an item."""

    def call(self, scope, struct):
        """A struct with arguments."""
        if not struct.limits:
            return struct.name
        known = [self.named(scope, hi=most) if self.maybe(0.7) else None for most in struct.limits]
        return f"{struct.name}({', '.join(one.text if one else str(self.below(10)) for one in known)})"

    def fixed_bytes(self, scope):
        return f"{scope.fresh()} : bytes[{self.within(1, 9)}] {self.pick(['any', 'ignored'])}"

    def guid(self, scope):
        return f"{scope.fresh()} : guid"

    def fixed_integers(self, scope):
        return f"{scope.fresh()} : {self.pick(INTEGERS)}[{self.within(1, 4)}]"

    def fixed_array(self, scope):
        return f"{scope.fresh()} : {self.call(scope, self.pick(self.fixed))}[{self.within(1, 3)}]"

    def nested(self, scope):
        struct, name = self.pick(self.fixed), scope.fresh()
        text = f"{name} : {self.call(scope, struct)}"
        scope.numbers += [Number(f"{name}.{field.text}", field.lo, field.hi) for field in struct.fields]
        return text

    def rule(self, scope):
        return f"rule {scope.fresh('r')} : {self.truth(scope)}"

    def let(self, scope):
        number, name = self.number(scope), scope.fresh("l")
        scope.numbers.append(Number(name, number.lo, number.hi))
        return f"let {name} = {number.text}"

    def fixed_item(self, scope, lets=True):
        some = 1 if self.fixed else 0
        item = self.weighted((55, self.scalar), (10, self.fixed_bytes), (5, self.guid), (8, self.fixed_integers),
                             (5 * some, self.fixed_array), (7 * some, self.nested), (5, self.rule),
                             (5 if lets else 0, self.let))
        return item(scope)


class Items(FixedItems):
    """What may stand anywhere else, too."""

    def place(self, scope):
        """Sometimes a field lies elsewhere."""
        if not self.maybe(0.2):
            return ""
        return " at " + self.pick([self.number(scope, 1).text, self.length(scope), str(self.below(13))])

    def slice(self, scope, text):
        """text: the type, for a field that others may be told not to overlap."""
        place, name = self.place(scope), scope.fresh()
        scope.slices.append(name)
        return f"{name} : {text}{place}"

    def placed(self, scope):
        return self.scalar(scope, self.place(scope))

    def bytes(self, scope):
        apart = [f" no_overlap {self.pick(scope.slices)}"] if scope.slices else []
        text = f"bytes[{self.length(scope)}]"
        if self.maybe(0.3):
            return f"{scope.fresh()} : {text}{self.place(scope)} ignored"
        return self.slice(scope, text) + self.pick([""] + apart)

    def string(self, scope):
        return self.slice(scope, f"{self.pick(['ascii', 'utf16'])}[{self.length(scope)}] "
                          f"{self.pick(['terminated', 'padded'])}")

    def array(self, scope, element):
        counted = f"{element}[{self.length(scope)}]"
        return self.slice(scope, self.pick([counted, f"{element}[] size {self.length(scope)}"]))

    def scalars(self, scope):
        return self.array(scope, self.pick(INTEGERS + [enum.name for enum in self.enums if not enum.closed]))

    def structs(self, scope):
        return self.array(scope, self.call(scope, self.pick(self.fixed + self.variable)))

    def variable_struct(self, scope):
        place = self.place(scope)
        return f"{scope.fresh()} : {self.call(scope, self.pick(self.variable))}{place}"

    def list_end(self, struct):
        """How a list of such elements goes on or ends."""
        if struct.links and self.maybe(0.5):
            return f" linked by {self.pick(struct.links)}"
        if struct.fields and self.maybe(0.4):
            value = self.pick([str(self.below(6))] + [number.text for number in self.context])
            return f" until {self.pick(struct.fields).text} {self.pick(['=', '>', '<'])} {value}"
        return ""

    def list(self, scope):
        struct = self.pick(self.fixed + self.variable)
        most = self.pick(["5", "9", self.length(scope)])
        return self.slice(scope, f"list of {self.call(scope, struct)} size {self.length(scope)} max {most}"
                          + self.list_end(struct))

    def arm(self, scope):
        kind = self.weighted((3, "integer"), (4, "struct"), (3, "bytes"))
        if kind == "integer":
            return self.pick(INTEGERS)
        return f"bytes[{self.length(scope)}]" if kind == "bytes" else self.call(scope, self.pick(self.fixed + self.variable))

    def union(self, scope):
        tag, enum = self.pick(scope.enums)
        chosen = self.some(enum.enumerators, self.within(1, len(enum.enumerators)))
        arms = [f"{one} : {self.arm(scope)}" for one in chosen] + [self.pick(["others refused", "others skipped"])]
        size = f" size {self.length(scope)}" if self.maybe(0.5) else ""
        place = self.place(scope)
        return block(f"{scope.fresh()} : union by {tag}{size}", arms) + place

    def branch(self, scope, depth):
        inside = scope.inside()
        return [self.item(inside, depth - 1) for _ in range(self.within(1, 3))]

    def when(self, scope, depth):
        text = block(f"when {self.truth(scope)}", self.branch(scope, depth))
        return text + (" " + block("else", self.branch(scope, depth)) if self.maybe(0.5) else "")

    def item(self, scope, depth):
        """depth: of whens inside of each other."""
        varying = 1 if self.variable else 0
        item = self.weighted((25, self.placed), (7, self.fixed_item), (8, self.bytes), (5, self.string),
                             (10, self.scalars), (10, self.structs), (8 * varying, self.variable_struct),
                             (7, self.list), (8 if scope.enums else 0, self.union), (14 if depth else 0, self.when))
        return item(scope, depth) if item == self.when else item(scope)

    def ending(self):
        return self.weighted((4, ["rest : bytes[remaining]"]), (1, ["rest : bytes[remaining] ignored"]),
                             (2, ["trailing ignored"]), (4, []))


class Layouts(Items):
    """Structs and frames."""

    def parameters(self):
        """Their numbers, and what stands behind the name of the struct."""
        params = [Number(f"q{i}", 0, self.pick([9, 60, 255])) for i in range(self.pick([0, 0, 0, 1, 2]))]
        texts = [f"{one.text} : {self.pick(['u8', 'u32', 'u64'])} in 0 .. {one.hi}" for one in params]
        return params, f"({', '.join(texts)})" if params else ""

    def declare_fixed(self, name):
        params, text = self.parameters()
        scope = Scope(sized=False, numbers=params)
        items = [self.fixed_item(scope) for _ in range(self.within(1, 5))]
        self.text.append(block(f"struct {name}{text}", items))
        links = [field.text for field in scope.fields]
        self.fixed.append(Struct(name, [one.hi for one in params], scope.fields, links))

    def declare_variable(self, name):
        params, text = self.parameters()
        scope, items, links = Scope(sized=True, numbers=params), [], []
        if self.maybe(0.4):
            items.append(f"len : {self.pick(INTEGERS)} in 2 .. 40")
            scope.numbers.append(Number("len", 2, 40))
            links.append("len")
        items.append(self.fixed_item(scope))
        items += [self.item(scope, 1) for _ in range(self.within(0, 3))]
        if links and self.maybe(0.7):
            items.insert(self.within(1, len(items)), self.pick(["extent len", "extent len + 1"]))
        self.text.append(block(f"struct {name}{text}", items))
        self.variable.append(Struct(name, [one.hi for one in params], scope.fields, links))

    def declare_user_of_all(self):
        """A frame with each struct, so that none is unused."""
        structs = self.fixed + self.variable
        calls = [one.name + (f"({', '.join('2' for _ in one.limits)})" if one.limits else "") for one in structs]
        self.text.append(block("frame all", [f"z{i} : {call}" for i, call in enumerate(calls)]))

    def declare_frame(self, name):
        scope = Scope(sized=True)
        items = [self.item(scope, 2) for _ in range(self.within(1, 7))]
        direction = self.pick(["", " to host", " either way"])
        self.text.append(block(f"frame {name}{direction}", items + self.ending()))


class Conversation(Layouts):
    """Header, messages and a session."""

    def declare_header(self, count):
        kinds = [f"kind_{i} = {i + 1}" for i in range(count)]
        self.text.append(block("enum kinds : u16", kinds + ["others refused"]))
        scope = Scope(sized=False, prefix="h")
        items = [self.fixed_item(scope, lets=False) for _ in range(self.within(0, 3))]
        self.text.append(block("header", ["kind : kinds"] + items))
        return scope

    def request_item(self, scope, asked):
        """Something that depends on what was asked."""
        field = f"request.{self.pick(asked.fields).text}"
        name = scope.fresh()
        premise = f"{self.pick(scope.fields).text} > 2 implies " if scope.fields else ""
        return self.pick([f"{name} : u32 = {field}", f"{name} : u16 any\n{name}_more : u64 <= {field}",
                          f"rule {name} : {premise}{field} > 3"])

    def answer(self, scope, requests):
        """What a message answers, if anything, and its items for that."""
        if not requests or self.maybe(0.3):
            return "", []
        asked = self.pick(requests)
        count = self.within(1, 3) if asked.fields else 0
        return f" answers {asked.name}", [self.request_item(scope, asked) for _ in range(count)]

    def declare_message(self, number, header, requests):
        scope = Scope(True, "f", header.fields, header.truths, header.enums)
        items = [self.item(scope, 1) for _ in range(self.within(1, 5))]
        direction = self.pick(["from host", "to host", "either way"]) if number else "from host"
        answers, more = self.answer(scope, requests) if direction != "to host" else ("", [])
        head = f"message n{number} {direction} when kind = kind_{number}{answers}"
        self.text.append(block(head, items + more + self.ending()))
        return Message(f"n{number}", direction, scope.fields)

    def event_lines(self, word, message):
        """What this event does in one state; last the line that always holds."""
        to, lines = [self.pick(["a", "b", "c"]) for _ in range(2)], []
        if message.fields and self.maybe(0.4):
            field = self.pick(message.fields)
            value = self.within(field.lo, min(field.hi - 1, field.lo + 9)) if field.hi > field.lo else 0
            lines.append(f"{word} {message.name} when {field.text} > {value} -> {to[0]}")
        if self.maybe(0.8):
            lines.append(f"{word} {message.name} -> {to[1]}{self.pick(['', '', ', cancel'])}")
        return lines

    def state(self, name, messages):
        lines = []
        for message in messages:
            if message.direction != "to host":
                lines += self.event_lines("on", message)
            if message.direction != "from host":
                lines += self.event_lines("send", message)
        return block(f"state {name}", lines + [f"local leave_{name} -> {self.pick(['a', 'b', 'c'])}"])

    def declare_conversation(self):
        count, messages = self.within(2, 5), []
        header = self.declare_header(count)
        for number in range(count):
            requests = [message for message in messages if message.direction != "from host"]
            messages.append(self.declare_message(number, header, requests))
        states = [self.state(name, messages) for name in ("a", "b", "c")]
        self.text.append(block("session talk", ["start a"] + states + ["others drop"]))


def specification(seed):
    spec = Conversation(seed)
    spec.declare_order_and_versions()
    for i in range(spec.within(0, 3)):
        spec.declare_const(f"c{i}")
    for i in range(spec.within(1, 3)):
        spec.declare_enum(f"e{i}")
    for i in range(spec.within(1, 2)):
        spec.declare_flags(f"g{i}")
    spec.declare_context()
    for i in range(spec.within(2, 4)):
        spec.declare_fixed(f"s{i}")
    for i in range(spec.within(2, 4)):
        spec.declare_variable(f"t{i}")
    spec.declare_user_of_all()
    for i in range(spec.within(1, 3)):
        spec.declare_frame(f"m{i}")
    if spec.maybe(0.6):
        spec.declare_conversation()
    return "\n".join(spec.text)


if __name__ == "__main__":
    print(specification(int(sys.argv[1])))
