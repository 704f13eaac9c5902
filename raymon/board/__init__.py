"""What a person looks at: the web page over runs, and the same in a terminal."""
