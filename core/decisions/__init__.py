"""Pure decisions: which slots are due and why, what covers them, what a record should become."""
