"""What a value of a column means, whatever type it comes in."""
