"""What calls and messages tell of numbers: taken in, weighed, and carried to the records that hold them."""
