"""Asks bash what completion offers."""

import subprocess

# Calls the function that is registered for a command, as readline would.
ASK = """
source "$1"
shift
registered=$(complete -p "$1") || exit
[[ $registered =~ -F\\ ([^ ]+) ]] || exit
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE=$*
COMP_POINT=${#COMP_LINE}
previous=
((COMP_CWORD == 0)) || previous=${COMP_WORDS[COMP_CWORD - 1]}
"${BASH_REMATCH[1]}" "$1" "${COMP_WORDS[COMP_CWORD]}" "$previous"
for offered in "${COMPREPLY[@]}"; do
  printf '%s\\n' "$offered"
done
"""


class Completion:
    def __init__(self, file):
        self.file = file

    def offered(self, *words, directory=None):
        """What is offered for the last of the words of a command line. It is an error if bash complains."""
        done = subprocess.run(["bash", "--norc", "--noprofile", "-c", ASK, "bash", str(self.file), *words],
                              stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=60,
                              cwd=directory, check=False)
        if done.stderr or done.returncode != 0:
            raise AssertionError(f"completion of {words}: exit status {done.returncode}: {done.stderr}")
        return done.stdout.splitlines()
