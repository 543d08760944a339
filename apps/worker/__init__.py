"""The queue worker: what carries out the jobs of each kind, and how long the process takes them.

::

    handlers  kind of job -> what carries it out
    command   a ringfence command, in a process of its own
    child     that process: it ends with its worker
    standing  whether this process is such a one
    parts     a part of a sync, in the worker's own process
    working   taking jobs until the process is asked to end
    scheduling   putting jobs on record as a schedule says, until the process is asked to end
"""
