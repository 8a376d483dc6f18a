"""The documents as such: man pages without faults, links that lead somewhere, tours that can be pasted."""

import os
import re
import shutil
import subprocess
import sys

from documentation import Documentation
from markdown import Markdown, language_faults, links_of

# A network of its own, so that the ports in a tour are free, and what it leaves running ends with it.
ALONE = ["unshare", "--net", "--pid", "--fork", "--kill-child", "bash", "-c", 'ip link set lo up && exec bash -u "$@"',
         "bash"]

# What a tour must have said at its end.
SAID_BY_TOURS = {"The daemon": "0 frames (0 bytes) remained; of 880005 received, 880005 were drained",
                 "Into a NATS JetStream cluster": "expected: 200,000 frames, 200,000 of them came"}


class PageCases(Documentation):
    def documents(self):
        """{path from the top: Markdown}."""
        files = [*self.source.glob("*.md"), *(self.source / "docs").rglob("*.md")]
        self.assertGreater(len(files), 10)
        return {str(file.relative_to(self.source)): Markdown(file) for file in sorted(files)}

    def test_links_lead_somewhere(self):
        documents = self.documents()
        for name, document in documents.items():
            for link in links_of(document):
                if re.match(r"[a-z]+:", link):
                    continue
                with self.subTest(name, link=link):
                    path, _, anchor = link.partition("#")
                    target = (document.file.parent / path).resolve() if path else document.file
                    self.assertTrue(target.exists(), f"{target} is not there")
                    if anchor:
                        inside = documents[str(target.relative_to(self.source))]
                        self.assertIn(anchor, inside.anchors())

    def test_pages_that_are_read_first_are_short(self):
        for name, most in ("README.md", 150), ("ARCHITECTURE.md", 200):
            with self.subTest(name):
                self.assertLessEqual(len((self.source / name).read_text(encoding="utf-8").splitlines()), most)

    def test_language_is_plain(self):
        self.assertEqual(language_faults(self.source), [])

    def test_tour_of_the_readme_can_be_pasted(self):
        document = Markdown(self.source / "README.md")
        said = self.paste(document.shell_blocks("A tour of ten lines"))
        self.assertIn("of 80000 received, 3 were drained", said)

    def test_tours_can_be_pasted(self):
        document = Markdown(self.source / "docs/start.md")
        tours = [heading for heading in document.headings("##") if document.shell_blocks(heading)]
        self.assertEqual(tours, list(SAID_BY_TOURS))
        for heading, expected in SAID_BY_TOURS.items():
            with self.subTest(heading):
                self.assertIn(expected, self.paste(document.shell_blocks(heading)))

    def paste(self, blocks):
        """Runs blocks of shell commands as one, from the top. What they print."""
        if os.geteuid() != 0 or subprocess.run(ALONE + ["-c", "true"], check=False).returncode != 0:
            self.skipTest("only root gets a network of its own, in which the ports of a tour are free")
        for tool in ("socat", "nc", "curl", "nats-server"):
            if shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin") is None:
                self.skipTest(f"{tool} is not installed")
        # The programs under test, where a tour looks for those of the release build.
        programs = self.directory / "build/release/bin"
        programs.mkdir(parents=True)
        for name, program in self.programs.items():
            (programs / name).symlink_to(program.path)
        done = subprocess.run([*ALONE, "-c", "\n".join(blocks)], cwd=self.directory, stdin=subprocess.DEVNULL,
                              capture_output=True, encoding="utf-8", timeout=120, check=False)
        # Its status is that of the last command, such as the server's, which ends with 1 when it is stopped.
        self.assertNotRegex(done.stderr, "command not found|No such file|rror:")
        shutil.rmtree(self.directory / "build")
        return done.stdout

    def test_programs_of_the_documents_do_what_they_say(self):
        uplinks = Markdown(self.source / "docs/integrate/uplinks.md")
        [sender] = uplinks.programs("python")
        [c_sender] = uplinks.programs("c")
        [leasing] = Markdown(self.source / "docs/integrate/control-socket.md").programs("python")
        with self.running_daemon() as daemon:
            here = {"7400": self.port_of(daemon), "/run/meridian/control.sock": str(daemon.socket)}
            (self.directory / "uplink.c").write_text(self.placed(c_sender, here), encoding="utf-8")
            compiled = self.directory / "uplink"
            subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-o", compiled, self.directory / "uplink.c"],
                           check=True, timeout=60)
            subprocess.run([compiled], check=True, timeout=60)
            subprocess.run([sys.executable, "-c", self.placed(sender, here)], check=True, timeout=60)
            self.assertEqual(daemon.ask("stats")["ledger"]["buffered"], 2000)
            subprocess.run([sys.executable, "-c", self.placed(leasing, here)], check=True, timeout=60,
                           stdout=subprocess.DEVNULL, cwd=self.directory)
            self.assertEqual(daemon.ask("stats")["ledger"]["drained"], 2000)

    def test_go_sender_of_the_documents_does_what_it_says(self):
        if shutil.which("go") is None:
            self.skipTest("go is not installed")
        [sender] = Markdown(self.source / "docs/integrate/uplinks.md").programs("go")
        with self.running_daemon() as daemon:
            program = self.directory / "uplink.go"
            program.write_text(self.placed(sender, {"7400": self.port_of(daemon)}), encoding="utf-8")
            subprocess.run(["go", "run", program], check=True, timeout=120,
                           env=os.environ | {"GOCACHE": str(self.directory / "cache"), "GOFLAGS": "-mod=mod"})
            self.assertEqual(daemon.ask("stats")["ledger"]["buffered"], 1000)

    def test_mandoc_has_nothing_to_say(self):
        # Manuals that a page refers to need not be installed.
        of_others = re.compile(r"mandoc: outdated mandoc\.db lacks|: referenced manual not found:")
        for page, done in self.each_page_through("mandoc", "-T", "lint", "-W", "style"):
            with self.subTest(page):
                said = (done.stdout + done.stderr).splitlines()
                self.assertEqual([line for line in said if not of_others.search(line)], [])

    def test_man_has_nothing_to_say(self):
        for page, done in self.each_page_through("man", "--warnings", "-E", "UTF-8", "-Tutf8", "-Z", "-l"):
            with self.subTest(page):
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def each_page_through(self, tool, *arguments):
        if shutil.which(tool) is None:
            self.skipTest(f"{tool} is not installed")
        pages = sorted(self.man.iterdir())
        self.assertEqual(len(pages), 4)
        for page in pages:
            yield page.name, subprocess.run(
                [tool, *arguments, str(page)], capture_output=True, encoding="utf-8", timeout=60, check=False,
                env=os.environ | {"LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"})
