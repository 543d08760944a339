"""Durable jobs: the engine in the state's file, and what every engine shares.

::

    queue      putting jobs on record, finding, cancelling and retrying them, in the state's file
    claims     who carries a job out, and giving it back
    engine     the loop that takes jobs in the state's file and carries them out
    attempts   one attempt at a job, and what follows from how it ended
    retries    pure: whether a failed attempt is followed by another, and when
    notes      what is known of a job beyond its queue: error, progress
    workers    which processes take jobs right now
"""
