"""The doors: the command line in ``cli``, and what every door shares.

::

    environment  the only reader of the environment
    settings     what is set, and whether it makes sense
    env_file     the text of ``.env``, in whatever encoding it names
    credentials  what a credential may look like, and where it may be led to
    registry     the CRMs and lookup providers that are installed
    wiring       the composition root: settings in, wired objects out
    operations   what a door calls: sync, apply, undo, screen, check, set up
    remedies     what the command line says to do about an error
    printable    text from outside, as text that no terminal obeys
    logs         log lines on standard error, masked
"""
