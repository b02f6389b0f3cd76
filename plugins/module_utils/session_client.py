# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that passes a question to a session's socket, and what both ends agree on.

It is Perl, which every Debian and Ubuntu has (perl-base is essential there): each phase of a
release runs it on each host, and Python would take four times as long just to start.
"""

from __future__ import annotations

import typing as t

NOBODY: t.Final = 87
"""Exit code that says that nobody answers."""

LAST_PHASES: t.Final = ("settled", "reverted")
"""Phases with which a session ends by itself, since a run asks nothing more after them."""

SECONDS: t.Final = 60
"""Seconds that an answer may take. A session answers after ten at most, also when it is busy."""

# Without Perl's modules, whose loading would take longer than the rest: AF_UNIX and SOCK_STREAM are
# 1 on Linux, and an address is its family and its path (unix(7)).
PROGRAM: t.Final = f"""\
$SIG{{ALRM}} = sub {{ exit {NOBODY} }};
$SIG{{PIPE}} = 'IGNORE';
alarm {SECONDS};
undef $/;
my $question = <STDIN>;
socket(my $session, 1, 1, 0) or exit {NOBODY};
connect($session, pack('S a*', 1, shift)) or exit {NOBODY};
select $session;
$| = 1;
print $question or exit {NOBODY};
shutdown($session, 1);
my $answer = <$session>;
exit {NOBODY} unless length $answer;
print STDOUT $answer, "\\n";
"""
"""Passes standard input to the socket that its argument names, and the answer to standard output.

Ends with NOBODY when nobody is there, or nobody answers.
"""
