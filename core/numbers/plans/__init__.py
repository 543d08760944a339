"""The numbering plans of `phonenumbers`, as tables that answer from digit to digit."""
