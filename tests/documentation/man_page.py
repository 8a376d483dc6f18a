"""Reads what a man page in mdoc(7) lists: options, commands, keys."""

import dataclasses
import re

# Macros that others may be followed by; what they enclose is text.
CALLABLE = {"Ar", "Cm", "Dv", "Ev", "Fl", "Ic", "Li", "Nm", "Ns", "Op", "Pa", "Pq", "Qq", "Sx", "Va", "Xr"}


@dataclasses.dataclass
class Item:
    """An item of a list, with the lists inside of it."""

    tag: str
    lines: list = dataclasses.field(default_factory=list)
    items: list = dataclasses.field(default_factory=list)

    def options(self):
        """{"--name": what its value is called, "" where it has none}; nothing if this is no option."""
        names = ["-" + name for name in re.findall(r"\bFl (\S+)", self.tag)]
        return {name: text_of(re.sub(r"Fl \S+( ,)?", "", self.tag)).replace(" ", "") for name in names}

    def first_paragraph(self):
        end = self.lines.index(".Pp") if ".Pp" in self.lines else len(self.lines)
        return " ".join(map(plain, self.lines[:end]))


class Section(Item):
    """What stands under a heading: like an item, but not in a list."""


class ManPage:
    def __init__(self, path):
        self.path = path
        self.lines = path.read_text(encoding="utf-8").splitlines()
        self.sections = {}
        open_lists = []  # what each of them belongs to
        for line in self.lines:
            if line.startswith(".Sh "):
                open_lists, here = [], Section(line[4:])
                self.sections[here.tag] = here
            elif line.startswith(".Bl "):
                open_lists.append(here)
            elif line.startswith(".It "):
                here = Item(line[4:])
                open_lists[-1].items.append(here)
            elif line.startswith(".El"):
                here = open_lists.pop()
            elif self.sections:
                here.lines.append(line)

    def items(self, section):
        return self.sections[section].items if section in self.sections else []

    def tags(self, macro, section=None):
        """The names in the tags of lists: .It MACRO NAME, .It MACRO NAME , NAME."""
        found = []
        for heading in [section] if section else self.sections:
            for item in self.items(heading):
                if item.tag.startswith(macro + " "):
                    found += item.tag.removeprefix(macro + " ").split(" , ")
        return found

    def options_of(self, items):
        """The options among these items, as in Item.options()."""
        return {name: value for item in items for name, value in item.options().items()}

    def mentioned_options(self, lines=None):
        """Long options, wherever they stand in the page."""
        text = "\n".join(self.lines if lines is None else lines)
        return set(re.findall(r"(?<!\S)--[a-z][a-z-]*", re.sub(r"\.?\bFl -", "--", text)))

    def literal_blocks(self, lines=None):
        """What stands between .Bd -literal and .Ed."""
        text = "\n".join(self.lines if lines is None else lines)
        return [unescaped(block) for block in re.findall(r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed", text, re.M)]


def unescaped(text):
    return text.replace(r"\(dq", '"').replace(r"\e", "\\").replace(r"\&", "")


def text_of(tokens):
    """The text in the arguments of a macro."""
    return " ".join(token for token in tokens.split() if token not in CALLABLE)


def plain(line):
    """A line of the source as text."""
    if line.startswith("."):
        line = text_of(line.split(" ", 1)[1] if " " in line else "")
    return re.sub(r" ([,;.:)])", r"\1", unescaped(line))
