"""Options and commands: in the man pages, and in the completion."""

import re

from documentation import Documentation
from programs import listed_names

# Programs whose own options may stand behind a command too.
OPTIONS_BEHIND_COMMANDS = ("meridianctl",)


class CommandLineCases(Documentation):
    def each_program(self):
        """What it is called in messages, the program, its page."""
        for name, program in self.programs.items():
            yield name, program, self.pages[name]

    def each_command(self):
        """Each program without a command, and then with each of its commands, and theirs: what it is called in
        messages, the program, the command as a list, what --help lists."""
        for name, program, _ in self.each_program():
            commands = [[]]
            for command in commands:
                listed = program.help(*command)
                commands += [[*command, inner] for inner in listed.commands]
                yield " ".join([name, *command]), program, command, listed

    def log_levels(self):
        """Those that meridiand takes."""
        words = self.try_value(self.programs["meridiand"], ["--log-level"], "no-such-name")
        return re.search(r"one of ([a-z, ]+), is", words)[1].split(", ")

    def each_value(self):
        """Each option that takes a value: what it is called in messages, the program, the words up to the value,
        what --help calls it."""
        for name, program, command, listed in self.each_command():
            for option, value in listed.options.items():
                if value:
                    yield f"{name} {option}", program, [*command, option], value

    def try_value(self, program, words, value):
        """Runs a program with an option and its value, so that it ends at once. What it says."""
        before = {"meridiand": ["--check-config"],
                  "meridianctl": ["--socket", self.directory / "none.sock"],
                  "meridian-sim": ["--uplinks", 1, "--frames", 0, "--connect", self.closed_port()]}[program.name]
        if program.name == "meridianctl" and len(words) == 1:
            words = ["depth", *words]
        return program.run(*before, *words, value).stderr

    @staticmethod
    def heads(item, command, listed):
        """Whether an item of a man page is that of a command, with what it takes or may take."""
        tag = item.tag.replace(" Op Ar ", " Ar ")
        return tag == " ".join([f"Ic {command}", *(f"Ar {operand}" for operand in listed.operands)])

    # Man pages.

    def test_every_option_stands_in_its_man_page(self):
        for what, program, command, listed in self.each_command():
            if command and listed.commands:
                continue  # each of these stands there
            with self.subTest(what):
                page = self.pages[program.name]
                own = page.options_of(page.items("OPTIONS"))
                if command:
                    name = " ".join(command)
                    [item] = [item for item in page.items("COMMANDS") if self.heads(item, name, listed)] or [None]
                    self.assertIsNotNone(item, f"{name} does not stand in COMMANDS")
                    own = page.options_of(item.items) | {name: own[name] for name in ("-h", "--help")}
                self.assertEqual(own, listed.options)

    def test_every_command_stands_in_its_man_page(self):
        for what, program, page in self.each_program():
            with self.subTest(what):
                commands = [" ".join(command) for _, each, command, listed in self.each_command()
                            if each is program and command and not listed.commands]
                tags = [re.sub(r"( Op)? Ar .*", "", tag) for tag in page.tags("Ic", "COMMANDS")]
                self.assertEqual(sorted(tags), sorted(commands))

    def test_synopsis_has_every_option(self):
        for what, program, page in self.each_program():
            with self.subTest(what):
                listed = [listed for _, each, _, listed in self.each_command() if each is program]
                self.assertEqual(page.mentioned_options(page.sections["SYNOPSIS"].lines),
                                 set().union(*(each.long_options() for each in listed)))

    def test_man_pages_mention_no_option_that_is_not_there(self):
        known = set().union(*(listed.long_options() for *_, listed in self.each_command()))
        for page in [*self.pages.values(), self.config_page]:
            with self.subTest(page.path.name):
                self.assertEqual(page.mentioned_options() - known, set())

    # Completion.

    def test_completion_offers_every_option(self):
        for what, program, command, listed in self.each_command():
            with self.subTest(what):
                options = set(listed.options)
                if command and program.name in OPTIONS_BEHIND_COMMANDS:
                    options |= set(program.help().options)
                self.assertEqual(sorted(self.completion.offered(program.name, *command, "-")), sorted(options))
                for option in options:
                    self.assertIn(option, self.completion.offered(program.name, *command, option[:-1]))

    def test_completion_offers_every_command(self):
        for what, program, _ in self.each_program():
            commands = sorted(program.help().commands)
            if not commands:
                continue
            for before in ([], ["--json"], ["--socket", "depth"], ["--socket", "=", "depth"]):
                with self.subTest(what, before=before):
                    self.assertEqual(sorted(self.completion.offered(program.name, *before, "")), commands)
                    for command in commands:
                        self.assertIn(command, self.completion.offered(program.name, *before, command[:1]))
                        after = self.completion.offered(program.name, *before, command, "")
                        listed = program.help(command)
                        self.assertEqual([word for word in after if not word.startswith("-")],
                                         self.log_levels() if listed.operands == ["LEVEL"] else listed.commands)

    def test_completion_offers_files_where_one_is_expected(self):
        (self.directory / "a directory").mkdir()
        (self.directory / "a file").touch()
        (self.directory / "another one").touch()
        expected = 0
        for what, program, words, value in self.each_value():
            if value not in ("FILE", "PATH"):
                continue
            expected += 1
            for before in (words, [*words, "="]):
                with self.subTest(what, before=before):
                    offered = self.completion.offered(program.name, *before, "a ", directory=self.directory)
                    self.assertEqual(sorted(offered), ["a directory", "a file"])
        self.assertGreaterEqual(expected, 4)

    def test_completion_offers_the_names_that_a_program_takes(self):
        lists = 0
        for what, program, words, value in self.each_value():
            names = listed_names(self.try_value(program, words, "no-such-name"))
            if not names:
                continue
            lists += 1
            with self.subTest(what):
                if "|" in value:
                    self.assertEqual(names, set(value.split("|")))
                for before in ([*words, ""], [*words, "=", ""], [*words, "="]):
                    self.assertEqual(sorted(self.completion.offered(program.name, *before)), sorted(names))
                for name in names:
                    self.assertIn(name, self.completion.offered(program.name, *words, name[:-1]))
                    self.assertNotIn(f"{words[-1]}:", self.try_value(program, words, name))
        self.assertGreaterEqual(lists, 3)

    def test_completion_offers_nothing_where_only_the_user_knows(self):
        for what, program, words, value in self.each_value():
            if value not in ("FILE", "PATH") and not listed_names(self.try_value(program, words, "no-such-name")):
                with self.subTest(what):
                    self.assertEqual(self.completion.offered(program.name, *words, "", directory=self.directory), [])

    def test_completion_goes_on_after_an_option_without_value(self):
        for what, program, command, listed in self.each_command():
            for option in (option for option, value in listed.options.items() if not value):
                with self.subTest(what, option=option):
                    self.assertEqual(self.completion.offered(program.name, *command, option, "--"),
                                     self.completion.offered(program.name, *command, "--"))
