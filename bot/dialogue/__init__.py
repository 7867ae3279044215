"""What to say: pure functions from text to text. Loads neither Telegram, the database nor the index."""
