"""Who must not be contacted: taking opt-outs in, and spreading them to every holder of the number."""
