"""The door for other people's pages, from the server's side; the script itself is tested in tests/embed_client."""
