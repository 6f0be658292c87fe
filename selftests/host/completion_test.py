#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The completions for zsh and fish, asked as the shells ask them: they have the
commands and options of the help. host_test has those for bash. Prints TAP."""

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile

from tap import LUOTRACE, TOP, check, run, run_tests

# What is typed, and what must be offered, beside commands and options.
ARGUMENTS = (("latency --by ", ["file", "handler", "session"]),
             ("mark vm-a ", ["paused", "resumed"]),
             ("top --sort ", ["age", "handler", "session", "task"]),
             ("top -o un", ["unfreeze", "unpreserve"]),
             ("trace --op can", ["can_finish", "can_preserve", "cancel"]),
             ("trace -o un", ["unfreeze", "unpreserve"]),
             ("record --op un", ["unfreeze", "unpreserve"]),
             ("timeline MAKE", ["MAKEFILE"]),
             ("handover --memory MAKE", ["MAKEFILE"]),
             ("record -o MAKE", ["MAKEFILE"]),
             ("check MAKE", []))
# Completes each line of the file "lines", appends what is offered to "offered".
ZSHRC = r"""
fpath=($ZDOTDIR $fpath)
LISTMAX=10000
autoload -Uz compinit
compinit -u -D
compadd() {
	local -a hits
	if [[ " ${@[1,(i)(-|--)]} " != *' -'(O|A|D)' '* ]]; then
		builtin compadd -A hits "$@"
		print -rl -- $hits >> $ZDOTDIR/offered
	fi
	builtin compadd "$@"
}
ask() {
	local line
	for line in ${(f)"$(< $ZDOTDIR/lines)"}; do
		print -r "> $line" >> $ZDOTDIR/offered
		BUFFER=$line
		CURSOR=$#BUFFER
		zle complete-word
	done
	exit
}
zle -N ask
bindkey '^T' ask
PS1=READY
"""


def ask_zsh(lines):
    """Returns what zsh offers for each line."""
    with tempfile.TemporaryDirectory() as tmp:
        shutil.copy(os.path.join(TOP, "tools/luotrace/luotrace.zsh"),
                    tmp + "/_luotrace")
        with open(tmp + "/.zshrc", "w") as f:
            f.write(ZSHRC)
        with open(tmp + "/lines", "w") as f:
            f.write("".join(line + "\n" for line in lines))
        open(tmp + "/MAKEFILE", "w").close()
        primary, secondary = pty.openpty()
        env = dict(os.environ, ZDOTDIR=tmp, HOME=tmp, TERM="vt100")
        with subprocess.Popen(["zsh", "-d", "-i"], stdin=secondary, stdout=secondary,
                              stderr=secondary, env=env, cwd=tmp,
                              start_new_session=True) as proc:
            os.close(secondary)
            text, asked = b"", False
            try:
                while True:
                    text += os.read(primary, 65536)
                    if b"READY" in text and not asked:
                        asked = True
                        os.write(primary, b"\x14")
            except OSError:
                pass
            proc.wait()
        os.close(primary)
        try:
            with open(tmp + "/offered") as f:
                offered = f.read().split("> ")[1:]
        except OSError:
            offered = []
    check(len(offered) == len(lines), "zsh answers", text.decode(errors="replace"))
    return {line: sorted(set(block.splitlines()[1:]) - {""})
            for line, block in zip(lines, offered)}


def ask_fish(lines):
    """Returns what fish offers for each line."""
    script = "source %s; for line in $argv; echo \"> $line\"; complete -C $line; end"
    script %= os.path.join(TOP, "tools/luotrace/luotrace.fish")
    with tempfile.TemporaryDirectory() as tmp:
        open(tmp + "/MAKEFILE", "w").close()
        r = run(["fish", "--no-config", "-c", script] + lines, cwd=tmp,
                env=dict(os.environ, HOME=tmp))
    offered = r.stdout.split("> ")[1:]
    check(len(offered) == len(lines) and not r.stderr, "fish answers", r.stderr)
    return {line: sorted({word.split("\t")[0] for word in block.splitlines()[1:]})
            for line, block in zip(lines, offered)}


def options_of_help(command):
    """Long and short options; -? is a character that shells expand."""
    text = run([LUOTRACE, command, "--help"]).stdout.split("\nMandatory")[0]
    found = re.findall(r"^ {2,6}(-[\w-]+)(?:, (--[a-z-]+))?", text, re.M)
    found += [("", word) for word in re.findall(r"^  -\?, (--help)", text, re.M)]
    return sorted({word for words in found for word in words} - {""})


def commands_of_help():
    return re.findall(r"^  ([a-z]+) ", run([LUOTRACE, "--help"]).stdout, re.M)


def compare(shell, ask):
    commands = commands_of_help()
    options = {"luotrace %s %s" % (command, dash): command
               for command in commands for dash in ("-", "--")}
    arguments = {"luotrace " + typed: wanted for typed, wanted in ARGUMENTS}
    offered = ask(["luotrace "] + list(options) + list(arguments))
    check(len(commands) > 5 and offered.get("luotrace ") == sorted(commands),
          shell + " has all commands", commands, offered.get("luotrace "))
    for command in commands:
        # Long and short ones may be offered separately.
        words = [word for line, of in options.items() if of == command
                 for word in offered.get(line, [])]
        wanted = options_of_help(command)
        check(len(wanted) > 5 and sorted(set(words)) == wanted,
              "%s has all options of luotrace %s" % (shell, command), wanted,
              sorted(set(words)))
    for line, wanted in arguments.items():
        check(offered.get(line) == wanted, "%s completes '%s'" % (shell, line), wanted,
              offered.get(line))


def test_zsh():
    compare("zsh", ask_zsh)


def test_fish():
    compare("fish", ask_fish)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
