"""Durable jobs on PostgreSQL, carried out by Procrastinate, behind the port of :mod:`ringfence.core.ports.jobs`.

::

    tables      Procrastinate's tables in a schema of their own: made, brought up to date
    queue       putting jobs on record, finding, cancelling and retrying them, by the store's own connections
    link        Procrastinate's connections: patient with a server that is away, and sound behind a connection pooler
    locks       a job whose moment has not come holds none
    fencing     nobody ends a job that another worker has taken over meanwhile
    performer   one job, in a thread of its own, and how Procrastinate is told what becomes of it
    aside       calling what blocks, without being held up by it in the end
    engine      Procrastinate's worker, its sweep of stalled jobs, and the end of both
"""
