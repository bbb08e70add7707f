"""What staff do: see the number, find a gift, open the post, print the column, let each other in."""
