"""The values that travel through a run: records, facts, verdicts, answers, changes. Nothing here reads or writes."""
