"""Who is measured where that takes more than a function: in processes and on workers of their own."""
