"""Prints docs/words.md: ``python -m ringfence.apps.words_page``."""

from __future__ import annotations

import sys

from .words import render_page

if __name__ == "__main__":
    sys.stdout.write(render_page())
