"""What must survive a run: cursors, journal, fact cache, opt-outs and who holds which number."""
