"""SOQL: text to tree, tree to functions of rows, and the rows of the org that a query finds."""
