"""How the numbers get out: to sinks, and to whoever asks for news."""
