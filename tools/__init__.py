"""What the project's keepers run: dependencies audited, listed, licensed. Nothing of it runs with the bot."""
