"""The command line: a module for each command, over ``output`` (what is printed) and ``door`` (what is asked)."""

from .app import main

__all__ = ["main"]
