"""CSV and Excel files in, CSV and Excel files out, over the same screening. Not a CRM: see the README beside this.

Each import names its module: what only writes a list, or reads a register, loads nothing of the screening of files.

::

    screening  screen_file: a file into a new one, with verdicts
    marking    mark_file: a file into a new one, with what an opt-out ledger says
    detection  detect: which columns of a file are what
    options    what a person may say about a file
    target     default_target: where the result goes unless told
    list_file  open_list: a list of numbers, written
    registers  open_list: the file of a do-not-call register, read
"""
