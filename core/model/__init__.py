"""The values that travel through a run: records, numbers' verdicts, answers, changes. Nothing here acts."""
