"""One module per thing a person can ask for; each turns a scene into an answer."""
