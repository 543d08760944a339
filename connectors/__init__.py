"""One folder per outside system; each knows one API and no rule."""
