"""POST /info: the table of questions, and a file for each family of them."""
