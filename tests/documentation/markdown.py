"""Reads documents in Markdown: headings, links, blocks of commands, and words that they should not have."""

import re


class Markdown:
    def __init__(self, file):
        self.file = file
        self.lines = file.read_text(encoding="utf-8").splitlines()

    def prose(self):
        """Its lines without fenced blocks."""
        fenced = False
        for line in self.lines:
            if line.lstrip().startswith("```"):
                fenced = not fenced
            elif not fenced:
                yield line

    def headings(self, level="#+"):
        return [line.lstrip("#").strip() for line in self.prose() if re.match(level + " ", line)]

    def anchors(self):
        """Of its headings, as GitHub makes them."""
        found, seen = set(), {}
        for heading in self.headings():
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
            anchor = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
            found.add(f"{anchor}-{seen[anchor]}" if anchor in seen else anchor)
            seen[anchor] = seen.get(anchor, 0) + 1
        return found

    def programs(self, language):
        """The fenced blocks of a language."""
        return re.findall(rf"^```{language}\n(.*?)^```", "\n".join(self.lines) + "\n", re.DOTALL | re.MULTILINE)

    def shell_blocks(self, heading):
        """The fenced blocks of sh below a heading, up to the next one of its level."""
        blocks, level, block = [], 0, None
        for line in self.lines:
            if block is not None:
                if line.startswith("```"):
                    blocks.append("\n".join(block))
                    block = None
                else:
                    block.append(line)
                continue
            if found := re.match(r"(#+) (.*)", line):
                level = len(found[1]) if found[2].strip() == heading else 0 if len(found[1]) <= level else level
            elif level and line == "```sh":
                block = []
        return blocks


def links_of(document):
    text = "\n".join(re.sub(r"`[^`]*`", "", line) for line in document.prose())
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'<(?:a href|img src)="([^"]+)"', text)


# Phrases that are riddles or were translated word for word, each with what to write in its place.
REFUSED = {
    r"who has neither": "name who has what",
    r"nobody waits who": "say who waits, and for what",
    r"left away|leave \w+ away": "left out",
    r"stands twice": "is there twice",
    r"(?:is|are) to be had": "is available",
    r"so it is with": "the same holds for",
    r"begins? anew|begun anew": "start over",
    r"by itself alone": "alone",
    r"as it were": "leave it out",
    r"the lesson\b|the contract\b|its design\b": "say what it says: it is not in the tree",
    r"whoever has not": "name who it is",
    r"stop(?:s|ped)? in order\b": "orderly stop",
}
SEARCHED = {"*.md": ".", "*.hpp": "include src", "*.cpp": "src", "*.1": "docs/man", "*.5": "docs/man", "*.8": "docs/man",
            "*.yml": "docs/prometheus", "*.js": "src/http/page", "*.html": "src/http/page", "*.py": "scripts"}


def language_faults(top):
    """Where a refused phrase is: a line with file, number, phrase and what to write instead for each."""
    refused = {re.compile(phrase, re.IGNORECASE): instead for phrase, instead in REFUSED.items()}
    found = []
    for pattern, places in SEARCHED.items():
        for place in places.split():
            for file in sorted((top / place).rglob(pattern)):
                name = str(file.relative_to(top))
                if name.startswith(("build/", ".git/")):
                    continue
                for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                    found += [f"{name}:{number}: {match[0]}: {instead}" for phrase, instead in refused.items()
                              for match in phrase.finditer(line)]
    return found
